"""Text of others, shown where it must not act: on a terminal, in a file that has to stay text."""

import re

_TICKS = re.compile(r"`+")
_CONTROLS = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
_CONTROLS |= {0x7F: "\N{SYMBOL FOR DELETE}"} | dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}")


def visible(text: str) -> str:
    """The same text, control characters but tabs and ends of lines as their pictures: as themselves they would move the
    cursor, end lines, or end the file's being text. Half characters, which cannot be written, are replaced."""
    known = text.replace("\r\n", "\n").translate(_CONTROLS)
    return known.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """The same on one line."""
    return " ".join(visible(text).split())


def code(text: str) -> str:
    """The same on one line, between backticks: more of them than it has itself, as Markdown wants it."""
    line = visible(text).replace("\n", "␤")
    ticks = "`" * (longest_ticks(line) + 1)
    if not line.strip():
        return f"{ticks}{line or ' '}{ticks}"
    margin = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{ticks}{margin}{line}{margin}{ticks}"


def longest_ticks(text: str) -> int:
    """The length of the longest run of backticks."""
    return max((len(run) for run in _TICKS.findall(text)), default=0)
