from typing import Any

import pytest

from aiops.providers.registry import ProviderRegistry
from tests.fixtures.service import Service


async def listed(service: Service) -> dict[str, dict[str, Any]]:
    ada = await service.customer()
    answer = await ada.client.get("/api/services")
    assert answer.status_code == 200
    return {one["id"]: one for one in answer.json()["data"]}


async def test_the_services_are_listed_with_what_they_cost_and_where_they_are(sqlite_service: Service) -> None:
    services = await listed(sqlite_service)
    assert {name: (one["method"], one["path"], one["credits"]) for name, one in services.items()} == {
        "generate_image": ("POST", "/api/services/image_gen", 5),
        "generate_speech": ("POST", "/api/services/tts", 2),
        "transcribe_audio": ("POST", "/api/services/transcribe", 3),
    }
    assert all(one["name"] for one in services.values())


async def test_models_and_voices_are_listed_with_one_default_each(sqlite_service: Service) -> None:
    services = await listed(sqlite_service)
    ids = {name: [model["id"] for model in one["models"]] for name, one in services.items()}
    assert ids == {
        "generate_image": [
            "black-forest-labs/FLUX.1-schnell",
            "black-forest-labs/FLUX.1-dev",
            "fal-ai/flux-pro",
        ],
        "generate_speech": ["vibevoice", "parler-tts/parler-tts-mini-v1"],
        "transcribe_audio": [
            "distil-whisper/distil-large-v3",
            "openai/whisper-large-v3",
            "meta-llama/seamless-m4t-v2-large",
        ],
    }
    defaults = {name: [one["id"] for one in service["models"] if one["default"]] for name, service in services.items()}
    assert defaults == {name: models[:1] for name, models in ids.items()}
    voices = services["generate_speech"]["voices"]
    assert [one["id"] for one in voices] == ["en-Carter_man", "en-Emily_woman", "en-James_man", "en-Sarah_woman"]
    assert [one["default"] for one in voices] == [True, False, False, False]
    assert all(one["name"] and one["description"] for one in voices)
    assert services["generate_image"]["voices"] == services["transcribe_audio"]["voices"] == []


async def test_a_model_is_live_where_a_provider_serves_it(sqlite_service: Service) -> None:
    sqlite_service.provider.models = frozenset({"vibevoice", "fal-ai/flux-pro"})
    services = await listed(sqlite_service)
    live = {model["id"]: model["provider"] for one in services.values() for model in one["models"] if model["live"]}
    dead = [model for one in services.values() for model in one["models"] if not model["live"]]
    assert live == {"vibevoice": "stub", "fal-ai/flux-pro": "stub"}
    assert len(dead) == 6
    assert all(model["provider"] is None for model in dead)


async def test_what_is_listed_as_live_is_what_can_be_called(sqlite_service: Service) -> None:
    sqlite_service.provider.models = frozenset({"fal-ai/flux-pro"})
    ada = await sqlite_service.customer("bob@example.com")
    for model in (await listed(sqlite_service))["generate_image"]["models"]:
        answer = await ada.client.post("/api/services/image_gen", json={"prompt": "x", "model": model["id"]})
        assert answer.status_code == (200 if model["live"] else 503)


async def test_the_embedded_provider_serves_all_where_no_other_is_configured(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry: ProviderRegistry = sqlite_service.runtime.providers
    monkeypatch.setattr(registry, "_providers", ())
    services = await listed(sqlite_service)
    providers = {model["provider"] for one in services.values() for model in one["models"]}
    assert providers == {"embedded"}
