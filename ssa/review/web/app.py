"""The page's server: what it is asked and what it answers. Errors are one line each, and name no file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ssa.errors import InputError, OutputError
from ssa.json_fields import FieldError, object_of
from ssa.review.web.answers import Answers
from ssa.review.web.desk import Gone
from ssa.review.web.guard import Guard

PAGE = Path(__file__).parents[1] / "page"

_KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

MOST_BYTES = 64 * 1024 * 1024
"""Of one request: masks of a picture are some hundred kilobytes at most."""

_GETS = ("start", "queue", "gather", "picture", "image", "idmap", "thumbnail")
_POSTS = ("decide", "bulk", "undo")


def app_of(answers: Answers, token: str, host: str) -> Guard:
    """The server as an ASGI application, for ``host`` ("127.0.0.1:8000") alone."""
    routes = [
        Route("/", _file_of("index.html")),
        *(
            Route(f"/{path.name}", _file_of(path.name))
            for path in PAGE.iterdir()
            if path.suffix in _KINDS
        ),
        *(Route(f"/api/{name}", _told(getattr(answers, name)), methods=["GET"]) for name in _GETS),
        *(
            Route(f"/api/{name}", _taken(getattr(answers, name)), methods=["POST"])
            for name in _POSTS
        ),
    ]
    return Guard(Starlette(routes=routes), token, host)


def _file_of(name: str) -> Callable[[Request], Response]:
    path = PAGE / name

    def answer(_: Request) -> Response:
        return Response(path.read_bytes(), media_type=_KINDS[path.suffix])

    return answer


def _told(answer: Callable[[dict[str, str]], Response]) -> Callable[[Request], Response]:
    return lambda request: _answered(lambda: answer(dict(request.query_params)))


def _taken(answer: Callable[[Any], Response]) -> Callable[[Request], Any]:
    async def taken(request: Request) -> Response:
        if request.headers.get("content-type") != "application/json":
            return _failed(415, "expected JSON")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return _failed(413, "that is too much at once")
        try:
            payload = object_of(json.loads(body), "request")
        except (ValueError, FieldError):
            return _failed(400, "expected a JSON object")
        # What can't be saved now is sent again: it must not look as if it were wrong.
        return await run_in_threadpool(_answered, lambda: answer(payload), unreadable=503)

    return taken


def _answered(answer: Callable[[], Response], unreadable: int = 404) -> Response:
    try:
        return answer()
    except FieldError as error:
        return _failed(400, f"expected a sound '{error}'")
    except Gone:
        return _failed(409, "that region was changed elsewhere")
    except InputError as error:
        return _failed(unreadable, str(error))
    except OutputError as error:
        return _failed(507, str(error))


def _failed(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status)
