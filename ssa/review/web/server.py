"""The page's server on this machine: its address, and how it is run."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass

import uvicorn

from ssa.errors import InputError
from ssa.review.web.answers import Answers
from ssa.review.web.app import app_of

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, eq=False)
class PageServer:
    """A server that takes connections already, and answers them once it runs; ``url`` has its token."""

    url: str
    server: uvicorn.Server
    listening: socket.socket

    def run(self) -> None:
        """Serve until somebody stops it: Ctrl-C, or ``stop`` from another thread."""
        with self.listening:
            self.server.run(sockets=[self.listening])

    def stop(self) -> None:
        """Have ``run`` come back."""
        self.server.should_exit = True


def server_of(answers: Answers, port: int = 0) -> PageServer:
    """A server on this machine alone; port 0 is a free one. Raises ``InputError`` for one that is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise InputError(
            f"expected a free --port; got {port}: {error.strerror}; leave it out for a free one"
        ) from error
    token, host = secrets.token_urlsafe(24), f"{HOST}:{listening.getsockname()[1]}"
    config = uvicorn.Config(
        app_of(answers, token, host),
        log_config=None,
        access_log=False,  # it would have the token in each line
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    return PageServer(f"http://{host}/{token}/", uvicorn.Server(config), listening)
