"""How connections are served: uvicorn's HTTP/1.1, within bounds of time, size and number.

uvicorn gives a caller who has gone silent for ever, discards a body of any size after it has answered, and refuses in
plain text. Here whoever keeps a connection waiting has a deadline for what is theirs to do, and each refusal is an
error of the contract.
"""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from enum import Enum, auto
from typing import Any

import h11
import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from aiops import metrics
from aiops.errors import ApiError, MalformedRequestError, ServerBusyError
from aiops.middleware import SECURITY_HEADERS, UNKNOWN_OPERATION, new_request_id

log = structlog.get_logger()

CONNECTIONS_MAX = 800  # with the files and connections of its own, less than the 1,024 a process usually may have open
HEAD_BYTES_MAX = 16_384
HEADERS_MAX = 100
QUERY_PARAMETERS_MAX = 100
REST_BYTES_MAX = 1_048_576

HEAD_SECONDS_MAX = 10.0
REST_SECONDS_MAX = 5.0
WRITE_SECONDS_MAX = 60.0

BUSY_RETRY_SECONDS = 5
AT_ONCE = struct.pack("ii", 1, 0)
NOT_HTTP = "This is not a valid HTTP/1.1 request."
HEAD_TOO_LONG = f"The head of the request is longer than {HEAD_BYTES_MAX:,} bytes."


def server_config(app: Any, *, stop_seconds: int, **options: Any) -> uvicorn.Config:
    """What every server of ours is run with; `options` are uvicorn's."""
    return uvicorn.Config(
        app,
        http=HttpProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=stop_seconds,
        **options,
    )


class ServerBeside(uvicorn.Server):
    """A server beside other work, which hears by itself that it is to stop."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    @asynccontextmanager
    async def serving(self, listener: socket.socket) -> AsyncIterator[None]:
        """Answers what arrives at a socket, for the time of the `with`."""
        task = asyncio.create_task(self.serve(sockets=[listener]))
        task.add_done_callback(_note_failure)
        try:
            yield
        finally:
            self.should_exit = True
            await task


def _note_failure(task: asyncio.Task[None]) -> None:
    """At once: whoever awaits the server does so when all else has ended."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("server_failed", exc_info=error)


class Phase(Enum):
    """Where a connection is. In all but the second it is the caller's turn."""

    HEAD = auto()  # a request is awaited
    CALL = auto()  # it is being answered
    REST = auto()  # it was answered before its body had arrived
    REFUSED = auto()  # what was sent is not taken for HTTP; the connection is about to end


class HttpProtocol(H11Protocol):
    """One connection.

    The time for a body is bounded where it is read, in `contract/router.py` and `uploads/receiving.py`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = self.parser = _Parser()
        self.phase: Phase | None = None
        self.phase_began = 0.0
        self.rest_bytes = 0
        self.deadline: asyncio.TimerHandle | None = None
        self.write_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # so that `pause_writing` tells of every answer that is not taken
        self._enter(Phase.HEAD)
        if len(self.connections) > CONNECTIONS_MAX:
            self._make_room()

    def shutdown(self) -> None:
        """What uvicorn calls when the server is to stop. A call that has not arrived whole is not waited for."""
        if self.phase is Phase.REFUSED:
            self.transport.abort()
        elif self.phase is Phase.CALL and self.conn.their_state is h11.SEND_BODY:
            self._refuse(ServerBusyError(BUSY_RETRY_SECONDS))
        else:
            super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self.deadline, self.write_deadline):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self.phase in (Phase.REST, Phase.REFUSED):
            self.rest_bytes += len(data)
            if self.rest_bytes > REST_BYTES_MAX:
                self.transport.abort()
                return
        if self.phase is not Phase.REFUSED:
            super().data_received(data)
            self._follow()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._follow()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.write_deadline = self.loop.call_later(WRITE_SECONDS_MAX, self._reset)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.write_deadline is not None:
            self.write_deadline.cancel()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls when the parser refuses; `msg` says less than the parser does."""
        self._refuse(MalformedRequestError(self.parser.refusal or msg))

    def _should_upgrade(self) -> bool:
        """No other protocol is spoken here; without this, each who asks for one is a warning in the log."""
        return False

    @property
    def waits_for_caller(self) -> bool:
        return self.phase is not Phase.CALL or self.flow.write_paused or self.conn.their_state is h11.SEND_BODY

    def _follow(self) -> None:
        """Notes where the connection is after something has happened on it."""
        if self.phase is Phase.REFUSED or self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._enter(Phase.CALL)
        elif self.conn.their_state is h11.SEND_BODY:
            self._enter(Phase.REST)
        else:
            self._enter(Phase.HEAD)

    def _enter(self, phase: Phase) -> None:
        if phase is self.phase:
            return
        self.phase, self.phase_began, self.rest_bytes = phase, self.loop.time(), 0
        if self.deadline is not None:
            self.deadline.cancel()
        if phase is Phase.HEAD:
            self.deadline = self.loop.call_later(HEAD_SECONDS_MAX, self._end_head)
        elif phase is not Phase.CALL:
            self.deadline = self.loop.call_later(REST_SECONDS_MAX, self.transport.abort)

    def _end_head(self) -> None:
        """Nothing is said to a caller who has said nothing."""
        if self.conn.trailing_data[0]:
            self._refuse(MalformedRequestError("The request did not arrive in time."))
        else:
            self.transport.close()

    def _reset(self) -> None:
        """Ends a connection whose caller does not read, with all that the system still keeps for it."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.transport.abort()

    def _make_room(self) -> None:
        """Ends the connection that has waited longest for its caller. Calls that are at work are never cut off."""
        waiting = [one for one in self.connections if isinstance(one, HttpProtocol) and one.waits_for_caller]
        waiting.remove(self)
        if not waiting:
            self._refuse(ServerBusyError(BUSY_RETRY_SECONDS))
            return
        longest = min(waiting, key=lambda one: one.phase_began)
        self.connections.discard(longest)
        longest.transport.abort()

    def _refuse(self, error: ApiError) -> None:
        """Answers what has become no call, and ends the connection: half of it at once, so that the answer arrives."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._unset_keepalive_if_required()
        self._enter(Phase.REFUSED)
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # another answer has begun
            return
        request_id = new_request_id()
        self.transport.write(_rendered(error, request_id))
        self.transport.write_eof()
        metrics.answered(UNKNOWN_OPERATION, error.status)
        log.info("refused", request_id=request_id, status=error.status, reason=str(error))


def _rendered(error: ApiError, request_id: str) -> bytes:
    """An error as the last answer of a connection."""
    body = json.dumps(error.body).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "X-Request-Id": request_id,
        **SECURITY_HEADERS,
        **error.headers,
    }
    answer = h11.Connection(h11.SERVER)
    response = h11.Response(
        status_code=error.status, reason=STATUS_PHRASES[error.status], headers=list(headers.items())
    )
    return b"".join(answer.send(event) or b"" for event in (response, h11.Data(data=body), h11.EndOfMessage()))


class _Parser(h11.Connection):
    """h11, and what it does not bound; `refusal` says why a request cannot be taken."""

    refusal: str | None = None

    def __init__(self) -> None:
        super().__init__(h11.SERVER, HEAD_BYTES_MAX)

    def send(self, event: h11.Event) -> bytes | None:  # type: ignore[override]
        """Whoever asked whether to send a body, and is answered instead, may or may not send it: no call can follow."""
        if isinstance(event, h11.Response) and self.they_are_waiting_for_100_continue:
            headers = [*event.headers, (b"connection", b"close")]
            event = h11.Response(status_code=event.status_code, reason=event.reason, headers=headers)
        return super().send(event)

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            is_too_long = error.error_status_hint == 431
            self.refusal = HEAD_TOO_LONG if is_too_long else NOT_HTTP
            raise
        if isinstance(event, h11.Request):
            self.refusal = _refusal(event)
            if self.refusal is not None:
                raise h11.RemoteProtocolError(self.refusal)
        return event


def _refusal(request: h11.Request) -> str | None:
    """Why the head of a request, which is valid by itself, is not taken."""
    headers = list(request.headers)
    names = {name for name, _ in headers}
    if request.http_version not in (b"1.0", b"1.1"):
        return NOT_HTTP
    size = len(request.method) + len(request.target) + sum(len(name) + len(value) for name, value in headers)
    if size > HEAD_BYTES_MAX:
        return HEAD_TOO_LONG
    if len(headers) > HEADERS_MAX:
        return f"The request has more than {HEADERS_MAX} headers."
    if request.target.partition(b"?")[2].count(b"&") >= QUERY_PARAMETERS_MAX:
        return f"The request has more than {QUERY_PARAMETERS_MAX} query parameters."
    if names >= {b"transfer-encoding", b"content-length"}:
        return "The request says in two ways how long its body is."
    return None
