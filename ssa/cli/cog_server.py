"""The real Cog runtime as a child process on loopback: started, watched, asked and stopped.

It is the server that a Cog image starts. It logs one JSON object a line.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ssa.files import write_whole
from ssa.serving.schema import SCHEMA_PATH, schema_bytes

POLL_INTERVAL_S = 0.05


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the server's log; ``target`` names its origin ("coglet::prediction", ...).

    ``printed`` is true for what the predictor itself wrote, false for the server's own remarks.
    """

    target: str
    message: str
    printed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the JSON that came with it (or the text, when it was no JSON)."""

    status: int
    body: Any


class ServerError(RuntimeError):
    """The server did not come up; the text says why."""


class CogServer:
    """``python -m cog.server.http`` for ``folder``'s predict.py, on loopback and a free port unless told.

    It runs in a folder of its own. If it ``checks_inputs``, it finds the schema there: Cog then checks
    requests (HTTP 422) before the predictor does, drops names that aren't inputs, and answers /openapi.json.
    A context manager: entering starts it without waiting, leaving always stops it. Its process group is its
    own, so a Ctrl-C in the terminal reaches only the caller.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        on_line: Callable[[LogLine], None] = lambda line: None,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        checks_inputs: bool = False,
    ) -> None:
        self.folder = folder
        self.environment = dict(environment or {})
        self.on_line = on_line
        self.lines: list[LogLine] = []
        self.host = host
        self.port = free_port() if port is None else port
        self.checks_inputs = checks_inputs

    def __enter__(self) -> CogServer:
        """Start the process and the thread that reads its log."""
        self._home = tempfile.TemporaryDirectory(prefix="ssa-server-", ignore_cleanup_errors=True)
        if self.checks_inputs:
            write_whole(Path(self._home.name, SCHEMA_PATH), schema_bytes())
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cog.server.http", "--host", self.host],
            cwd=self._home.name,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the process, whatever happened."""
        self.stop()

    def wait_until_ready(self, deadline_s: float = 300.0) -> None:
        """Return when setup has succeeded; raise ``ServerError`` when it failed or took too long."""
        end_s = time.monotonic() + deadline_s
        while time.monotonic() < end_s:
            health = self.health()
            if health.get("status") == "READY":
                return
            if health.get("status") == "SETUP_FAILED":
                # Cog wraps the exception's text in several "setup failed" of its own.
                raise ServerError(str(health["setup"]["logs"]).rsplit("setup failed: ", 1)[-1])
            if self.process.poll() is not None:
                last = "\n".join(line.message for line in self.lines[-5:])
                raise ServerError(f"the server ended before it was ready: {last}")
            time.sleep(POLL_INTERVAL_S)
        raise ServerError(f"setup took longer than {deadline_s:.0f} s")

    def line_beginning(self, text: str, deadline_s: float = 5.0) -> str:
        """The first printed line that begins so; empty if none has come in time. The log lags a little."""
        end_s = time.monotonic() + deadline_s
        while time.monotonic() < end_s:
            for line in list(self.lines):
                if line.message.startswith(text):
                    return line.message
            time.sleep(POLL_INTERVAL_S)
        return ""

    def health(self) -> dict[str, Any]:
        """What /health-check says; empty while nothing, or something else, listens there."""
        try:
            body = self.request("GET", "/health-check").body
        except (urllib.error.URLError, ConnectionError, http.client.HTTPException):
            return {}
        return body if isinstance(body, dict) else {}

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send ``body`` as JSON and wait for the answer, which for a prediction may take long."""
        request = urllib.request.Request(
            f"http://{self._address()}:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
            method=method,
        )
        # No proxy: this never leaves the machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request) as response:
                return Answer(response.status, _json_or_text(response.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _json_or_text(error.read()))

    def stop(self, grace_s: float = 20.0) -> int:
        """End the server: SIGTERM, which lets a prediction finish, and after ``grace_s`` SIGKILL.

        Returns the exit status.
        """
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(grace_s)
        # The worker is a process of its own: it may not outlive the server.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._reader.join(grace_s)
        self._home.cleanup()
        return self.process.wait()

    def _environment(self) -> dict[str, str]:
        """What Cog's image would set, over the caller's own; the interpreter comes first on PATH."""
        python_folder = str(Path(sys.executable).parent)
        modules = [str(self.folder.resolve()), os.environ.get("PYTHONPATH", "")]
        return {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "PATH": python_folder + os.pathsep + os.environ.get("PATH", ""),
            "PYTHONPATH": os.pathsep.join(one for one in modules if one),
            "COG_PREDICT_TYPE_STUB": f"{self.folder.resolve() / 'predict.py'}:Predictor",
            "PORT": str(self.port),
            **self.environment,
        }

    def _address(self) -> str:
        """Where this machine reaches the server; one that listens everywhere, on loopback."""
        return "127.0.0.1" if self.host in ("0.0.0.0", "") else self.host

    def _read_log(self) -> None:
        for text in self.process.stdout or ():
            line = parse_log_line(text)
            self.lines.append(line)
            self.on_line(line)


def parse_log_line(text: str) -> LogLine:
    """Read one line of the log; a line that is no JSON is passed on as it stands."""
    try:
        record = json.loads(text)
        fields = record["fields"]
        printed = "source" in fields or record["target"] == "coglet::user"
        return LogLine(record["target"], fields["message"], printed)
    except (ValueError, KeyError, TypeError):
        return LogLine("", text.rstrip("\n"), printed=True)


def free_port() -> int:
    """A loopback port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _json_or_text(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
