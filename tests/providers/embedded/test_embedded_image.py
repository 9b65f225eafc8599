"""Placeholder pictures: the right size, the same each time, marked as what they are, whatever the prompt."""

import io
from collections.abc import Callable
from itertools import combinations

import pytest
from PIL import Image, ImageDraw, ImageFont

from aiops.providers.base import Call, Media
from aiops.providers.embedded.image import LABEL, drawable, placeholder, wrapped
from aiops.providers.embedded.provider import EmbeddedProvider

MakeCall = Callable[..., Call]

ODD_PROMPTS = {
    "chinese": "夜晚的东京",
    "arabic, right to left": "مرحبا بالعالم",
    "override": "\u202egnp.exe",
    "emoji": "🦊❄️👨‍👩‍👧",
    "control": "a\x00b\x1b[31mred\r\n\tend\x7f",
    "surrogate": "\ud800 alone",
    "one long word": "x" * 5000,
    "long": "a castle on a hill " * 500,
    "lines": "one\ntwo\nthree\nfour\nfive",
    "one character": "?",
}


async def picture(
    provider: EmbeddedProvider, call: Call, prompt: str, style: str = "none", ratio: str = "1:1"
) -> Media:
    return await provider.generate_image(prompt, style, ratio, "black-forest-labs/FLUX.1-schnell", call)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


class TestPicture:
    @pytest.mark.parametrize(
        ("ratio", "size"),
        [
            ("1:1", (1024, 1024)),
            ("16:9", (1344, 768)),
            ("9:16", (768, 1344)),
            ("4:3", (1152, 896)),
            ("3:4", (896, 1152)),
        ],
    )
    @pytest.mark.parametrize("style", ["none", "anime"])
    async def test_is_a_png_of_the_ratio_asked_for(
        self, provider: EmbeddedProvider, call: MakeCall, style: str, ratio: str, size: tuple[int, int]
    ) -> None:
        media = await picture(provider, call(), "a red fox in the snow", style, ratio)
        image = opened(media.data)
        assert (image.format, image.size, image.mode) == ("PNG", size, "RGB")
        assert len(media.data) < 500_000
        assert (media.content_type, media.model) == ("image/png", "embedded-placeholder")

    async def test_is_the_same_for_the_same_prompt_and_another_for_another(
        self, provider: EmbeddedProvider, call: MakeCall
    ) -> None:
        first = await picture(provider, call(), "a red fox")
        again = await picture(provider, call(), "a red fox")
        other = await picture(provider, call(), "a blue fox")
        assert first.data == again.data
        assert first.data != other.data

    @pytest.mark.parametrize("prompt", ODD_PROMPTS.values(), ids=ODD_PROMPTS.keys())
    @pytest.mark.parametrize("style", ["none", "anime"])
    async def test_no_prompt_is_too_odd(
        self, provider: EmbeddedProvider, call: MakeCall, style: str, prompt: str
    ) -> None:
        image = opened((await picture(provider, call(), prompt, style)).data)
        assert image.size == (1024, 1024)

    @pytest.mark.parametrize("style", ["none", "anime"])
    @pytest.mark.parametrize("prompt", ["a red fox", "a bright white room " * 30])
    async def test_says_legibly_that_it_is_a_placeholder(
        self, provider: EmbeddedProvider, call: MakeCall, style: str, prompt: str
    ) -> None:
        image = opened((await picture(provider, call(), prompt, style)).data)
        assert label_pixels(image) == label_pixels(label_alone())

    def test_anime_looks_different(self) -> None:
        """Flat bright colours against haze: the middle of the picture is far lighter on the average."""
        prompts = ["a red fox", "a blue fox", "a house", "the sea"]
        brightness = {
            style: [mean_saturated_light(placeholder(prompt, style, (1024, 1024))) for prompt in prompts]
            for style in ("none", "anime")
        }
        assert min(brightness["anime"]) > max(brightness["none"])

    def test_prompts_give_visibly_different_pictures(self) -> None:
        small = [
            placeholder(prompt, "none", (1024, 1024)).resize((8, 8)).tobytes()
            for prompt in ("a red fox", "a blue fox", "a house", "the sea")
        ]
        for first, second in combinations(small, 2):
            assert sum(abs(a - b) for a, b in zip(first, second, strict=True)) / len(first) > 4


class TestCaption:
    @pytest.mark.parametrize(
        ("prompt", "text"),
        [
            ("a red fox", "a red fox"),
            ("Café  Zoë\n\tAu lait", "Cafe Zoe Au lait"),
            ("a fox 🦊 in Tokyo 東京", "a fox … in Tokyo …"),
            ("夜晚的东京", "(a prompt in another script)"),
            ("\u202eabc\u200b", "abc"),
        ],
    )
    def test_keeps_what_the_font_has(self, prompt: str, text: str) -> None:
        assert drawable(prompt) == text

    @pytest.mark.parametrize("text", ["w" * 3000, "some words " * 300, "word " + "w" * 500, "short", ""])
    def test_fits_the_width_in_three_lines(self, text: str) -> None:
        font = ImageFont.load_default(32)
        lines = wrapped(text, font, 600)
        assert len(lines) <= 3
        assert all(font.getlength(line) <= 600 for line in lines)
        assert all(line.strip() for line in lines)

    def test_marks_what_is_cut_off(self) -> None:
        lines = wrapped("some words " * 300, ImageFont.load_default(32), 600)
        assert lines[-1].endswith("…")
        assert not wrapped("some words", ImageFont.load_default(32), 600)[-1].endswith("…")


def label_alone() -> Image.Image:
    image = Image.new("RGB", (1024, 1024))
    font = ImageFont.load_default(1024 // 32 * 0.8)
    ImageDraw.Draw(image).text((64, 64), " ".join(LABEL), fill=(255, 214, 130), font=font)
    return image


def label_pixels(image: Image.Image) -> int:
    """How many pixels are fully of the label's colour, where the label stands or may stand."""
    exact = [
        channel.point(lambda level, wanted=wanted: 255 * (level == wanted))
        for channel, wanted in zip(image.split(), (255, 214, 130), strict=True)
    ]
    white = Image.new("L", image.size, 255)
    nothing = Image.new("L", image.size)
    both = Image.composite(Image.composite(white, nothing, exact[1]), nothing, exact[0])
    return Image.composite(both, nothing, exact[2]).histogram()[255]


def mean_saturated_light(image: Image.Image) -> float:
    """The mean value (of hue, saturation, value) above the caption."""
    value = image.crop((0, 0, 1024, 768)).convert("HSV").getchannel("V").resize((1, 1), Image.Resampling.BOX)
    return float(value.tobytes()[0])
