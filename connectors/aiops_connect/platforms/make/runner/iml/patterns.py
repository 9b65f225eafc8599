"""Regular expressions of JavaScript, written as the library `regex` reads them.

What both write alike can mean two things: in JavaScript `\\w` is ASCII, `$` the very end, and `.` stops at four line
ends. One thing is left: without regard to case, the long s and the Kelvin sign are letters s and k here.

Source: ECMA-262, section 22.2 and annex B.1.2.
"""

import time
from collections.abc import Iterator
from functools import lru_cache

import regex

from aiops_connect.platforms.make.runner.iml.values import SPACES

Ranges = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
CLASSES: dict[str, Ranges] = {
    "d": ((0x30, 0x39),),
    "w": ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)),
    "s": SPACES,
}
CONTROLS = {"f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09, "v": 0x0B}
ESCAPE = r"\\(?:u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[pP]\{[\w=]+\}|k<\w+>|[0-9]{1,3}|.)"
TOKEN = regex.compile(
    rf"(?P<escape>{ESCAPE})|\[(?P<negated>\^?)(?P<set>(?:\\.|[^\]\\])*)\]|(?P<group>\((?:\?(?:<?[=!]|:|<\w+>)?)?)"
    r"|(?P<quantifier>(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??)(?P<second>[*+?]?)|(?P<other>.)",
    regex.DOTALL,
)
MEMBER = regex.compile(rf"{ESCAPE}|.", regex.DOTALL)
OCTAL = regex.compile(r"[0-3]?[0-7]{1,2}")


def _complement(ranges: Ranges) -> Ranges:
    starts = (0, *(last + 1 for _, last in ranges))
    ends = (*(first - 1 for first, _ in ranges), LAST)
    return tuple(zip(starts, ends, strict=True))


CLASSES |= {name.upper(): _complement(ranges) for name, ranges in CLASSES.items()}


def _character(code: int) -> str:
    return f"\\U{code:08x}"


def _members(ranges: Ranges) -> str:
    return "".join(f"{_character(first)}-{_character(last)}" for first, last in ranges)


def _class(name: str) -> str:
    """Without regard to case: `i` would let a Kelvin sign be a letter k."""
    return f"(?-i:[{_members(CLASSES[name])}])"


_LINE_END = "[\\n\\r\\u2028\\u2029]"
_WORD = _class("w")
_BOUNDARIES = {
    "b": rf"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))",
    "B": rf"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))",
}
_PLAIN = {"^": r"\A", "$": r"\Z", ".": f"[^{_LINE_END[1:]}"}
_BY_FLAG = {("m", "^"): rf"(?:\A|(?<={_LINE_END}))", ("m", "$"): rf"(?=\Z|{_LINE_END})", ("s", "."): "(?s:.)"}


def matches(source: str, flags: str, text: str, seconds: float) -> Iterator["regex.Match[str]"]:
    """The matches of what stands between the slashes, with the flags after them: all of them with `g`, else the first.
    After an empty one it goes on behind the next character.

    :raises regex.error: for what JavaScript does not read
    :raises TimeoutError: when it takes longer than so many seconds
    """
    pattern = compiled(source, flags)
    find = pattern.match if "y" in flags else pattern.search
    position, ends = 0, time.monotonic() + seconds
    while position <= len(text):
        found = find(text, position, timeout=max(ends - time.monotonic(), 1e-6))
        if found is None:
            return
        yield found
        if "g" not in flags:
            return
        position = found.end() + (found.end() == found.start())


@lru_cache(maxsize=256)
def compiled(source: str, flags: str) -> "regex.Pattern[str]":
    """What finds the same as the pattern in JavaScript, apart from the flags `g` and `y`.

    :raises regex.error: for what JavaScript does not read
    """
    tokens = list(TOKEN.finditer(source))
    opened = [token["group"] for token in tokens if token["group"]]
    groups = sum(group == "(" or group.endswith(">") for group in opened)
    names = [group[3:-1] for group in opened if group.endswith(">")]
    written = (_written(token, flags, groups, names) for token in tokens)
    return regex.compile("".join(written), (regex.IGNORECASE if "i" in flags else 0) | regex.V0)


def _written(token: "regex.Match[str]", flags: str, groups: int, names: list[str]) -> str:
    if token["escape"]:
        return _escape(token["escape"][1:], flags, groups, names)
    if token["set"] is not None:
        return _set(token["set"], token["negated"], flags)
    if token["group"] == "(?" or token["second"]:
        raise regex.error(f"JavaScript does not read {token.string[token.start() : token.end() + 1]!r}")
    if token["group"] or token["quantifier"]:
        return str(token[0])
    other = str(token["other"])
    for flag in flags:
        if (flag, other) in _BY_FLAG:
            return _BY_FLAG[flag, other]
    return _PLAIN.get(other) or (other if other in "()|[" else regex.escape(other))


def _escape(body: str, flags: str, groups: int, names: list[str]) -> str:
    """What a backslash and this say outside of a set."""
    if body in CLASSES:
        return _class(body)
    if body in _BOUNDARIES:
        return _BOUNDARIES[body]
    if body.startswith("k<") and names:
        return f"(?({body[2:-1]})(?P={body[2:-1]})|)"
    if body[0] in "123456789" and int(body) <= groups:
        return f"(?({body})\\{body}|)"
    if body[0] in "pP" and len(body) > 1 and "u" in flags:
        return f"\\{body}"
    return body if body.startswith("u{") and "u" not in flags else regex.escape(_text(body, flags))


def _text(body: str, flags: str) -> str:
    """The characters that an escape stands for."""
    if body[0].isdigit():
        octal = OCTAL.match(body)
        return chr(int(octal[0], 8)) + body[octal.end() :] if octal else body
    if len(body) > 1 and body[0] in "xu" and ("u" in flags or body[1] != "{"):
        return chr(min(LAST, int(body[1:].strip("{}"), 16)))
    if len(body) > 1 and body[0] == "c":
        return chr(ord(body[1]) % 32)
    return chr(CONTROLS[body]) if body in CONTROLS else body


def _set(body: str, negated: str, flags: str) -> str:
    if not body:
        return "(?s:.)" if negated else "(?!)"
    members = [str(member[0]) for member in MEMBER.finditer(body)]
    written = [_member(member, flags) for member in members]
    is_one = [member[-1] not in CLASSES or member[0] != "\\" for member in members]
    for place, member in enumerate(members):
        if member == "-" and 0 < place < len(members) - 1 and is_one[place - 1] and is_one[place + 1]:
            written[place] = "-"
            is_one[place] = is_one[place + 1] = False  # the end of a range begins no other
    return f"[{negated}{''.join(written)}]"


def _member(member: str, flags: str) -> str:
    """One member of a set."""
    if member[0] != "\\" or len(member) == 1:
        return _character(ord(member))
    body = member[1:]
    if body in CLASSES:
        return _members(CLASSES[body])
    if body[0] in "pP" and len(body) > 1 and "u" in flags:
        return member
    return "".join(map(_character, map(ord, "\b" if body == "b" else _text(body, flags))))
