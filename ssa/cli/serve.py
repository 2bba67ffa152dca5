"""Serves the model over HTTP in the real Cog runtime, with its schema, until it is told to stop."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path

from ssa.cli.cog_client import show_line
from ssa.cli.cog_server import CogServer, ServerError
from ssa.weights.places import MODEL_FOLDER

HELP = "Serve the model over HTTP on this machine, in the real Cog runtime."

GRACE_S = 300.0
"""How long a prediction in flight may take to finish when the server is told to stop."""

STOPPED = 130
"""The exit code after Ctrl-C, as shells have it."""


def serve(host: str = "127.0.0.1", port: int = 5000, folder: Path = MODEL_FOLDER) -> int:
    """Serve the predict.py in ``folder`` until Ctrl-C or SIGTERM; the exit code.

    What the predictor logs goes to standard error. A port that is taken and a setup that fails are one
    line and exit code 1. Told to stop, it lets a prediction in flight finish; told twice, it ends at once.
    """
    try:
        _check_port(host, port)
        with CogServer(
            folder, on_line=show_line, host=host, port=port, checks_inputs=True
        ) as server:
            signal.signal(signal.SIGTERM, _interrupt)
            try:
                return _served(server)
            except KeyboardInterrupt:
                _say("stopping; a prediction in flight is finished first, Ctrl-C again ends it")
                server.stop(GRACE_S)
                return STOPPED
    except (ServerError, OSError) as error:
        _say(f"serve: {error}")
        return 1
    except KeyboardInterrupt:
        return STOPPED


def _served(server: CogServer) -> int:
    server.wait_until_ready()
    whose = server.line_beginning("bundle ")
    address = f"http://{server.host}:{server.port}"
    try:
        _say(f"{address}: POST /predictions, GET /health-check and /openapi.json; Ctrl-C ends it")
        status = server.process.wait()
    finally:
        _say(whose)
    if status:
        _say(f"serve: the server ended by itself, with exit code {status}; its log says more")
    return 1 if status else 0


def _check_port(host: str, port: int) -> None:
    """Raise ``ServerError`` where nobody can listen, before a model is loaded for nothing."""
    if not 0 < port < 65536:
        raise ServerError(f"expected a port from 1 to 65535; got {port}")
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = places[0]
        with closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise ServerError(
            f"expected a port that is free; got {host}:{port}: {error.strerror}; name another with --port"
        ) from error


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def add_options(command: argparse.ArgumentParser) -> None:
    """Where to listen; PORT in the environment is the default of --port."""
    command.epilog = (
        "SSA_BUNDLE, SSA_DEVICE, SSA_DTYPE, SSA_MEMORY_GB and SSA_SEGMENTOR: what runs where."
    )
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="where to listen (default: %(default)s); the server asks nobody who they are",
    )
    command.add_argument(
        "--port",
        type=int,
        default=os.environ.get("PORT") or "5000",
        help="PORT in the environment, else 5000",
    )


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    return serve(options.host, options.port)
