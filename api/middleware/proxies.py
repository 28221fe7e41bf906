"""Whom a request is from: the peer of its connection, or whom a proxy that we trust says it asks for."""

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

PEER = "carrygrid.peer"
"""Where our connections note client and scheme, before uvicorn believes anybody about them."""


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
