"""Evidence on a finished run: bands around its equity, random entries, its days by regime of funding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from bot.backtest.baseline import FinishedRun
from bot.backtest.random_runs import RandomEntries
from bot.models import DAY_MS, FundingRate
from bot.numbers.arrays import IntArray
from bot.numbers.money import plain
from bot.selection.evidence.bands import FEWEST_DAYS, Bands, amount_bands, return_bands
from bot.selection.evidence.regimes import by_regime, regimes
from bot.statistics.daily_returns import first_day_of
from bot.statistics.metrics import from_units, money_units, packed, units_texts

_BROKEN = "equity was not above zero on some day, so daily returns are undefined"


def bands_document(result: FinishedRun) -> dict[str, Any]:
    """Return the bands of a run as JSON values: equity by day and quantile as money, null where undefined.

    Ratios are fractions; `sharpe` is daily. `missing` says why there are no bands.
    """
    days = _Days.of(result)
    document = {
        "first_day": first_day_of(result.calendar).isoformat(),
        "equity": units_texts(packed(days.closes.tolist())),
        "bands": None,
    }
    if len(days.closes) < FEWEST_DAYS:
        return {**document, "missing": f"{FEWEST_DAYS} days needed, {len(days.closes)} held"}
    if result.config.sizing_base == "equity":
        if np.isnan(result.daily_returns).any():
            return {**document, "missing": _BROKEN}
        found = return_bands(result.run_key, result.daily_returns, days.initial)
    else:
        found = amount_bands(result.run_key, days.pnl, days.initial)
    return {**document, "bands": None if found is None else _bands(found)}


def random_entries_document(found: RandomEntries) -> dict[str, Any]:
    """Return random entries of a run as JSON values: money as text, `drawn` ascending.

    `missing` says why there is no chance `p`.
    """
    return {
        "net_pnl": _money(found.net_pnl),
        "p": found.p,
        "drawn": [] if found.p is None else units_texts(packed(sorted(found.drawn))),
        "symbols": _symbols(found),
        **({"missing": found.missing} if found.missing else {}),
    }


def regimes_document(result: FinishedRun, settled: Sequence[FundingRate]) -> dict[str, Any]:
    """Return the results of a run by regime of funding as JSON values: money as text, `sharpe` daily.

    settled: the settlements of its window and earlier ones, oldest first.
    """
    days = _Days.of(result)
    first_ms = int(result.calendar.times_ms[0]) // DAY_MS * DAY_MS
    found = regimes(
        first_ms, len(days.closes), [one.t_ms for one in settled], [one.rate_8h for one in settled]
    )
    entries = [
        ((trade.opened_at_ms - first_ms) // DAY_MS, money_units(trade.net_pnl)) for trade in result.trades
    ]
    results = by_regime(found, days.pnl, result.daily_returns, entries)
    return {
        "regimes": [
            {
                "regime": one.regime.value,
                "days": one.days,
                "net_pnl": _money(one.pnl),
                "sharpe": one.sharpe,
                "trades": one.trades,
                "trades_net_pnl": _money(one.trades_net),
            }
            for one in results
        ]
    }


@dataclass(frozen=True, eq=False)
class _Days:
    """Days of a run: initial capital, equity at the end of each day and its changes, in units of 1e-8."""

    initial: int
    closes: IntArray
    pnl: IntArray

    @classmethod
    def of(cls, result: FinishedRun) -> "_Days":
        initial = money_units(result.config.initial_capital)
        closes = cast("IntArray", result.curve.units[result.calendar.day_ends])
        return cls(initial, closes, np.diff(closes, prepend=initial))


def _bands(found: Bands) -> dict[str, Any]:
    return {
        "mean_block": found.mean_block,
        "equity": {str(percent): _texts(values) for percent, values in found.equity.items()},
        "total_return": _by_percent(found.total_return),
        "sharpe": _by_percent(found.sharpe),
        "max_drawdown_pct": _by_percent(found.max_drawdown_pct),
        "p_loss": found.p_loss,
    }


def _by_percent(values: Any) -> dict[str, Any]:
    return {str(percent): value for percent, value in values.items()}


def _texts(values: list[Any]) -> list[str]:
    """Return equity in units of 1e-8 as money; compounded values are rounded to whole units."""
    return units_texts(packed([round(value) for value in values]))


def _symbols(found: RandomEntries) -> dict[str, dict[str, int]]:
    return {
        symbol: {"settlements": own.settlements, "trips": len(own.lengths), "free": own.free}
        for symbol, own in found.symbols.items()
    }


def _money(units: int) -> str:
    return plain(from_units(units))
