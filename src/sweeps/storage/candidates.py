"""Candidates of judged sweeps in the database, for lists of sweeps. The caller owns the transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from bot.statistics.metrics import from_units, money_units
from sweeps.storage.tables import sweep_candidate

_FORGETTING = sweep_candidate.delete().where(sweep_candidate.c.sweep_id == sa.bindparam("of_sweep"))
_KEEPING = sweep_candidate.insert()


@dataclass(frozen=True, slots=True)
class CandidateFigures:
    """Candidate of a judged sweep, a trial's number, and its figures; the return is a fraction a year."""

    number: int
    annualized_return: float | None
    net_pnl_over_hold: Decimal | None


def keep_candidate(connection: sa.Connection, sweep_id: int, figures: CandidateFigures | None) -> None:
    """Store the candidate of a sweep in place of the one that it had."""
    connection.execute(_FORGETTING, {"of_sweep": sweep_id})
    if figures is not None:
        lead = figures.net_pnl_over_hold
        values = {
            "sweep_id": sweep_id,
            "number": figures.number,
            "annualized_return": figures.annualized_return,
            "net_pnl_over_hold": None if lead is None else money_units(lead),
        }
        connection.execute(_KEEPING, values)


def candidates_of(connection: sa.Connection, sweep_ids: Sequence[int]) -> dict[int, CandidateFigures]:
    """Return the candidates of those sweeps that have one."""
    rows = connection.execute(
        sa.select(sweep_candidate).where(sweep_candidate.c.sweep_id.in_(list(sweep_ids)))
    )
    return {
        row.sweep_id: CandidateFigures(
            row.number,
            row.annualized_return,
            None if row.net_pnl_over_hold is None else from_units(row.net_pnl_over_hold),
        )
        for row in rows
    }
