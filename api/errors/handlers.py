"""Every error that leaves over HTTP: a problem document for programs, a page for people."""

import secrets
from math import ceil

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import compile_path

from api.errors.database_errors import database_problem
from api.errors.http_errors import TooManyRequestsError
from api.errors.problems import Problem, problem_of, status_problem
from api.headers import secure
from api.responses import ProblemResponse
from bot.errors import BotError, FieldError
from bot.notation import quoted
from bot.validation import wrong_value

_log = structlog.get_logger("api")
_CLIENT_CLOSED_REQUEST = 499
_RETRY_AFTER_S = {429: 10, 503: 2}
_UNREAD = frozenset({408, 413})
"""Statuses of bodies of which no more is to be read, so that the connection cannot be used again."""


def problem_response(error: BotError | Problem) -> Response:
    """Return the problem document of `error`."""
    problem = error if isinstance(error, Problem) else problem_of(error)
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if problem.status in _RETRY_AFTER_S:
        wait_s = error.wait_s if isinstance(error, TooManyRequestsError) else _RETRY_AFTER_S[problem.status]
        headers["Retry-After"] = str(ceil(wait_s))
    if problem.status in _UNREAD:
        headers["Connection"] = "close"
    return ProblemResponse(problem.document(), problem.status, headers)


def install_error_handlers(app: FastAPI) -> None:
    """Let `app` answer each kind of error with its problem document."""
    app.add_exception_handler(BotError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(ClientDisconnect, _nobody_listens)
    app.add_exception_handler(HTTPException, _bare_status)
    app.add_exception_handler(SQLAlchemyError, _database_trouble)
    app.add_exception_handler(Exception, _unexpected)


async def answer(request: Request, problem: Problem) -> Response:
    """Return a page where a person asked for one, else the document."""
    pages = getattr(request.app.state, "pages", None)
    if pages is not None and _wants_page(request):
        page: Response = pages.problem(request, problem)
        return page
    return problem_response(problem)


def _wants_page(request: Request) -> bool:
    path = request.url.path
    is_page = path == "/" or path.startswith(("/dashboard", "/shared/"))
    return is_page and "text/html" in request.headers.get("accept", "")


async def _expected(request: Request, error: Exception) -> Response:
    if not isinstance(error, BotError):
        raise error
    return await answer(request, problem_of(error))


async def _invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = tuple(FieldError(_field(item["loc"]), _message(item)) for item in error.errors())
    detail = "; ".join(f"{item.field}: {item.message}" for item in found)
    return await answer(request, Problem("invalid_input", 422, detail, found))


async def _nobody_listens(_request: Request, _error: Exception) -> Response:
    return Response(status_code=_CLIENT_CLOSED_REQUEST)


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location[1:]) or str(location[0])


def _message(item: dict[str, object]) -> str:
    if item["type"] == "missing":
        return "is required"
    return wrong_value(str(item["type"]), quoted(item["input"]), str(item["msg"]))


async def _bare_status(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    detail = None
    headers = dict(error.headers or {})
    if error.status_code == 404:
        detail = f"there is nothing at {quoted(request.url.path[:200])}"
    elif error.status_code == 405:
        detail = f"{request.method} is not possible at {quoted(request.url.path[:200])}"
        headers["Allow"] = _possible_methods(request) or headers.get("Allow", "")
    response = await answer(request, status_problem(error.status_code, detail))
    response.headers.update(headers)
    return response


def _possible_methods(request: Request) -> str:
    """Return the methods documented for the path: the router looks at its first route only."""
    paths, path = request.app.openapi()["paths"], request.url.path
    here = path if path in paths else next((one for one in paths if compile_path(one)[0].match(path)), None)
    return ", ".join(sorted(method.upper() for method in paths.get(here, ())))


async def _database_trouble(request: Request, error: Exception) -> Response:
    problem = database_problem(error) if isinstance(error, SQLAlchemyError) else None
    if problem is None:
        raise error
    _log.warning("database trouble", problem=problem.code, path=request.url.path, reason=str(error)[:300])
    return await answer(request, problem)


async def _unexpected(request: Request, _error: Exception) -> Response:
    reference = secrets.token_hex(6)
    _log.error(
        "unexpected error", reference=reference, method=request.method, path=request.url.path, exc_info=True
    )
    detail = f"an unexpected error happened and was logged as {reference}"
    response = await answer(request, Problem("internal_server_error", 500, detail))
    secure(response.headers, request.url.path)
    return response
