"""The page's server on this machine: its address, and how it is run."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable

import uvicorn

from ssa.errors import InputError
from ssa.review.web.answers import Answers
from ssa.review.web.app import app_of

HOST = "127.0.0.1"


def serve(answers: Answers, port: int, ready: Callable[[str], None]) -> None:
    """Serve until somebody stops it; ``ready`` gets the address, once connections are taken.

    Port 0 is a free one. Raises ``InputError`` for one that is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError as error:
            raise InputError(
                f"expected a free --port; got {port}: {error.strerror}; leave it out for a free one"
            ) from error
        listening.listen()
        token, host = secrets.token_urlsafe(24), f"{HOST}:{listening.getsockname()[1]}"
        # No access log: it would have the token in each line.
        config = uvicorn.Config(
            app_of(answers, token, host),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        ready(f"http://{host}/{token}/")
        uvicorn.Server(config).run(sockets=[listening])
