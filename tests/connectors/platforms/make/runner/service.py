"""The service that apps talk to in these tests: it answers what a test says, and keeps what it was sent."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """`expects` is the request line it is for, such as `GET /jobs?limit=2`; another one ends the test."""

    expects: str
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Service:
    """Answers in the order given; anything else it is asked is a mistake, told at the end of the test."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    def will_answer(self, *answers: Answer) -> None:
        self.answers.extend(answers)

    def answer(self, request: Received) -> Answer:
        self.received.append(request)
        line = f"{request.method} {request.target}"
        if not self.answers or self.answers[0].expects != line:
            wanted = self.answers[0].expects if self.answers else "nothing"
            self.mistakes.append(f"was asked {line}, and expected {wanted}")
            return Answer(line, {"mistake": line}, status=418)
        return self.answers.pop(0)

    def verify(self) -> None:
        assert self.mistakes == []
        assert self.answers == [], "was not asked for these"


@contextmanager
def running() -> Iterator[Service]:
    service = Service()
    with serving(service):
        yield service


@contextmanager
def serving(service: Service, encrypted: ssl.SSLContext | None = None) -> Iterator[None]:
    """A service, reachable at its `url` from then on."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet: two would wait for each other

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = service.answer(Received(self.command, self.path, headers, body))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.content_type:
                self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 names that the handler looks for

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    if encrypted is not None:
        server.socket = encrypted.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    service.url = f"{'http' if encrypted is None else 'https'}://{HOST}:{server.server_address[1]}"
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
