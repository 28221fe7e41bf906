"""Read-only links: an address below `/shared/TOKEN` means a page or an answer of one sweep."""

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from api.errors.handlers import answer
from api.errors.http_errors import ReadOnlyLinkError, UnknownLinkError
from api.errors.problems import problem_of
from bot.errors import BotError
from sweeps.storage.access.shares import Share, find_share

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SHARED_PREFIX = "/shared/"

_ADDRESS = re.compile(rf"(?P<link>{SHARED_PREFIX}(?P<token>[A-Za-z0-9_-]{{1,64}}))(?P<rest>/.*)?")
_GLOSSARY = "/dashboard/glossary"
_OWNERS_PARTS = frozenset({"shares", "notification"})
"""Parts of a sweep that are its owner's alone."""


async def entered_link(scope: Scope) -> Response | None:
    """Lead a request below a link to what it means; return the answer where it goes no further.

    The path becomes that of the sweep, so that neither errors nor logs repeat the token. `shared_below` of
    the request's state is what the addresses on its pages begin with.
    """
    found = _ADDRESS.fullmatch(str(scope["path"]))
    state = scope.setdefault("state", {})
    if found is None:
        state["shared_below"] = SHARED_PREFIX.rstrip("/")
        return await _refused(scope, UnknownLinkError())
    state["shared_below"] = found["link"]
    share = await scope["app"].state.database.read(find_share, found["token"])
    if share is None or not share.holds(scope["app"].state.clock.now_ms()):
        return await _refused(scope, UnknownLinkError())
    if scope["method"] not in SAFE_METHODS:
        return await _refused(scope, ReadOnlyLinkError())
    page = f"/dashboard/sweeps/{share.sweep_id}"
    if found["rest"] in {None, "/"}:
        query = f"?{share.view}" if share.view else ""
        return RedirectResponse(f"{found['link']}{page}{query}", status_code=303)
    if not _belongs(found["rest"], share):
        return await _refused(scope, UnknownLinkError())
    scope["path"] = found["rest"]
    return None


def _belongs(path: str, share: Share) -> bool:
    """Return whether a path is that of the link's sweep, or of the glossary that its pages lead to."""
    if path == _GLOSSARY:
        return True
    for base in (f"/sweeps/{share.sweep_id}", f"/dashboard/sweeps/{share.sweep_id}"):
        if path == base:
            return True
        if path.startswith(f"{base}/"):
            return path.removeprefix(f"{base}/").split("/")[0] not in _OWNERS_PARTS
    return False


async def _refused(scope: Scope, error: BotError) -> Response:
    return await answer(Request(scope), problem_of(error))
