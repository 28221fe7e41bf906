"""Response headers that keep pages from loading, embedding or leaking anything foreign."""

import base64
import hashlib
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

THEME_SCRIPT = (Path(__file__).parent / "dashboard" / "theme.js").read_text(encoding="utf-8")
"""Script in the head of every page, the only one there: as a file it would keep pages from being drawn."""

_THEME_DIGEST = base64.b64encode(hashlib.sha256(THEME_SCRIPT.encode()).digest()).decode()
_CHART_STYLES = " ".join(
    (
        "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
    )
)
"""The charting library's two style elements: an empty one that its script fills, and one for maps."""

_STRICT = (
    f"default-src 'none'; script-src 'self' 'sha256-{_THEME_DIGEST}'; "
    f"style-src 'self' {_CHART_STYLES}; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_DOCS = _STRICT.replace(f"'sha256-{_THEME_DIGEST}'", "'unsafe-inline'").replace(
    f"style-src 'self' {_CHART_STYLES}", "style-src 'self' 'unsafe-inline'"
)
_DOCS_PATHS = frozenset({"/docs", "/docs/oauth2-redirect"})
_STATIC_PREFIXES = ("/dashboard/static/", "/dashboard/vendor/", "/static-offline-docs/")


class SecurityHeaders:
    """ASGI layer that adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, with headers added on the way back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(MutableHeaders(scope=message), str(scope["path"]))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def secure(headers: MutableHeaders, path: str) -> None:
    """Add the security headers that belong to an answer for `path`."""
    headers["Content-Security-Policy"] = _DOCS if path in _DOCS_PATHS else _STRICT
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if not path.startswith(_STATIC_PREFIXES):
        headers.setdefault("Cache-Control", "no-store")
