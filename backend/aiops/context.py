"""What an endpoint is given beside its parameters."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from aiops.accounts.authentication import Caller
from aiops.runtime import Runtime


@dataclass(frozen=True, slots=True)
class CallContext:
    """One call to a free operation. `request` for what the document does not describe, such as If-None-Match."""

    runtime: Runtime
    request: Request

    @property
    def caller(self) -> Caller:
        """Whose key came with the call; only of operations that ask for one."""
        caller: Caller = self.request.state.caller
        return caller

    @property
    def headers(self) -> dict[str, str]:
        """Sent with the answer, whatever that is."""
        headers: dict[str, str] = self.request.state.headers
        return headers


def _call_context(request: Request) -> CallContext:
    return CallContext(request.app.state.runtime, request)


Context = Annotated[CallContext, Depends(_call_context)]
