"""What the embedded provider says of itself, and how light its start is."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from aiops.providers import base
from aiops.providers.embedded import provider as provider_module
from aiops.providers.embedded.provider import EmbeddedProvider


def test_it_is_a_provider_of_all_three(provider: EmbeddedProvider) -> None:
    typed: base.Provider = provider
    assert (typed.name, typed.paid) == ("embedded", False)
    assert isinstance(provider, base.ImageProvider)
    assert isinstance(provider, base.SpeechProvider)
    assert isinstance(provider, base.TranscriptionProvider)


@pytest.mark.parametrize(
    ("operation_id", "served"),
    [("generate_image", True), ("generate_speech", True), ("transcribe_audio", True), ("create_summary", False)],
)
def test_it_serves_every_model_of_the_three(provider: EmbeddedProvider, operation_id: str, served: bool) -> None:
    assert provider.serves(operation_id, "whatever/model") is served


class TestUnsupported:
    @pytest.mark.parametrize("language", ["es", "fr", "de", "it", "ja", "zh"])
    def test_other_languages_are_refused_with_what_to_do(self, provider: EmbeddedProvider, language: str) -> None:
        refusal = provider.unsupported("transcribe_audio", SimpleNamespace(language=language))
        assert refusal is not None
        assert refusal.field == "language"
        assert refusal.message.startswith(f"Only English is transcribed here, not '{language}'")
        assert "language 'en'" in refusal.message

    def test_english_is_taken(self, provider: EmbeddedProvider) -> None:
        assert provider.unsupported("transcribe_audio", SimpleNamespace(language="en")) is None

    def test_the_others_are_taken(self, provider: EmbeddedProvider) -> None:
        assert provider.unsupported("generate_image", SimpleNamespace(prompt="x")) is None
        assert provider.unsupported("generate_speech", SimpleNamespace(text="x")) is None


class TestNotice:
    def test_without_flite_it_says_in_one_line_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        notice = EmbeddedProvider().notice()
        assert notice is not None
        assert "apt install flite" in notice
        assert "\n" not in notice

    @pytest.mark.flite
    def test_with_flite_there_is_nothing_to_say(self, provider: EmbeddedProvider) -> None:
        assert provider.notice() is None


def test_the_server_loads_no_engine() -> None:
    """The codecs, the recogniser and the GPL library stay in the child process."""
    engines = {"av", "pocketsphinx", "espeakng_loader", "ctypes", "PIL"}
    assert loaded_with("aiops.providers.embedded.provider") & engines == set()


def test_the_child_loads_nothing_of_the_server() -> None:
    """One is started for each call: what it loads, every call waits for, and a hostile file has so much less memory."""
    servers = {"httpx", "pydantic", "sqlalchemy", "structlog"}
    assert loaded_with("aiops.providers.embedded.child") & servers == set()


def loaded_with(module: str) -> set[str]:
    """All modules that a new interpreter has once it has imported this one."""
    source = str(Path(provider_module.__file__).parents[3])
    program = f"import sys, {module}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": source}, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())
