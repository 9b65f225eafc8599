"""Draws the placeholder picture, in the child process: a landscape out of the prompt's hash, by Pillow alone.

Everything is drawn at twice the size and reduced, which smooths the edges. Lengths are parts of the picture's
height unless they are named `_px`.
"""

import colorsys
import math
import random
import unicodedata
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFilter, ImageFont

if TYPE_CHECKING:
    from aiops.providers.embedded.child import Workspace

Color = tuple[int, int, int]
Point = tuple[float, float]

# About one megapixel and multiples of 16, the sizes that the FLUX models answer with.
SIZES_PX = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
    "4:3": (1152, 896),
    "3:4": (896, 1152),
}
OVERSAMPLING = 2
COMPRESSION_LEVEL = 6
CAPTION_LINES_MAX = 3
CAPTION_CHARACTERS_MAX = 400  # more than three lines hold
LABEL = "PLACEHOLDER"
MARK = "…"
UNDRAWABLE = "(a prompt in another script)"

WHITE: Color = (255, 255, 255)
# Hours of the day: the sky from the top down, the light of the sun, the nearest hill.
PALETTES: Sequence[tuple[tuple[Color, Color, Color], Color, Color]] = (
    (((38, 44, 92), (150, 96, 140), (252, 176, 130)), (255, 214, 150), (28, 20, 48)),
    (((70, 130, 190), (150, 196, 224), (250, 232, 206)), (255, 246, 220), (18, 44, 66)),
    (((20, 30, 60), (46, 76, 122), (120, 160, 190)), (226, 236, 250), (8, 14, 30)),
    (((120, 70, 90), (216, 122, 96), (255, 206, 128)), (255, 236, 170), (50, 20, 34)),
    (((40, 110, 120), (110, 180, 170), (236, 240, 204)), (255, 250, 216), (10, 46, 52)),
    (((90, 84, 150), (170, 150, 204), (250, 214, 222)), (255, 240, 232), (40, 32, 76)),
)


def draw(arguments: Mapping[str, Any], workspace: "Workspace") -> dict[str, Any]:
    """Task: the picture of `prompt` in `style` and `aspect_ratio` as PNG in the output file."""
    prompt, style = arguments["prompt"], arguments["style"]
    picture = placeholder(prompt, style, SIZES_PX[arguments["aspect_ratio"]])
    picture.save(workspace.output, "PNG", compress_level=COMPRESSION_LEVEL)
    return {}


def placeholder(prompt: str, style: str, size_px: tuple[int, int]) -> Image.Image:
    """The same picture for the same arguments."""
    seed = sha256(f"{style}\0{prompt}".encode(errors="replace")).digest()
    canvas = Canvas(size_px, random.Random(seed))  # noqa: S311 (a picture, not a secret)
    paint = paint_anime if style == "anime" else paint_landscape
    paint(canvas)
    picture = canvas.image.reduce(OVERSAMPLING)
    caption(picture, prompt)
    return picture


class Canvas:
    """An image under work; positions are parts of the height, x from 0 to `width`."""

    def __init__(self, size_px: tuple[int, int], dice: random.Random) -> None:
        self.dice = dice
        self.width_px, self.height_px = (length * OVERSAMPLING for length in size_px)
        self.width = self.width_px / self.height_px
        self.image = Image.new("RGB", (self.width_px, self.height_px))
        self.pen = ImageDraw.Draw(self.image)

    def gradient(self, stops: Sequence[Color]) -> None:
        """Fill all with colours that run from the top down."""
        rows = [blend_along(stops, row / self.height_px) for row in range(self.height_px)]
        column = Image.new("RGB", (1, self.height_px))
        column.putdata(rows)
        self.image.paste(column.resize(self.image.size))

    def polygon(self, points: Sequence[Point], color: Color) -> None:
        self.pen.polygon([(x * self.height_px, y * self.height_px) for x, y in points], fill=color)

    def line(self, points: Sequence[Point], color: Color, thickness: float) -> None:
        scaled = [(x * self.height_px, y * self.height_px) for x, y in points]
        self.pen.line(scaled, fill=color, width=round(thickness * self.height_px), joint="curve")

    def disc(self, center: Point, radius: float, color: Color) -> None:
        self.pen.ellipse(self._box(center, radius), fill=color)

    def glow(self, center: Point, radius: float, color: Color, strength: float) -> None:
        """Light that fades out towards `radius`; `strength` is its opacity in the middle."""
        # Pillow's gradient is 0 in the middle and 181 where its inscribed circle ends.
        levels = [round(max(0.0, 1 - level / 181) ** 2 * strength * 255) for level in range(256)]
        fade = Image.radial_gradient("L").point(levels)
        left, top, right, bottom = self._box(center, radius)
        mask = fade.resize((right - left, bottom - top), Image.Resampling.BICUBIC)
        self.image.paste(color, (left, top), mask)

    def _box(self, center: Point, radius: float) -> tuple[int, int, int, int]:
        x, y = center
        edges = (x - radius, y - radius, x + radius, y + radius)
        left, top, right, bottom = (round(edge * self.height_px) for edge in edges)
        return left, top, right, bottom


def paint_landscape(canvas: Canvas) -> None:
    """A hazy range of hills behind one another before a low sun."""
    dice = canvas.dice
    sky, light, near = PALETTES[int(dice.random() * len(PALETTES))]
    hue = dice.uniform(-0.03, 0.03)
    zenith, middle, horizon = (turned(shade, hue) for shade in sky)
    canvas.gradient([zenith, middle, horizon, horizon])
    sun = (canvas.width * dice.uniform(0.25, 0.75), dice.uniform(0.26, 0.38))
    canvas.glow(sun, 0.6, light, 0.7)
    canvas.disc(sun, dice.uniform(0.05, 0.075), blend(light, WHITE, 0.6))
    ridges = 6
    for layer in range(ridges):
        depth = layer / (ridges - 1)
        top = ridge(dice, canvas.width, 0.44 + 0.42 * depth, 0.13 - 0.05 * depth)
        canvas.polygon([*top, (canvas.width, 1), (0, 1)], blend(middle, near, 0.12 + 0.88 * depth))
    flock(canvas, near)


def flock(canvas: Canvas, ink: Color) -> None:
    """A few birds far off."""
    dice = canvas.dice
    middle = (canvas.width * dice.uniform(0.2, 0.8), dice.uniform(0.14, 0.22))
    for _ in range(5 + int(dice.random() * 4)):
        x, y = middle[0] + dice.uniform(-0.12, 0.12), middle[1] + dice.uniform(-0.06, 0.06)
        wing = dice.uniform(0.008, 0.016)
        bird = [(x - wing, y - wing * 0.5), (x - wing * 0.4, y - wing * 0.55), (x, y)]
        canvas.line([*bird, (x + wing * 0.4, y - wing * 0.55), (x + wing, y - wing * 0.5)], ink, 0.0025)


def ridge(dice: random.Random, width: float, base: float, roughness: float) -> list[Point]:
    """A skyline by midpoint displacement: each halving adds detail of two thirds of the height."""
    heights = [dice.uniform(-1, 1), dice.uniform(-1, 1)]
    amount = 1.0
    for _ in range(8):
        between = [(a + b) / 2 + dice.uniform(-amount, amount) for a, b in pairwise(heights)]
        heights = [height for pair in zip(heights, [*between, 0.0], strict=True) for height in pair][:-1]
        amount *= 0.52
    step = width / (len(heights) - 1)
    return [(index * step, base + height * roughness) for index, height in enumerate(heights)]


def paint_anime(canvas: Canvas) -> None:
    """A bright summer sky in flat colours: cel-shaded clouds, outlined hills, petals in the wind."""
    dice = canvas.dice
    evening = dice.random() < 0.4
    hue = dice.uniform(0.86, 0.98) if evening else dice.uniform(0.52, 0.60)
    sky_low = color(hue + 0.12, 0.35, 1.0) if evening else color(hue, 0.22, 1.0)
    canvas.gradient([color(hue - 0.12 if evening else hue + 0.06, 0.72, 0.82), color(hue, 0.5, 0.98), sky_low, sky_low])
    sunbeams(canvas, (canvas.width * dice.uniform(0.15, 0.85), dice.uniform(0.08, 0.2)))
    shade = color(hue + 0.08, 0.22, 0.88)
    for level, size in ((0.34, 0.16), (0.52, 0.22), (0.68, 0.30)):
        place = (dice.uniform(0.05, 0.95) * canvas.width, level)
        cumulus(canvas, place, size * dice.uniform(0.8, 1.2) * min(1.0, canvas.width), shade)
    grass = dice.uniform(0.24, 0.42)
    for layer, base in enumerate((0.66, 0.74, 0.84)):
        fill = color(grass, 0.48 + 0.12 * layer, 0.86 - 0.16 * layer)
        outlined_hill(canvas, base, fill, color(grass + 0.1, 0.7, 0.25))
    for _ in range(46):
        petal(canvas, (dice.uniform(0, canvas.width), dice.uniform(0, 1)), dice.uniform(0.006, 0.018))


def sunbeams(canvas: Canvas, sun: Point) -> None:
    """Rays that fan out from a flat sun."""
    x, y = sun
    count = 14
    turn = canvas.dice.random()
    veil = Image.new("L", canvas.image.size)
    pen = ImageDraw.Draw(veil)
    for beam in range(count):
        angles = [(beam + turn + half) * math.tau / count for half in (0, 0.5)]
        tips = [(x + 3 * math.cos(angle), y + 3 * math.sin(angle)) for angle in angles]
        pen.polygon([(px * canvas.height_px, py * canvas.height_px) for px, py in (sun, *tips)], fill=38)
    canvas.image.paste(WHITE, (0, 0), veil)
    canvas.disc(sun, 0.085, (255, 240, 190))
    canvas.disc(sun, 0.07, (255, 252, 236))


def cumulus(canvas: Canvas, foot: Point, size: float, shade: Color) -> None:
    """A heap of discs: first all in shade, then all in white a little higher, so the shade stays at the rims."""
    dice = canvas.dice
    puffs = []
    for _ in range(30):
        along = dice.uniform(-1, 1)
        fullness = 1 - along * along
        radius = size * dice.uniform(0.14, 0.22 + 0.16 * fullness)
        lift = fullness * dice.random() ** 1.5 * size * 0.9
        puffs.append((foot[0] + along * size * 1.5, foot[1] - radius - lift, radius))
    for x, y, radius in puffs:
        canvas.disc((x, y), radius, shade)
    for x, y, radius in puffs:
        canvas.disc((x - radius * 0.12, y - radius * 0.22), radius * 0.9, WHITE)


def outlined_hill(canvas: Canvas, base: float, fill: Color, ink: Color) -> None:
    """A smooth hill with a dark contour and a lit edge below it."""
    dice = canvas.dice
    waves = [(dice.uniform(0.02, 0.05) / (n + 1), dice.uniform(1.5, 3.5) * (n + 1), dice.random()) for n in range(3)]

    def skyline(drop: float) -> list[Point]:
        xs = [canvas.width * step / 160 for step in range(-2, 163)]
        return [(x, base + drop + sum(a * math.sin(x * f + math.tau * p) for a, f, p in waves)) for x in xs]

    corners = [(canvas.width, 1.0), (0.0, 1.0)]
    canvas.polygon([*skyline(0), *corners], blend(fill, WHITE, 0.35))
    canvas.polygon([*skyline(0.018), *corners], fill)
    canvas.line(skyline(0), ink, 0.0045)


def petal(canvas: Canvas, center: Point, length: float) -> None:
    """A pointed oval, turned at random."""
    turn = canvas.dice.uniform(0, math.tau)
    outline = []
    for step in range(16):
        angle = step * math.tau / 16
        x, y = length * math.cos(angle), length * 0.5 * math.sin(angle) * abs(math.sin(angle / 2))
        outline.append(
            (center[0] + x * math.cos(turn) - y * math.sin(turn), center[1] + x * math.sin(turn) + y * math.cos(turn))
        )
    canvas.polygon(outline, blend((255, 176, 206), WHITE, canvas.dice.random() * 0.6))


def caption(picture: Image.Image, prompt: str) -> None:
    """Write over the lower edge that this is a placeholder, and for what."""
    width_px, height_px = picture.size
    unit_px = min(picture.size) // 32
    font, label_font = ImageFont.load_default(unit_px), ImageFont.load_default(unit_px * 0.8)
    lines = wrapped(drawable(prompt), font, width_px - 4 * unit_px)
    panel_px = round(unit_px * (3.1 + 1.4 * len(lines)))
    frosted(picture, (unit_px, height_px - panel_px - unit_px, width_px - unit_px, height_px - unit_px), unit_px)
    pen = ImageDraw.Draw(picture)
    top_px = height_px - panel_px - unit_px * 0.1
    spaced = " ".join(LABEL)
    pen.text((2 * unit_px, top_px), spaced, fill=(255, 214, 130), font=label_font)
    for number, line in enumerate(lines):
        pen.text((2 * unit_px, top_px + unit_px * (1.5 + 1.4 * number)), line, fill=WHITE, font=font)


def frosted(picture: Image.Image, box_px: tuple[int, int, int, int], radius_px: int) -> None:
    """Darken and blur a rounded rectangle, so that text on it can be read before any picture."""
    glass = picture.crop(box_px).filter(ImageFilter.BoxBlur(radius_px))
    glass = Image.blend(glass, Image.new("RGB", glass.size, (12, 14, 24)), 0.72)
    mask = Image.new("L", (glass.width * 2, glass.height * 2))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius_px * 2, fill=255)
    picture.paste(glass, box_px[:2], mask.reduce(2))


def drawable(prompt: str) -> str:
    """What of `prompt` Pillow's own font has: ASCII. Accents are taken off; left-out scripts leave a mark."""
    decomposed = unicodedata.normalize("NFKD", prompt[:CAPTION_CHARACTERS_MAX])
    words = []
    for word in decomposed.split():
        kept = "".join(character for character in word if "!" <= character <= "~")
        lost = any(unicodedata.category(character)[0] in "LNS" for character in word if not character.isascii())
        words.append(kept + MARK if lost else kept)
    if not any(word.strip(MARK) for word in words):
        return UNDRAWABLE
    return " ".join(word for word in words if word)


def wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width_px: float) -> list[str]:
    """`text` in lines no wider than `width_px`, the last of them cut off with a mark where there is more."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < CAPTION_LINES_MAX:
        fitting = fitting_length(rest, font, width_px)
        end = rest.rfind(" ", 0, fitting + 1) if fitting < len(rest) else fitting
        end = end if end > 0 else fitting
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if rest:
        last = lines[-1] + MARK
        lines[-1] = last if font.getlength(last) <= width_px else lines[-1][:-2] + MARK
    return lines


def fitting_length(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width_px: float) -> int:
    """How many characters of `text`, at least one, are not wider than `width_px`."""
    length = 1
    while length < len(text) and font.getlength(text[: length + 1]) <= width_px:
        length += 1
    return length


def color(hue: float, saturation: float, value: float) -> Color:
    """From hue (any number: whole turns do not count), saturation and value (0 to 1)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def turned(shade: Color, turn: float) -> Color:
    """The same colour, `turn` further round the circle of hues."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in shade))
    return color(hue + turn, saturation, value)


def blend(first: Color, second: Color, amount: float) -> Color:
    """The colour that lies `amount` (0 to 1) of the way from `first` to `second`."""
    red, green, blue = (round(a + (b - a) * amount) for a, b in zip(first, second, strict=True))
    return red, green, blue


def blend_along(stops: Sequence[Color], position: float) -> Color:
    """The colour at `position` (0 to 1) of a row of evenly spaced stops."""
    place = position * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    return blend(stops[index], stops[index + 1], place - index)
