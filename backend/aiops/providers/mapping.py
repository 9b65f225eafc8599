"""What the models, styles, voices and aspect ratios of the contract are to each provider, what they cost there, and
under which licence a model stands.

docs/providers.md has the same tables; `tests/providers/test_mapping.py` holds one against the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SCHNELL = "black-forest-labs/FLUX.1-schnell"
DEV = "black-forest-labs/FLUX.1-dev"
PRO = "fal-ai/flux-pro"
VIBEVOICE = "vibevoice"
PARLER = "parler-tts/parler-tts-mini-v1"
DISTIL = "distil-whisper/distil-large-v3"
WHISPER = "openai/whisper-large-v3"
SEAMLESS = "meta-llama/seamless-m4t-v2-large"

OPERATION_OF = {
    SCHNELL: "generate_image",
    DEV: "generate_image",
    PRO: "generate_image",
    VIBEVOICE: "generate_speech",
    PARLER: "generate_speech",
    DISTIL: "transcribe_audio",
    WHISPER: "transcribe_audio",
    SEAMLESS: "transcribe_audio",
}


@dataclass(frozen=True, slots=True)
class Licence:
    """Under which terms a model's weights stand, and whether what they make may be sold by whoever runs them."""

    name: str
    may_be_sold: bool
    note: str = ""


HOSTED_ONLY = "the provider's terms"

LICENCES: Mapping[str, Licence] = {
    SCHNELL: Licence("Apache-2.0", may_be_sold=True),
    DEV: Licence(
        "FLUX.1 [dev] Non-Commercial License",
        may_be_sold=False,
        note="sell it only through a provider whose contract with you allows that",
    ),
    PRO: Licence(HOSTED_ONLY, may_be_sold=True, note="no weights are published"),
    VIBEVOICE: Licence("MIT", may_be_sold=True, note="tell listeners that the voice is synthetic"),
    PARLER: Licence("Apache-2.0", may_be_sold=True),
    DISTIL: Licence("MIT", may_be_sold=True),
    WHISPER: Licence("Apache-2.0", may_be_sold=True),
    SEAMLESS: Licence("CC-BY-NC-4.0", may_be_sold=False, note="no commercial use at all"),
}


@dataclass(frozen=True, slots=True)
class Size:
    """Of an image, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


# FLUX takes multiples of 16 and is best at about a megapixel.
FLUX_SIZES: Mapping[str, Size] = {
    "1:1": Size(1024, 1024),
    "16:9": Size(1344, 768),
    "9:16": Size(768, 1344),
    "4:3": Size(1152, 896),
    "3:4": Size(896, 1152),
}
# OpenAI's own models know three sizes each: the nearest one, cut nowhere.
GPT_IMAGE_SIZES: Mapping[str, Size] = {
    "1:1": Size(1024, 1024),
    "16:9": Size(1536, 1024),
    "9:16": Size(1024, 1536),
    "4:3": Size(1536, 1024),
    "3:4": Size(1024, 1536),
}
DALL_E_3_SIZES: Mapping[str, Size] = {
    "1:1": Size(1024, 1024),
    "16:9": Size(1792, 1024),
    "9:16": Size(1024, 1792),
    "4:3": Size(1792, 1024),
    "3:4": Size(1024, 1792),
}

# No model has a switch for it: the style is asked for in the prompt.
STYLES: Mapping[str, str] = {
    "none": "{prompt}",
    "anime": "Anime illustration, in the style of a Japanese animated film. {prompt}",
}


def styled(prompt: str, style: str) -> str:
    """What is sent as the prompt; whatever braces the caller wrote are left as they are."""
    return STYLES[style].replace("{prompt}", prompt)


@dataclass(frozen=True, slots=True)
class Hosted:
    """A model at a provider: the id that is sent, and what the provider asks for it, to the best of our knowledge."""

    id: str
    price: str


FAL_MODELS: Mapping[str, Hosted] = {
    SCHNELL: Hosted("fal-ai/flux/schnell", "$0.003 a megapixel"),
    DEV: Hosted("fal-ai/flux/dev", "$0.025 a megapixel"),
    PRO: Hosted("fal-ai/flux-pro/v1.1", "$0.04 a megapixel"),
    VIBEVOICE: Hosted("fal-ai/vibevoice", "$0.04 a minute, by 15 seconds"),
    WHISPER: Hosted("fal-ai/whisper", "by compute second"),
}
FAL_VOICES: Mapping[str, str] = {
    "en-Carter_man": "Carter [EN]",
    "en-Emily_woman": "Alice [EN]",
    "en-James_man": "Frank [EN]",
    "en-Sarah_woman": "Maya [EN]",
}

HUGGINGFACE_MODELS: Mapping[str, Hosted] = {
    SCHNELL: Hosted("black-forest-labs/FLUX.1-schnell", "as its inference provider asks"),
    DEV: Hosted("black-forest-labs/FLUX.1-dev", "as its inference provider asks"),
    WHISPER: Hosted("openai/whisper-large-v3", "as its inference provider asks"),
}

HOSTED: Mapping[str, Mapping[str, Hosted]] = {"fal": FAL_MODELS, "huggingface": HUGGINGFACE_MODELS}

# What OpenAI has, and what servers that follow it know as well; AIOPS_OPENAI_VOICES names others.
OPENAI_VOICES: Mapping[str, str] = {
    "en-Carter_man": "echo",
    "en-Emily_woman": "nova",
    "en-James_man": "onyx",
    "en-Sarah_woman": "shimmer",
}


def price_of(provider: str, model: str) -> str:
    """What a provider asks for a model, in words."""
    hosted = HOSTED.get(provider, {}).get(model)
    return "as its server asks" if hosted is None else hosted.price


def openai_sizes(model: str) -> Mapping[str, Size]:
    """The sizes of a model of an OpenAI-compatible server, told by its name there."""
    if model.startswith(GPT_IMAGE):
        return GPT_IMAGE_SIZES
    return DALL_E_3_SIZES if model.startswith("dall-e-3") else FLUX_SIZES


# These always answer in base64, and refuse to be asked to.
GPT_IMAGE = ("gpt-image", "chatgpt-image")
