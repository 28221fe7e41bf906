"""Signing in and out: the API token is exchanged for a session cookie."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.dashboard.sweeps.views import PagesDep
from api.dependencies import DatabaseDep
from api.middleware.principals import SESSION_SECONDS, Principals
from api.middleware.security import SESSION_COOKIE

router = APIRouter(include_in_schema=False, prefix="/dashboard")
MAX_FORM_BYTES = 32_768
Target = Annotated[str, Query(alias="next", max_length=6000)]


@router.get("/login")
async def login_page(
    request: Request,
    pages: PagesDep,
    target: Target = "/",
) -> Response:
    """Return the form."""
    return pages.render(request, "login.html", section="", next=local_path(target), wrong=False)


@router.post("/login")
async def login(request: Request, pages: PagesDep, database: DatabaseDep) -> Response:
    """Exchange a token for a session; show the form again for a wrong one."""
    form = parse_qs((await request.body())[:MAX_FORM_BYTES].decode("utf-8", "replace"))
    target = local_path(form.get("next", ["/"])[0])
    answer = RedirectResponse(target, status_code=303)
    principals: Principals | None = request.app.state.principals
    if principals is None:
        return answer
    principal = await principals.by_token(form.get("token", [""])[0], database)
    if principal is None:
        return pages.render(request, "login.html", status=401, section="", next=target, wrong=True)
    answer.set_cookie(
        SESSION_COOKIE,
        await principals.open_session(principal, database),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout")
async def logout(request: Request, database: DatabaseDep) -> Response:
    """End the session, for every copy of its cookie."""
    principals: Principals | None = request.app.state.principals
    if principals is not None and (cookie := request.cookies.get(SESSION_COOKIE)):
        await principals.end_session(cookie, database)
    answer = RedirectResponse("/dashboard/login", status_code=303)
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return answer


def local_path(target: str) -> str:
    """Return `target` if it is a page of this server, else the start page."""
    foreign = not target.startswith("/") or target.startswith("//") or not target.isprintable()
    return "/" if foreign or "\\" in target else target
