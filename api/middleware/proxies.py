"""Client of a request: the peer of its connection, or the client named by a trusted proxy."""

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

PEER = "carrygrid.peer"
"""Scope key for client and scheme of a connection, noted before uvicorn reads any forwarded header."""


class TrustedProxies:
    """ASGI layer that takes X-Forwarded-For and -Proto from `proxies` only, whatever uvicorn takes.

    `proxies` are addresses and networks with commas; None trusts nobody.
    """

    def __init__(self, app: ASGIApp, proxies: str | None) -> None:
        names = [name.strip() for name in (proxies or "").split(",") if name.strip()]
        self._app: ASGIApp = ProxyHeadersMiddleware(app, names) if names else app  # type: ignore[arg-type, assignment]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, with the client that can be believed."""
        if PEER in scope:
            scope["client"], scope["scheme"] = scope.pop(PEER)
        await self._app(scope, receive, send)
