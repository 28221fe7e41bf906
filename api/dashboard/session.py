"""Signing in and out: the API token buys a session cookie."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.dashboard.views import PagesDep
from api.dependencies import ClockDep, SettingsDep
from api.security import SESSION_COOKIE, SESSION_SECONDS, same_text, session_cookie

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
async def login(request: Request, pages: PagesDep, settings: SettingsDep, clock: ClockDep) -> Response:
    """Exchange the right token for a session; show the form again for a wrong one."""
    form = parse_qs((await request.body())[:MAX_FORM_BYTES].decode("utf-8", "replace"))
    target = local_path(form.get("next", ["/"])[0])
    expected = settings.api_token.get_secret_value() if settings.api_token else ""
    if expected and not same_text(form.get("token", [""])[0], expected):
        return pages.render(request, "login.html", status=401, section="", next=target, wrong=True)
    answer = RedirectResponse(target, status_code=303)
    if expected:
        answer.set_cookie(
            SESSION_COOKIE,
            session_cookie(expected, clock.now_ms()),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
    return answer


@router.post("/logout")
async def logout() -> Response:
    """End the session in this browser."""
    answer = RedirectResponse("/dashboard/login", status_code=303)
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return answer


def local_path(target: str) -> str:
    """Return `target` if it is a page of this server, else the start page."""
    foreign = not target.startswith("/") or target.startswith("//") or not target.isprintable()
    return "/" if foreign or "\\" in target else target
