"""Access control: a bearer token for programs, a signed session cookie for the dashboard, no other sites."""

from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors.database_errors import database_problem
from api.errors.handlers import problem_response
from api.errors.http_errors import CrossSiteError, ForbiddenError, UnauthenticatedError, UnknownHostError
from api.middleware.principals import Principal, Principals
from api.middleware.shares import SAFE_METHODS, SHARED_PREFIX, entered_link
from sweeps.storage.access import scopes

SESSION_COOKIE = "carrygrid_session"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
"""The names under which a server without a token answers: a page elsewhere may point its own name at us."""

_OPEN_PATHS = ("/healthz", "/dashboard/login")
_OPEN_PREFIX = "/dashboard/static/"
_MOST_QUERY_CHARACTERS = 4000
_HARMLESS = frozenset({"/sweeps/validate", "/backtests/validate", "/dashboard/logout"})
"""Paths that take a POST and change nothing."""


class AccessGuard:
    """ASGI layer that lets a request pass only if it may.

    It comes for a name of ours, not from another site, with credentials or below a read-only link, and
    changes nothing that they may only read. `principals` None asks for no credentials; `hosts` None answers
    to any name.
    """

    def __init__(self, app: ASGIApp, principals: Principals | None, hosts: Collection[str] | None) -> None:
        self._app = app
        self._principals = principals
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, 403, 421 or a redirect to the login, or hand on."""
        try:
            refusal = await self._refusal(scope) if scope["type"] == "http" else None
        except SQLAlchemyError as error:
            if (problem := database_problem(error)) is None:
                raise
            refusal = problem_response(problem)
        await (refusal or self._app)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), str(scope["path"])
        if self._hosts is not None and _host(headers) not in self._hosts:
            return problem_response(UnknownHostError(headers.get("host", "")))
        if scope["method"] not in SAFE_METHODS and _from_another_site(headers):
            return problem_response(CrossSiteError(headers.get("origin", "")))
        if path.startswith(SHARED_PREFIX):
            return await entered_link(scope)
        if self._principals is None or path in _OPEN_PATHS or path.startswith(_OPEN_PREFIX):
            return None
        return _judged(await self._principal(self._principals, scope, headers), scope, headers)

    async def _principal(self, principals: Principals, scope: Scope, headers: Headers) -> Principal | None:
        database = scope["app"].state.database
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await principals.by_token(given.strip(), database)
        if scope["method"] not in SAFE_METHODS and not _from_own_page(headers):
            return None  # browsers send the cookie with requests from any site
        return await principals.by_session(_session_of(headers), database)


def _judged(principal: Principal | None, scope: Scope, headers: Headers) -> Response | None:
    if principal is None:
        return _stranger(scope, headers)
    changes = scope["method"] not in SAFE_METHODS and scope["path"] not in _HARMLESS
    if changes and principal.scope is scopes.Scope.READ:
        return problem_response(ForbiddenError(principal.name))
    return None


def _stranger(scope: Scope, headers: Headers) -> Response:
    if "text/html" in headers.get("accept", ""):
        return RedirectResponse(f"/dashboard/login?next={quote(_wanted(scope))}", status_code=303)
    return problem_response(UnauthenticatedError())


def _host(headers: Headers) -> str:
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


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
