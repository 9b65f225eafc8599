"""Which provider runs which model here."""

from collections.abc import Sequence
from typing import Any

from aiops.errors import ApiError, InvalidInputError, ModelUnavailableError
from aiops.providers.base import OPERATIONS, Provider


class ProviderRegistry:
    """`providers` in order of preference. `stand_in` serves the operations that none of them can: it is never a
    fallback, since whoever configured a real provider does not want a placeholder when that one is down."""

    def __init__(self, providers: Sequence[Provider], stand_in: Provider | None = None) -> None:
        self._providers = tuple(providers)
        self._stand_in = stand_in

    @property
    def named(self) -> tuple[Provider, ...]:
        """Those that the operator has named."""
        return self._providers

    def stands_in(self, operation_id: str) -> bool:
        """Whether an operation is left to the stand-in."""
        return self._configured(operation_id) == [self._stand_in]

    def candidates(self, operation_id: str, model: str) -> list[Provider]:
        """Who can run a model of an operation, the preferred one first."""
        return [provider for provider in self._configured(operation_id) if provider.serves(operation_id, model)]

    def refusal(self, operation_id: str, request: Any, models: Sequence[str]) -> ApiError | None:
        """Why a request cannot be run here, known before credits are held; None where it can, or needs no provider."""
        if operation_id not in OPERATIONS:
            return None
        candidates = self.candidates(operation_id, request.model)
        if not candidates:
            available = [model for model in models if self.candidates(operation_id, model)]
            return ModelUnavailableError(request.model, available)
        objections = [provider.unsupported(operation_id, request) for provider in candidates]
        if all(objections) and objections[0] is not None:
            return InvalidInputError([(objections[0].field, objections[0].message)])
        return None

    def _configured(self, operation_id: str) -> list[Provider]:
        real = [provider for provider in self._providers if operation_id in provider.operations]
        if real or self._stand_in is None or operation_id not in self._stand_in.operations:
            return real
        return [self._stand_in]
