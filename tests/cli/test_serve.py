"""./scripts/serve: its schema, and how it ends, each time in words and without a traceback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssa.cli.cog_server import CogServer, free_port
from ssa.inputs import INPUTS
from tests.server import data_uri, picture_png

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def _heeds_interrupts() -> Iterator[None]:
    """What a shell runs in the background ignores SIGINT, and so would the server that is started here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def serving(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ssa", "serve", *arguments],
        cwd=ROOT,
        env={**os.environ, "SSA_BUNDLE": "tiny"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_help_starts_no_server() -> None:
    process = serving("--help")
    out, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "--port" in out
    assert told == ""


def test_a_port_that_is_taken_or_none_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = serving("--port", str(port))
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told.startswith(f"serve: expected a port that is free; got 127.0.0.1:{port}: ")
    assert told.count("\n") == 1
    process = serving("--port", "70000")
    assert (
        process.communicate(timeout=60)[1] == "serve: expected a port from 1 to 65535; got 70000\n"
    )


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_it_says_where_it_is_and_which_bundle_speaks_and_ends_in_words(number: int) -> None:
    port = free_port()
    process = serving("--port", str(port))
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith(f"http://127.0.0.1:{port}: POST /predictions"):
            break
    process.send_signal(number)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert any(line.startswith("bundle tiny: drawn scenes only") for line in lines)
    told, last = rest.strip().splitlines()
    assert told.startswith("bundle tiny: ")
    assert last.startswith("stopping; ")
    assert "Traceback" not in "".join(lines) + rest


@pytest.fixture(scope="module")
def server() -> Iterator[CogServer]:
    with CogServer(ROOT, {"SSA_BUNDLE": "tiny"}, checks_inputs=True) as running:
        running.wait_until_ready()
        yield running


def test_the_schema_is_told_and_inputs_are_checked_by_it(server: CogServer) -> None:
    told = server.request("GET", "/openapi.json")
    assert told.status == 200
    assert list(told.body["components"]["schemas"]["Input"]["properties"]) == sorted(INPUTS)
    picture = data_uri(picture_png())
    for given, text in [
        ({"image": picture, "top_k": 20}, "20 is greater than the maximum of 10"),
        ({"image": picture, "labels": "names"}, "labels"),
        ({}, "Field required"),
    ]:
        answer = server.request("POST", "/predictions", {"input": given})
        assert answer.status == 422
        assert text in str(answer.body)
