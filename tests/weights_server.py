"""A loopback web server that serves bytes and, when told to, fails in the ways real ones do."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What one path answers. ``faults`` are used up one a GET: an HTTP status, or bytes until a hang-up."""

    body: bytes = b""
    etag: str | None = '"v1"'
    ranges: bool = True
    length: bool = True
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@dataclass
class Server:
    """``pages`` by path; ``requests`` as they came: (method, path, Range, If-Range)."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)

    def put(self, path: str, body: bytes = b"", **options: object) -> str:
        self.pages[path] = Page(body, **options)  # type: ignore[arg-type]
        return self.url + path

    def gets(self) -> list[str]:
        return [path for method, path, *_ in self.requests if method == "GET"]


@contextmanager
def serving() -> Iterator[Server]:
    """Run the server in a thread on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(send_body=True)

        def do_HEAD(self) -> None:
            self.answer(send_body=False)

        def answer(self, *, send_body: bool) -> None:
            asked = self.headers.get("Range"), self.headers.get("If-Range")
            server.requests.append((self.command, self.path, *asked))
            page = server.pages.get(self.path, Page(status=404))
            fault = page.faults.pop(0) if send_body and page.faults else ""
            if fault.startswith("status "):
                self.send_error(int(fault.removeprefix("status ")))
                return
            status, body, extra = _part(page, *asked)
            self.send_response(status)
            for name, value in {**extra, **page.headers}.items():
                self.send_header(name, value)
            if page.length:
                self.send_header("Content-Length", str(len(body)))
            if page.etag:
                self.send_header("ETag", page.etag)
            self.end_headers()
            if send_body:
                self.wfile.write(body[: int(fault)] if fault else body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def _part(page: Page, asked: str | None, if_range: str | None) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers that RFC 9110 wants for a range request."""
    match = re.fullmatch(r"bytes=(\d+)-", asked or "")
    if not match or not page.ranges or page.status != 200 or if_range not in (None, page.etag):
        return page.status, page.body, {}
    start, total = int(match[1]), len(page.body)
    if start >= total:
        return 416, b"", {"Content-Range": f"bytes */{total}"}
    return 206, page.body[start:], {"Content-Range": f"bytes {start}-{total - 1}/{total}"}
