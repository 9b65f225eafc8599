"""Texts, numbers and booleans, with their limits."""

import math

from aiops_connect import ir
from aiops_connect.openapi import annotations, words
from aiops_connect.openapi.facts import Facts

_READABLE = ("text/", "application/json", "application/xml")


def text(facts: Facts, *, is_input: bool, is_raw: bool) -> ir.FieldType:
    """A text, or what travels as one: a date, a file."""
    form = facts.texts.get("format", "")
    if form == "date-time":
        return ir.DateTime("date-time")
    if form == "date":
        return ir.DateTime("date")
    if form == "time":
        return ir.DateTime("time")
    file = _file(facts, is_input=is_input, is_raw=is_raw)
    if file is not None:
        return file
    minimum, maximum = facts.bounds.get("minLength"), facts.bounds.get("maxLength")
    return ir.Text(
        format=form,
        length_min=None if minimum is None else int(minimum),
        length_max=None if maximum is None else int(maximum),
        pattern=facts.texts.get("pattern"),
        is_multiline=annotations.flag(facts.words, words.MULTILINE),
    )


def _file(facts: Facts, *, is_input: bool, is_raw: bool) -> ir.File | None:
    """Bytes as they are cannot stand in JSON: what a document calls so there can only be meant as base 64."""
    media_type = facts.texts.get("contentMediaType", "")
    media_types = (media_type,) if media_type else ()
    is_binary = facts.texts.get("format") == "binary"
    if facts.texts.get("contentEncoding", "").lower() in ("base64", "base64url") or facts.texts.get("format") == "byte":
        return ir.File(ir.FileForm.BASE64, media_types)
    if is_raw and (is_binary or (media_type and not media_type.startswith(_READABLE))):
        return ir.File(ir.FileForm.BYTES, media_types)
    return ir.File(ir.FileForm.BASE64, media_types) if is_binary and is_input else None


def number(facts: Facts, *, is_whole: bool) -> ir.Integer | ir.Number:
    """A number. Bounds of a whole number that are excluded are moved by one."""
    minimum, maximum = facts.bounds.get("minimum"), facts.bounds.get("maximum")
    multiple_of = facts.bounds.get("multipleOf")
    if not is_whole:
        return ir.Number(minimum, maximum, "minimum" in facts.excluded, "maximum" in facts.excluded, multiple_of)
    return ir.Integer(
        None if minimum is None else _lowest(minimum, is_excluded="minimum" in facts.excluded),
        None if maximum is None else _highest(maximum, is_excluded="maximum" in facts.excluded),
        int(multiple_of) if multiple_of is not None and multiple_of == int(multiple_of) else None,
    )


def _lowest(bound: float, *, is_excluded: bool) -> int:
    return math.floor(bound) + 1 if is_excluded else math.ceil(bound)


def _highest(bound: float, *, is_excluded: bool) -> int:
    return math.ceil(bound) - 1 if is_excluded else math.floor(bound)
