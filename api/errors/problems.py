"""The one mapping from an error to the message for a user, over HTTP and in a shell."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from api.errors.http_errors import EDGE_STATUS
from bot.errors import (
    BotError,
    DataImportError,
    FieldError,
    InsufficientDataError,
    InvalidInputError,
    InvalidNumberError,
    MissingExtraError,
    NotForHedgesError,
    SealedError,
    SessionError,
    StoreError,
    cut,
)
from sweeps.errors import (
    AlreadyReadError,
    IdempotencyConflictError,
    NotValidatedError,
    QueueFullError,
    SealStateError,
    SweepStateError,
    UnknownJobError,
    UnknownPromotionError,
    UnknownSealError,
    UnknownSweepError,
    UnreadableSweepError,
)

MEDIA_TYPE = "application/problem+json"
_LONGEST_DETAIL = 30_000
_TYPE_PREFIX = "urn:carrygrid:problem:"

_STATUS_OF: Mapping[type[BotError], HTTPStatus] = {
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    SealedError: HTTPStatus.CONFLICT,
    InvalidNumberError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnreadableSweepError: HTTPStatus.UNPROCESSABLE_ENTITY,
    DataImportError: HTTPStatus.UNPROCESSABLE_ENTITY,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    NotForHedgesError: HTTPStatus.CONFLICT,
    MissingExtraError: HTTPStatus.NOT_IMPLEMENTED,
    SessionError: HTTPStatus.CONFLICT,
    UnknownSweepError: HTTPStatus.NOT_FOUND,
    UnknownJobError: HTTPStatus.NOT_FOUND,
    UnknownPromotionError: HTTPStatus.NOT_FOUND,
    UnknownSealError: HTTPStatus.NOT_FOUND,
    SealStateError: HTTPStatus.CONFLICT,
    AlreadyReadError: HTTPStatus.CONFLICT,
    NotValidatedError: HTTPStatus.CONFLICT,
    SweepStateError: HTTPStatus.CONFLICT,
    IdempotencyConflictError: HTTPStatus.CONFLICT,
    QueueFullError: HTTPStatus.TOO_MANY_REQUESTS,
    **EDGE_STATUS,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """An RFC 9457 problem: `code` is stable, `detail` is one sentence for people.

    `common_window`, start and end, can be run on where the one asked for cannot.
    """

    code: str
    status: int
    detail: str
    errors: tuple[FieldError, ...] = ()
    common_window: tuple[str, str] | None = None

    @property
    def title(self) -> str:
        """Return the code in words."""
        return self.code.replace("_", " ").capitalize()

    @property
    def line(self) -> str:
        """Return the problem as one line of text."""
        return " ".join(self.detail.split())

    def document(self) -> dict[str, Any]:
        """Return the problem document, ready for JSON; `errors` only where fields were refused."""
        document: dict[str, Any] = {
            "type": _TYPE_PREFIX + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [{"field": e.field, "message": e.message} for e in self.errors]
        if self.common_window:
            document["common_window"] = dict(zip(("start", "end"), self.common_window, strict=True))
        return document


class ProblemError(BotError):
    """A problem that another program reported."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def problem_of(error: BotError) -> Problem:
    """Return the problem document of `error`; an error class without an own status takes its base's."""
    if isinstance(error, ProblemError):
        return error.problem
    status = next((_STATUS_OF[kind] for kind in type(error).__mro__ if kind in _STATUS_OF), None)
    fields = error.errors if isinstance(error, InvalidInputError) else ()
    window = error.common_window if isinstance(error, InsufficientDataError) else None
    detail = cut(error.message, _LONGEST_DETAIL)
    return Problem(error.code, status or HTTPStatus.INTERNAL_SERVER_ERROR, detail, fields, window)


def status_problem(status: int, detail: str | None = None) -> Problem:
    """Return the problem of a bare HTTP status such as 404 or 405."""
    phrase = HTTPStatus(status).phrase
    return Problem(phrase.lower().replace(" ", "_"), status, detail or phrase)
