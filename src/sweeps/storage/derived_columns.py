"""Columns that follow from others, stored as their differences from what those say: nearly always zeros.

No formula here defines a metric: whatever one gives, the difference makes up for it, to the last bit. They
take IEEE operations alone, which round alike on every machine.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import compress
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.statistics.metrics import ratio
from bot.statistics.trial_columns import MetricColumn
from bot.statistics.trial_metrics import is_real


class Formula(NamedTuple):
    """Columns that another follows from, and how."""

    inputs: tuple[str, ...]
    of: Callable[..., MetricColumn]


def _share(amounts: MetricColumn, of: MetricColumn) -> FloatArray:
    """Return quotients, NaN where there is nothing to divide by."""
    return ratio(amounts.astype(np.float64), of.astype(np.float64))


def _positive(column: MetricColumn) -> FloatArray:
    return np.where(column > 0, column, np.nan)


def _settlements(fees: IntArray, trades: IntArray, funding: IntArray, payments: IntArray) -> FloatArray:
    return _share(_share(fees, trades), _share(_positive(funding), payments))


DERIVED: Mapping[str, Formula] = {
    # These differ: by the capital, and by the fees and the trades of the hold baseline.
    "final_equity": Formula(("net_pnl",), lambda net: net),
    "extra_fees": Formula(("total_fees",), lambda fees: fees),
    "extra_round_trips": Formula(("total_trades",), lambda trades: trades),
    "price_pnl": Formula(
        ("net_pnl", "total_funding", "total_fees"), lambda net, funding, fees: net - funding + fees
    ),
    "net_pnl_over_hold": Formula(("net_pnl", "hold_net_pnl"), lambda net, hold: net - hold),
    "total_return": Formula(("net_pnl", "final_equity"), lambda net, final: _share(net, final - net)),
    "calmar": Formula(("annualized_return", "max_drawdown_pct"), _share),
    "win_rate": Formula(("winning_trades", "total_trades"), _share),
    "captured_share": Formula(
        ("total_funding", "available_funding"), lambda caught, held: _share(caught, _positive(held))
    ),
    "breakeven_settlements": Formula(
        ("total_fees", "total_trades", "total_funding", "funding_payments"), _settlements
    ),
}
"""The columns that follow from others. One that is added is stored so from then on, and older blocks read as
before; a formula is neither changed nor taken away without a migration."""


def as_stored(names: Sequence[str], values: IntArray, wanted: BoolArray) -> IntArray:
    """Return those columns that are `wanted`, a row each as in `values`: of derived ones the differences."""
    found = values[wanted]
    rows = dict(zip(names, values, strict=True))
    for place, name in enumerate(compress(names, wanted.tolist())):
        if name in DERIVED:
            inputs = {one: _typed(one, rows[one]) for one in DERIVED[name].inputs}
            found[place] -= _said(name, inputs)
    return found


def restored(name: str, difference: MetricColumn, inputs: Mapping[str, MetricColumn]) -> MetricColumn:
    """Return the column with a difference from what its inputs say."""
    return _typed(name, difference.view(np.int64) + _said(name, inputs))


@lru_cache(maxsize=256)
def with_inputs(names: tuple[str, ...]) -> frozenset[str]:
    """Return columns with all that they may follow from."""
    found, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += DERIVED[name].inputs if name in DERIVED else ()
    return frozenset(found)


def _typed(name: str, units: IntArray) -> MetricColumn:
    return cast("MetricColumn", units.view(np.float64)) if is_real(name) else units


def _said(name: str, columns: Mapping[str, MetricColumn]) -> npt.NDArray[np.int64]:
    """Return what other columns say of one, as int64, floats by their bits."""
    formula = DERIVED[name]
    with np.errstate(all="ignore"):  # an amount beyond 64 bits wraps around, and back
        said = formula.of(*(columns[one] for one in formula.inputs))
    if said.dtype == np.float64:
        said[np.isnan(said)] = np.nan  # of which there are many, by machine
    return said.view(np.int64)
