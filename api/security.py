"""Who may call: a bearer token for programs, a signed session cookie for the dashboard, no other sites."""

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import problem_response
from api.refusals import CrossSiteError, UnauthenticatedError
from bot.clock import Clock

SESSION_COOKIE = "carrygrid_session"
SESSION_SECONDS = 7 * 24 * 3600
_OPEN_PATHS = ("/healthz", "/dashboard/login")
_OPEN_PREFIX = "/dashboard/static/"
_MOST_QUERY_CHARACTERS = 4000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def session_cookie(token: str, now_ms: int) -> str:
    """Return the value of a session cookie that `token` signs, valid for a week."""
    expires = str(now_ms // 1000 + SESSION_SECONDS)
    return f"{expires}.{_signature(token, expires)}"


def session_holds(cookie: str, token: str, now_ms: int) -> bool:
    """Return whether `cookie` was signed by `token` and has not expired."""
    expires, _, signature = cookie.partition(".")
    if not same_text(signature, _signature(token, expires)):
        return False
    return expires.isdecimal() and int(expires) * 1000 > now_ms


def same_text(given: str, expected: str) -> bool:
    """Return whether both are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


def _signature(token: str, expires: str) -> str:
    key, text = token.encode(), f"carrygrid session until {expires}".encode("utf-8", "replace")
    return hmac.digest(key, text, "sha256").hex()


class AccessGuard:
    """ASGI layer that lets a request pass only if it may: credentials, and no write from another site."""

    def __init__(self, app: ASGIApp, token: str | None, clock: Clock) -> None:
        self._app = app
        self._token = token
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, 403 or a redirect to the login, or hand on."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] not in _SAFE_METHODS and _from_another_site(headers):
            return problem_response(CrossSiteError(headers.get("origin", "")))
        path = str(scope["path"])
        if path in _OPEN_PATHS or path.startswith(_OPEN_PREFIX) or self._known(scope, headers):
            return None
        if "text/html" in headers.get("accept", ""):
            return RedirectResponse(f"/dashboard/login?next={quote(_wanted(scope))}", status_code=303)
        return problem_response(UnauthenticatedError())

    def _known(self, scope: Scope, headers: Headers) -> bool:
        if not self._token:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and same_text(given.strip(), self._token):
            return True
        if scope["method"] not in _SAFE_METHODS and not _from_own_page(headers):
            return False  # a browser sends its session along whoever asks, so it vouches for our pages only
        return session_holds(_session_of(headers), self._token, self._clock.now_ms())


def _wanted(scope: Scope) -> str:
    query = bytes(scope["query_string"]).decode("latin-1")
    keeps_query = 0 < len(query) <= _MOST_QUERY_CHARACTERS
    return f"{scope['path']}?{query}" if keeps_query else str(scope["path"])


def _session_of(headers: Headers) -> str:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return ""
    morsel = jar.get(SESSION_COOKIE)
    return morsel.value if morsel else ""


def _from_own_page(headers: Headers) -> bool:
    """Return whether a browser says that a page of this server asks; whom `Origin` names was checked."""
    return "origin" in headers or headers.get("sec-fetch-site") == "same-origin"


def _from_another_site(headers: Headers) -> bool:
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")
