"""Advice on the page of an error."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.errors.problems import Problem

_SWEEPS, _DATA, _BACK = ("All sweeps", "/"), ("Market data", "/dashboard/data"), ("Try again", "")


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence, and (text, address) of where to go; the empty address is the page that was asked for."""

    text: str
    links: tuple[tuple[str, str], ...]


_HELD = Advice("See which exchanges and symbols are held, and for which dates.", (_DATA, _SWEEPS))
_WAIT = Advice("Wait a moment, then try again: nothing that was stored is lost.", (_BACK, _SWEEPS))
_ELSEWHERE = Advice("Look for it in the list, or check the address.", (_SWEEPS, _DATA))
_ADDRESS = Advice("Correct it in the address, or start from the list.", (_SWEEPS, _DATA))
_OPERATOR = Advice("The operator of this service has to act on it.", (_BACK, _SWEEPS))

_BY_CODE: Mapping[str, Advice] = MappingProxyType(
    {
        "unknown_exchange": _HELD,
        "unknown_symbol": _HELD,
        "insufficient_data": _HELD,
        "history_changed": _HELD,
        "no_space": _OPERATOR,
        "database_full": _OPERATOR,
        "database_schema": _OPERATOR,
        "internal_server_error": Advice(
            "The service's log has the details under that number; `carrygrid up` keeps it in logs/api.log.",
            (_BACK, _SWEEPS),
        ),
    }
)
_BY_STATUS: Mapping[int, Advice] = MappingProxyType({404: _ELSEWHERE, 422: _ADDRESS, 429: _WAIT, 503: _WAIT})


def advice(problem: Problem) -> Advice:
    """Return advice about `problem`."""
    return _BY_CODE.get(problem.code) or _BY_STATUS.get(problem.status) or Advice("", (_SWEEPS, _DATA))
