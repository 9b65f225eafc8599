"""Which providers there are is one line of settings: read once, and refused at the start where it cannot be used."""

from pathlib import Path

import pytest

from aiops import providers
from aiops.app import create_runtime, provider_tools
from aiops.providers.loading import load_providers
from aiops.settings import Settings
from tests.fixtures.adapters import FAL_KEY, HF_TOKEN, OPENAI_KEY, set_variables
from tests.fixtures.command import Run, refused
from tests.fixtures.service import IMAGE, running_service

FAL = {"FAL_KEY": FAL_KEY}
OPENAI = {"OPENAI_API_KEY": OPENAI_KEY, "AIOPS_OPENAI_MODELS": "vibevoice=tts-1"}
PENCIL = '''
"""Draws the same square each time."""

import base64

from aiops.providers.base import Media

SQUARE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def create(tools):
    return Pencil()


class Pencil:
    name = "pencil"
    paid = False
    operations = frozenset({"generate_image"})

    def serves(self, operation_id, model):
        return operation_id == "generate_image"

    def unsupported(self, operation_id, request):
        return None

    async def generate_image(self, prompt, style, aspect_ratio, model, call):
        return Media(base64.b64decode(SQUARE), "image/png", "pencil-hb")
'''


async def test_a_provider_is_one_file_and_one_line_of_settings(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pencil.py").write_text(PENCIL)
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])
    settings = Settings(data_dir=tmp_path, database_url=database_url, providers="pencil")
    found = load_providers(settings.providers, provider_tools(settings))
    async with running_service(tmp_path, database_url, found) as service:
        ada = await service.customer(credits=100)
        answer = (await ada.client.post(IMAGE, json={"prompt": "x"})).json()
        assert (answer["provider"], answer["model"], answer["credits_remaining"]) == ("pencil", "pencil-hb", 95)
        services = (await ada.client.get("/api/services")).json()["data"]
        listed = {one["id"]: {model["provider"] for model in one["models"]} for one in services}
        assert listed == {
            "generate_image": {"pencil"},
            "generate_speech": {"embedded"},
            "transcribe_audio": {"embedded"},
        }


def test_a_provider_may_come_from_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "studio").mkdir()
    (tmp_path / "studio" / "pencil.py").write_text(PENCIL)
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = Settings(data_dir=tmp_path)
    assert [one.name for one in load_providers(["studio.pencil"], provider_tools(settings))] == ["pencil"]


REFUSED = [
    (
        "nobody",
        {},
        "AIOPS_PROVIDERS names nobody, which is no provider. There are fal, huggingface, openai_compatible.",
    ),
    ("no.such.module", {}, "AIOPS_PROVIDERS names no.such.module, which is no provider."),
    ("aiops.providers.base", {}, "has no function create(tools)"),
    ("fal,fal", FAL, "AIOPS_PROVIDERS names a provider twice"),
    ("fal", {}, "The provider fal (AIOPS_PROVIDERS) cannot be used: FAL_KEY is not set."),
    ("fal", {"FAL_KEY": ""}, "FAL_KEY is not set."),
    ("fal", {"FAL_KEY": "two words"}, "FAL_KEY: It has white space or characters that no key has."),
    ("fal", {"FAL_KEY": "schlüssel"}, "FAL_KEY: It has white space or characters that no key has."),
    ("fal", {**FAL, "AIOPS_FAL_QUEUE_URL": "queue.fal.run"}, "AIOPS_FAL_QUEUE_URL: Write it as https://host/path"),
    ("huggingface", {}, "HF_TOKEN is not set."),
    ("huggingface", {"HF_TOKEN": "sk-123"}, "HF_TOKEN is no token of Hugging Face, which begins with hf_."),
    ("openai_compatible", {"OPENAI_API_KEY": OPENAI_KEY}, "AIOPS_OPENAI_MODELS is not set."),
    ("openai_compatible", {"AIOPS_OPENAI_MODELS": "vibevoice"}, "set OPENAI_API_KEY, or OPENAI_BASE_URL"),
    (
        "openai_compatible",
        {**OPENAI, "OPENAI_BASE_URL": "ftp://host"},
        "OPENAI_BASE_URL: Write it as https://host/path",
    ),
    ("openai_compatible", {**OPENAI, "OPENAI_BASE_URL": "https://a:b@host"}, "OPENAI_BASE_URL: Write it as"),
    ("openai_compatible", {**OPENAI, "OPENAI_BASE_URL": "https://host:port"}, "OPENAI_BASE_URL: Write it as"),
    ("openai_compatible", {**OPENAI, "OPENAI_BASE_URL": "https://host:0"}, "OPENAI_BASE_URL: Write it as"),
    ("openai_compatible", {**OPENAI, "OPENAI_BASE_URL": "https://host:65536"}, "OPENAI_BASE_URL: Write it as"),
    ("openai_compatible", {**OPENAI, "OPENAI_BASE_URL": "http://local host/v1"}, "OPENAI_BASE_URL: Write it as"),
    ("openai_compatible", {**OPENAI, "OPENAI_BASE_URL": "http://127.1:8080"}, "OPENAI_BASE_URL: Write it as"),
    ("fal", {**FAL, "AIOPS_FAL_QUEUE_URL": "https://queue..run"}, "AIOPS_FAL_QUEUE_URL: Write it as"),
    ("fal", {**FAL, "AIOPS_FAL_QUEUE_URL": "https://queue/?a=b"}, "AIOPS_FAL_QUEUE_URL: Write it as"),
    ("fal", {**FAL, "AIOPS_FAL_STORAGE_URL": "https://rest/#a"}, "AIOPS_FAL_STORAGE_URL: Write it as"),
    (
        "openai_compatible",
        {**OPENAI, "AIOPS_OPENAI_MODELS": "tts-1"},
        "it names tts-1; the models are black-forest-labs",
    ),
    ("openai_compatible", {**OPENAI, "AIOPS_OPENAI_MODELS": ","}, "AIOPS_OPENAI_MODELS: it names none; the models are"),
    ("openai_compatible", {**OPENAI, "AIOPS_OPENAI_VOICES": "Bob=x"}, "it names Bob; the voices are en-Carter_man"),
]


@pytest.mark.parametrize(("names", "variables", "sentence"), REFUSED, ids=lambda value: str(value)[:60])
def test_what_cannot_be_used_is_refused_in_one_line(
    names: str, variables: dict[str, str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, **variables)
    settings = Settings(data_dir=tmp_path, providers=names)
    with pytest.raises(ValueError, match="AIOPS_PROVIDERS") as refusal:
        create_runtime(settings)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    for secret in {value for name, value in variables.items() if name.endswith(("KEY", "TOKEN")) and value}:
        assert secret not in str(refusal.value)


def test_a_server_does_not_start_with_a_setting_that_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch)
    assert "FAL_KEY is not set" in refused(run("serve", providers="fal"))


@pytest.mark.parametrize(
    ("name", "variables", "models"),
    [
        ("fal", FAL, 5),
        ("huggingface", {"HF_TOKEN": HF_TOKEN}, 3),
        ("openai_compatible", OPENAI, 1),
        (
            "openai_compatible",
            {
                "OPENAI_BASE_URL": "http://127.0.0.1:8080/v1/",
                "AIOPS_OPENAI_MODELS": "vibevoice, fal-ai/flux-pro = flux",
            },
            2,
        ),
    ],
)
def test_what_is_set_is_served(
    name: str, variables: dict[str, str], models: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, **variables)
    runtime = create_runtime(Settings(data_dir=tmp_path, providers=name))
    document = runtime.document
    served = [
        model.value
        for operation in document.operations.values()
        if operation.is_service
        for model in document.choices(operation, "model")
        if runtime.providers.candidates(operation.id, model.value) and not runtime.providers.stands_in(operation.id)
    ]
    assert len(served) == models
