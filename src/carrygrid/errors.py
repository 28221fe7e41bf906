"""Error of a call: one exception that carries the problem document of the service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

UNREACHABLE = "api_unreachable"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One refused field, such as `grid.perp_leverage.values[2]`, and why."""

    field: str
    message: str


class ServiceError(Exception):
    """A call that was refused or not answered: `code` is stable, `detail` is one sentence for people.

    `status` is that of HTTP, `errors` names refused fields.
    """

    def __init__(self, code: str, status: int, detail: str, errors: Sequence[FieldProblem] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)

    @property
    def unavailable(self) -> bool:
        """Return whether the same call may succeed later."""
        return self.status == 503

    @classmethod
    def of(cls, document: Any, status: int) -> Self:
        """Return the error that a problem document describes."""
        if not isinstance(document, dict) or "detail" not in document:
            return cls("api_error", status, f"the API answered {status}")
        fields = tuple(FieldProblem(item["field"], item["message"]) for item in document.get("errors", ()))
        code = str(document.get("type", "")).rpartition(":")[2]
        return cls(code, status, str(document["detail"]), fields)

    @classmethod
    def misstated(cls, name: str, why: str) -> Self:
        """Return the error of a setting of the client that no call can be made with."""
        return cls("invalid_input", 422, f"{name}: {why}", [FieldProblem(name, why)])

    @classmethod
    def unreachable(cls, url: str, reason: str) -> Self:
        """Return the error of a service that does not answer."""
        remedy = "start one with `carrygrid up`, or set CARRYGRID_API_URL"
        return cls(UNREACHABLE, 503, f"no Carrygrid API answers at {url} ({reason}); {remedy}")
