"""A server under load, run as `aiops serve` runs its own: `python -m tests.benchmarks.serve bare|service|embedded FD`.

It loads one of the modules and no more, so that the memory of the bare route is that of a bare route.
"""

import socket
import sys

import uvicorn

STOP_SECONDS = 5
OURS = "aiops.http_server:HttpProtocol"
HTTP = {"bare": "h11", "service": OURS, "embedded": OURS}


def main(module: str, descriptor: int) -> None:
    config = uvicorn.Config(
        f"tests.benchmarks.{module}:create",
        factory=True,
        http=HTTP[module],
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
