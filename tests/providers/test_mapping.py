"""One file says what our words are to each provider; docs/providers.md says the same."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from aiops.contract.document import api_document
from aiops.providers import mapping
from aiops.providers.credentials import ProviderSettings
from aiops.providers.fal import FalSettings
from aiops.providers.huggingface import HuggingFaceSettings
from aiops.providers.mapping import (
    DALL_E_3_SIZES,
    FAL_MODELS,
    FAL_VOICES,
    FLUX_SIZES,
    GPT_IMAGE_SIZES,
    HUGGINGFACE_MODELS,
    LICENCES,
    OPENAI_VOICES,
    OPERATION_OF,
    STYLES,
    openai_sizes,
    styled,
)
from aiops.providers.openai_compatible import OpenAISettings

PAGE = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")
DOCUMENT = api_document()
SETTINGS: tuple[type[ProviderSettings], ...] = (FalSettings, HuggingFaceSettings, OpenAISettings)


def choices(operation_id: str, name: str) -> list[str]:
    return [one.value for one in DOCUMENT.choices(DOCUMENT.operations[operation_id], name)]


def rows(cells: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def code(text: str) -> str:
    return f"`{text}`"


def test_every_model_of_the_contract_has_an_operation_and_a_licence() -> None:
    models = {one: operation for operation in set(OPERATION_OF.values()) for one in choices(operation, "model")}
    assert models == OPERATION_OF
    assert LICENCES.keys() == OPERATION_OF.keys()
    assert {model for model, licence in LICENCES.items() if not licence.may_be_sold} == {mapping.DEV, mapping.SEAMLESS}


@pytest.mark.parametrize("sizes", [FLUX_SIZES, GPT_IMAGE_SIZES, DALL_E_3_SIZES], ids=["FLUX", "gpt-image", "dall-e-3"])
def test_every_aspect_ratio_has_a_size(sizes: dict[str, mapping.Size]) -> None:
    assert list(sizes) == choices("generate_image", "aspect_ratio")
    for ratio, size in sizes.items():
        width, height = map(int, ratio.split(":"))
        assert (size.width > size.height) == (width > height)
        assert (size.width < size.height) == (width < height)


def test_sizes_for_flux_are_what_it_draws_best() -> None:
    for ratio, size in FLUX_SIZES.items():
        width, height = map(int, ratio.split(":"))
        assert (size.width % 32, size.height % 32) == (0, 0)
        assert 0.9e6 < size.width * size.height < 1.1e6
        assert size.width / size.height == pytest.approx(width / height, rel=0.05)


def test_every_voice_and_style_is_known() -> None:
    assert list(FAL_VOICES) == list(OPENAI_VOICES) == choices("generate_speech", "voice")
    assert len(set(FAL_VOICES.values())) == len(set(OPENAI_VOICES.values())) == len(OPENAI_VOICES)
    assert list(STYLES) == choices("generate_image", "style")


def test_a_prompt_is_sent_as_it_was_written() -> None:
    assert styled("a {prompt} {0} %s", "none") == "a {prompt} {0} %s"


def test_the_page_has_the_models() -> None:
    """One table for what is sent, one for the terms of each model."""
    sent = rows(
        (
            code(model),
            code(FAL_MODELS[model].id) if model in FAL_MODELS else "",
            FAL_MODELS[model].price if model in FAL_MODELS else "",
            code(HUGGINGFACE_MODELS[model].id) if model in HUGGINGFACE_MODELS else "",
        )
        for model in OPERATION_OF
    )
    assert sent in PAGE
    terms = rows(
        (code(model), one.name, "yes" if one.may_be_sold else "**no**", one.note) for model, one in LICENCES.items()
    )
    assert terms in PAGE


def test_the_page_has_the_aspect_ratios() -> None:
    assert (
        rows(
            (ratio, str(FLUX_SIZES[ratio]), str(GPT_IMAGE_SIZES[ratio]), str(DALL_E_3_SIZES[ratio]))
            for ratio in FLUX_SIZES
        )
        in PAGE
    )
    assert openai_sizes("gpt-image-1") is openai_sizes("chatgpt-image-latest") is GPT_IMAGE_SIZES
    assert (openai_sizes("dall-e-3"), openai_sizes("flux.1-dev")) == (DALL_E_3_SIZES, FLUX_SIZES)


def test_the_page_has_the_voices_and_styles() -> None:
    assert rows((code(one), code(FAL_VOICES[one]), code(OPENAI_VOICES[one])) for one in FAL_VOICES) in PAGE
    assert rows((code(style), code(template)) for style, template in STYLES.items()) in PAGE


def test_the_page_has_every_setting_of_every_provider() -> None:
    variables = {str(field.validation_alias) for one in SETTINGS for field in one.model_fields.values()}
    described = {
        line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `") and line.split("`")[1].isupper()
    }
    assert described == variables
