"""Who may ask: a browser on this machine, at this server's own address, with the token that was printed."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: its own files."""

_HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Lets through what begins with ``/token/``, and hands it on without that; anything else gets 403."""

    def __init__(self, app: ASGIApp, token: str, host: str) -> None:
        """``host`` is the server's own "127.0.0.1:8000"."""
        self._app, self._prefix, self._host = app, f"/{token}/", host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        if self._is_ours(scope):
            inside = {**scope, "path": scope["path"][len(self._prefix) - 1 :], "root_path": ""}
            await self._app(inside, receive, send_guarded)
        else:
            refusal = PlainTextResponse("open the address that `ssa review` printed", 403)
            await refusal(scope, receive, send_guarded)

    def _is_ours(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        start = scope["path"][: len(self._prefix)]
        return (
            headers.getlist("host") == [self._host]
            and headers.getlist("origin") in ([], [f"http://{self._host}"])
            and headers.get("sec-fetch-site", "none") in ("none", "same-origin")
            and hmac.compare_digest(start.encode(errors="replace"), self._prefix.encode())
        )
