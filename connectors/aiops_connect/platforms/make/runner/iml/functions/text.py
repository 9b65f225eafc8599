"""Text functions that need no other module: case, search, split and join."""

import math
import unicodedata

import regex

from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError, LimitError
from aiops_connect.platforms.make.runner.iml.functions.registry import function
from aiops_connect.platforms.make.runner.iml.operators import loosely_equal
from aiops_connect.platforms.make.runner.iml.patterns import matches
from aiops_connect.platforms.make.runner.iml.values import (
    SAFE_INTEGER,
    UNDEFINED,
    WHITESPACE,
    Value,
    from_utf16,
    is_missing,
    is_truthy,
    to_number,
    to_text,
    type_name,
    utf16,
)
from aiops_connect.platforms.make.runner.limits import REGEX_SECONDS

REGEX = regex.compile(r"/(.+)/([dgimsuy]*)", regex.DOTALL)
PLACEHOLDER = regex.compile(r"\$(?:([$&`'])|([0-9]{1,2})|<([^>]*)>)")
EMOJI = regex.compile(
    r"(?:\p{Regional_Indicator}{2}"
    r"|\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F)*(?:\u200D\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\uFE0F)*)*"
    r"|[0-9#*]\uFE0F?\u20E3)"
)


def whole(value: Value, otherwise: int = 0) -> int:
    """A number cut to a whole one, as JavaScript takes positions."""
    number = to_number(value)
    if is_missing(value) or math.isnan(number):
        return otherwise
    return int(max(-SAFE_INTEGER, min(SAFE_INTEGER, number)))


@function("length(value)")
def length(_: Context, value: Value) -> Value:
    """Characters of a text in UTF-16 as in JavaScript, bytes of a buffer, items of an array; 0 for null."""
    if is_missing(value):
        return 0
    if isinstance(value, list | bytes):
        return len(value)
    if isinstance(value, dict):
        raise ImlEvaluationError("A collection has no length. Use length(keys(collection)).")
    return len(utf16(to_text(value)))


@function("lower(text)")
def lower(_: Context, text: Value) -> Value:
    return to_text(text).lower()


@function("upper(text)")
def upper(_: Context, text: Value) -> Value:
    return to_text(text).upper()


@function("capitalize(text)")
def capitalize(_: Context, text: Value) -> Value:
    """The first character only; the others stay."""
    return to_text(text)[:1].upper() + to_text(text)[1:]


@function("startcase(text)")
def startcase(_: Context, text: Value) -> Value:
    return regex.sub(r"\S+", lambda word: word[0][:1].upper() + word[0][1:].lower(), to_text(text))


@function("trim(text)")
def trim(_: Context, text: Value) -> Value:
    return to_text(text).strip(WHITESPACE)


@function("substring(text, start, [end])")
def substring(_: Context, text: Value, start: Value, end: Value = UNDEFINED) -> Value:
    """As JavaScript's: positions from 0 in UTF-16, negative ones are 0, and the smaller is the start."""
    source = utf16(to_text(text))
    first, last = sorted(
        max(0, min(len(source), whole(value, missing))) for value, missing in ((start, 0), (end, len(source)))
    )
    return from_utf16(source[first:last])


@function("indexOf(text, value, [start])")
def index_of(_: Context, text: Value, value: Value, start: Value = UNDEFINED) -> Value:
    """From 0 in UTF-16, and -1 where it is not found."""
    if isinstance(text, list):
        return next((place for place, item in enumerate(text) if loosely_equal(item, value)), -1)
    source = utf16(to_text(text))
    return source.find(utf16(to_text(value)), max(0, min(len(source), whole(start))))


@function("contains(value, search, [ignoreCase])")
def contains(_: Context, value: Value, search: Value, ignore_case: Value = UNDEFINED) -> Value:
    """A text in a text, or a value in an array."""

    def folded(text: Value) -> str:
        return to_text(text).lower() if is_truthy(ignore_case) else to_text(text)

    if isinstance(value, list):
        return any(
            loosely_equal(item, search) or (_is_text(item, search) and folded(item) == folded(search)) for item in value
        )
    return folded(search) in folded(value)


def _is_text(*values: Value) -> bool:
    return all(isinstance(value, str) for value in values)


@function("replace(text, search, replacement)")
def replace(_: Context, text: Value, search: Value, replacement: Value) -> Value:
    """Every occurrence; a search like `/a+/gi` is a regular expression, in which only `g` goes beyond the first."""
    source, wanted, new = to_text(text), to_text(search), to_text(replacement)
    match = REGEX.fullmatch(wanted)
    if match is None:
        return source.replace(wanted, new) if wanted else source
    pattern, flags = match.groups()
    counted = to_text if "u" in flags else utf16
    units = counted(source)
    pieces, position = [], 0
    try:
        for found in matches(counted(pattern), flags, units, REGEX_SECONDS):
            pieces += [units[position : found.start()], _expand(new, found)]
            position = found.end()
    except regex.error as error:
        raise ImlEvaluationError(f"The regular expression {wanted!r} is not valid: {error.msg}.") from None
    except TimeoutError:
        raise LimitError(f"The regular expression {wanted!r} takes more than {REGEX_SECONDS:g} s.") from None
    return from_utf16("".join((*pieces, units[position:])))


def _expand(template: str, found: "regex.Match[str]") -> str:
    """`$&`, `$1`, `$<name>` and the like (ECMA-262, GetSubstitution); a number without a group stays as it is."""

    def group(placeholder: "regex.Match[str]") -> str:
        sign, number, name = placeholder.groups()
        match sign:
            case "$":
                return "$"
            case "&":
                return str(found[0])
            case "`":
                return str(found.string[: found.start()])
            case "'":
                return str(found.string[found.end() :])
        for digits in (number, number[:1]) if number else ():
            if 0 < int(digits) <= found.re.groups:
                return f"{found[int(digits)] or ''}{number[len(digits) :]}"
        if name is None or not found.re.groupindex:
            return str(placeholder[0])
        return str(found[name] or "") if name in found.re.groupindex else ""

    return str(PLACEHOLDER.sub(group, template))


@function("replaceEmojiCharacters(text, replacement)")
def replace_emoji_characters(_: Context, text: Value, replacement: Value) -> Value:
    return EMOJI.sub(lambda _found: to_text(replacement), to_text(text))


@function("split(text, separator, [keepEmpty])")
def split(_: Context, text: Value, separator: Value, keep_empty: Value = UNDEFINED) -> Value:
    """Items are trimmed, and empty ones left out unless they are to be kept."""
    source, cut = to_text(text), to_text(separator)
    items = [item.strip(WHITESPACE) for item in (source.split(cut) if cut else list(source))]
    return items if is_truthy(keep_empty) else [item for item in items if item]


@function("join(array, [separator])")
def join(_: Context, array: Value, separator: Value = UNDEFINED) -> Value:
    if is_missing(array):
        return ""
    if not isinstance(array, list):
        raise ImlEvaluationError(f"An array is needed, and this is {type_name(array)}.")
    return ("," if is_missing(separator) else to_text(separator)).join(to_text(item) for item in array)


@function("ascii(text, [removeDiacritics])")
def ascii_(_: Context, text: Value, remove_diacritics: Value = UNDEFINED) -> Value:
    source = to_text(text)
    if is_truthy(remove_diacritics):
        source = unicodedata.normalize("NFD", source)
    return source.encode("ascii", "ignore").decode("ascii")
