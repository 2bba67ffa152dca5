"""What the live tests need beside the server itself: pictures, a web server, a prediction in flight."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ssa.cli.cog_server import Answer, CogServer


def picture_png(side_px: int = 128) -> bytes:
    """A small scene as PNG: a red disc and a white square on green grass under a blue sky."""
    image = Image.new("RGB", (side_px, side_px), (90, 160, 235))
    draw = ImageDraw.Draw(image)
    unit = side_px / 8
    draw.rectangle((0, 5 * unit, side_px, side_px), fill=(70, 150, 60))
    draw.ellipse((unit, 2 * unit, 4 * unit, 5 * unit), fill=(210, 40, 40))
    draw.rectangle((5 * unit, 4 * unit, 7 * unit, 6 * unit), fill=(245, 245, 240))
    return png(np.asarray(image))


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    """(H, W, 3) uint8 RGB as the bytes of a PNG file."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def data_uri(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def decode_data_uri(text: str) -> bytes:
    return base64.b64decode(text.partition(",")[2])


@contextmanager
def web_server(content: bytes) -> Iterator[str]:
    """A web server on loopback; its address. It knows /picture.png and /moved.png, which leads there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            moved = self.path == "/moved.png"
            found = self.path == "/picture.png"
            self.send_response(302 if moved else 200 if found else 404)
            if moved:
                self.send_header("Location", "/picture.png")
            self.send_header("Content-Length", str(len(content) if found else 0))
            self.end_headers()
            if found:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def wait_for(condition: Callable[[], bool], what: str, deadline_s: float = 30.0) -> None:
    """Return as soon as ``condition()`` holds; fail with ``what`` when it never does."""
    end_s = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end_s:
            raise AssertionError(f"waited {deadline_s:.0f} s for {what}")
        time.sleep(0.02)


class InFlight:
    """A prediction that runs in a thread while the test does other things; ``answer()`` waits for its end."""

    def __init__(self, server: CogServer, name: str, inputs: dict[str, Any]) -> None:
        server.wait_until_ready()
        self._answers: list[Answer] = []
        self._thread = threading.Thread(
            target=lambda: self._answers.append(
                server.request("PUT", f"/predictions/{name}", {"input": inputs})
            ),
            daemon=True,
        )
        self._thread.start()
        wait_for(lambda: server.health().get("status") == "BUSY", "the server to be busy")

    def answer(self, deadline_s: float = 60.0) -> Answer:
        self._thread.join(deadline_s)
        return self._answers[0]
