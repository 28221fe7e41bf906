"""Columns that follow from others, stored as differences; those of before are read as they are."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

from sweeps.migrations.packing_of_0018 import packed, unpacked
from sweeps.migrations.packing_of_0020 import BY_PLANES, unpacked_planes

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_RESULT, _DIFFERENCES = "result", 2
_block = sa.table("trial_block", *map(sa.column, ("sweep_id", "name", "first", "data")))


def _over(amounts: Any, of: Any) -> Any:
    quotients = np.full(len(of), np.nan)
    np.divide(amounts.astype(np.float64), of.astype(np.float64), out=quotients, where=of != 0)
    return quotients


def _positive(column: Any) -> Any:
    return np.where(column > 0, column, np.nan)


_FORMULAS: Mapping[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "final_equity": (("net_pnl",), lambda net: net),
    "extra_fees": (("total_fees",), lambda fees: fees),
    "extra_round_trips": (("total_trades",), lambda trades: trades),
    "price_pnl": (
        ("net_pnl", "total_funding", "total_fees"),
        lambda net, funding, fees: net - funding + fees,
    ),
    "net_pnl_over_hold": (("net_pnl", "hold_net_pnl"), lambda net, hold: net - hold),
    "total_return": (("net_pnl", "final_equity"), lambda net, final: _over(net, final - net)),
    "calmar": (("annualized_return", "max_drawdown_pct"), _over),
    "win_rate": (("winning_trades", "total_trades"), _over),
    "captured_share": (
        ("total_funding", "available_funding"),
        lambda caught, held: _over(caught, _positive(held)),
    ),
    "breakeven_settlements": (
        ("total_fees", "total_trades", "total_funding", "funding_payments"),
        lambda fees, trades, funding, payments: _over(
            _over(fees, trades), _over(_positive(funding), payments)
        ),
    ),
}
"""In their order: what one takes that is itself here comes before it."""
_REAL = ("annualized_return", "max_drawdown_pct")


def upgrade() -> None:
    """Leave the blocks as they are: new ones that hold differences begin with a byte that says so."""


def downgrade() -> None:
    """Write out the columns that follow from others."""
    connection = op.get_bind()
    key = _block.c.sweep_id, _block.c.first
    where = _block.c.name == "number"
    for sweep_id, first in connection.execute(sa.select(*key).where(where)).all():
        mine = sa.and_(_block.c.sweep_id == sweep_id, _block.c.first == first)
        rows = connection.execute(sa.select(_block.c.name, _block.c.data).where(mine))
        blobs = {name: bytes(data) for name, data in rows}
        for name, column in _written_out(blobs).items():
            updated = _block.update().where(mine, _block.c.name == name)
            connection.execute(updated.values(data=packed(column)))


def _written_out(blobs: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the columns of a block that hold differences, written out for each trial."""
    result_of = _values(blobs[_RESULT]) if _RESULT in blobs else None
    found: dict[str, Any] = {}
    for name, (inputs, formula) in _FORMULAS.items():
        if name in blobs and blobs[name][0] == _DIFFERENCES:
            columns = [found[one] if one in found else _column(one, blobs[one], result_of) for one in inputs]
            with np.errstate(all="ignore"):
                said = formula(*columns)
            if said.dtype == np.float64:
                said[np.isnan(said)] = np.nan
            found[name] = _of_trials(_values(blobs[name]), result_of) + said.view(np.int64)
    return found


def _column(name: str, data: bytes, result_of: Any) -> Any:
    column = _of_trials(_values(data), result_of)
    return column.view(np.float64) if name in _REAL else column


def _of_trials(column: Any, result_of: Any) -> Any:
    return column if result_of is None or len(column) == len(result_of) else column[result_of]


def _values(data: bytes) -> Any:
    return unpacked_planes(data) if data[0] in {BY_PLANES, _DIFFERENCES} else unpacked(data, np.int64)
