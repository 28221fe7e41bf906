"""Orders of a list of sweeps, and the cursors that lead from page to page."""

import base64
import binascii
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.errors import InvalidInputError
from bot.notation import quoted
from sweeps.storage.tables import sweep, sweep_candidate


class SweepOrder(StrEnum):
    """Order of a list of sweeps; by a figure of candidates the highest come first, those without one last."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    ANNUALIZED_RETURN = "annualized_return"
    NET_PNL_OVER_HOLD = "net_pnl_over_hold"


def ordered(query: sa.Select[Any], order: SweepOrder, cursor: str | None) -> sa.Select[Any]:
    """Return a query of sweeps in an order, from `cursor` on.

    The newest come by their number, so that sweeps that are submitted meanwhile move none from page to page;
    in the other orders a cursor counts those before it.
    Raises: InvalidInputError for a cursor that is none.
    """
    at = None if cursor is None else _number(cursor)
    if order is SweepOrder.NEWEST:
        return query.order_by(sweep.c.id.desc()).where(sa.true() if at is None else sweep.c.id < at)
    if order is SweepOrder.OLDEST:
        keys: list[sa.ColumnElement[Any]] = [sweep.c.id]
    elif order is SweepOrder.NAME:
        keys = [sa.func.lower(sweep.c.name), sweep.c.id]
    else:
        figure = sweep_candidate.c[order.value]
        query = query.outerjoin(sweep_candidate, sweep_candidate.c.sweep_id == sweep.c.id)
        keys = [figure.is_(None), figure.desc(), sweep.c.id.desc()]
    return query.order_by(*keys).offset(at or 0)


def next_cursor(order: SweepOrder, cursor: str | None, shown: int, last_id: int) -> str:
    """Return the cursor behind a page of `shown` sweeps that ends with `last_id`."""
    before = 0 if cursor is None else _number(cursor)
    number = last_id if order is SweepOrder.NEWEST else before + shown
    return base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


def _number(cursor: str) -> int:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        number = int(base64.b64decode(padded, altchars=b"-_", validate=True)[:20])
    except (binascii.Error, ValueError):
        raise InvalidInputError.of("cursor", f"{quoted(cursor[:80])} is not from this list") from None
    return min(max(number, 0), 2**31 - 1)
