"""The icon for light and for dark surroundings."""

import colorsys
import re

_PLAIN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#334155"/>'
    '<path d="M10 16h12M16 10v12" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>\n'
)
_COLOUR = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")


def light(svg: str) -> str:
    """The publisher's icon; a plain one where there is none."""
    return svg or _PLAIN


def dark(svg: str) -> str:
    """The same with each colour as light as it was dark; n8n wants two that differ."""
    changed = _COLOUR.sub(lambda found: _inverted(found[1]), light(svg))
    return changed if changed != light(svg) else changed.replace("</svg>", "<desc>For dark surroundings</desc></svg>")


def _inverted(colour: str) -> str:
    digits = colour if len(colour) == 6 else "".join(digit * 2 for digit in colour)
    red, green, blue = (int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    turned = colorsys.hls_to_rgb(hue, 1 - lightness, saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in turned)
