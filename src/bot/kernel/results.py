"""Results of the kernel as the columns in which results of trials are stored."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.kernel.layouts import LEDGER_BYTES, RATIOS, RESULTS
from bot.models import DAY_MS, HOUR_MS
from bot.numbers.arrays import BoolArray, FloatArray, IntArray
from bot.selection.days.calendar import Calendar
from bot.selection.track.track_columns import SampleMoments, TrackColumns, shared_calendar
from bot.statistics.daily_returns import DailyReturns, first_day_of
from bot.statistics.growth import annualized_returns
from bot.statistics.metrics import Calendar as EventCalendar
from bot.statistics.trial_columns import UNDEFINED, MetricColumn, TrialColumns
from bot.statistics.trial_metrics import USUAL_METRICS

_OF_YEARS = RATIOS.index("daily_sharpe")
"""Ratios before it are of a year, from it on they are the moments of the track record."""
_SAME = {
    "total_funding": "funding",
    "price_pnl": "price_pnl",
    "total_fees": "fees",
    "max_drawdown": "drawdown",
    "final_equity": "final",
    "total_trades": "trades",
    "winning_trades": "winners",
    "liquidations": "liquidations",
    "margin_exits": "margin_exits",
    "skipped_entries": "skipped",
    "funding_payments": "payments",
    "delistings": "delistings",
    "missed_settlements": "missed",
    "pnl_after_market_end": "after_end",
    "available_funding": "available",
    "missed_before_entry": "before",
    "missed_after_exit": "after",
}
"""Metrics that are a whole result as it stands."""


@dataclass(frozen=True, slots=True, eq=False)
class RunColumns:
    """Results of runs, a row each: whole numbers of `layouts.RESULTS`, floats of `layouts.RATIOS`.

    Hold baselines have no ratios, and of the whole numbers those alone that trials are compared with.
    """

    results: IntArray
    ratios: FloatArray

    @classmethod
    def of(cls, count: int) -> "RunColumns":
        """Return room for the results of `count` runs."""
        return cls(np.zeros((count, len(RESULTS)), dtype=np.int64), np.empty((count, len(RATIOS))))

    @property
    def fits(self) -> BoolArray:
        """The mask of runs all of whose numbers stayed in the range where they are exact."""
        return np.asarray(self["fits"] != 0, dtype=np.bool_)

    def __getitem__(self, name: str) -> IntArray:
        """Return a column of whole numbers by name."""
        return self.results[:, RESULTS.index(name)]

    def at(self, places: BoolArray) -> "RunColumns":
        """Return the results of the runs at `places`, so that each column is in one piece."""
        rows = (self.results, self.ratios) if places.all() else (self.results[places], self.ratios[places])
        return RunColumns(np.asfortranarray(rows[0]), np.asfortranarray(rows[1]))


@dataclass(frozen=True, slots=True)
class Span:
    """Span of a window: its events, their time from first to last, and whether a contract ends in it."""

    events: int
    elapsed_ms: int
    has_end: bool


@dataclass(frozen=True, slots=True, eq=False)
class BatchResults:
    """Results of the runs of one call, and of the hold baselines of their accounts.

    Those of run i are at `sources[i]`: of runs that decide alike one is replayed, and the others do not fit.
    """

    runs: RunColumns
    holds: RunColumns
    hold_of: IntArray
    sources: IntArray
    ledgers: npt.NDArray[np.uint8]
    days: DailyReturns

    @classmethod
    def of(cls, hold_of: IntArray, holds: int, calendar: EventCalendar) -> "BatchResults":
        """Return room for the results of runs with these holds."""
        count, days = len(hold_of), len(calendar.day_ends)
        ledgers = np.zeros((count, LEDGER_BYTES), dtype=np.uint8)
        returns = np.empty((count, days)), np.empty((holds, days))
        daily = DailyReturns.of(first_day_of(calendar), *returns, hold_of)
        sources = np.empty(count, dtype=np.int64)
        return cls(RunColumns.of(count), RunColumns.of(holds), hold_of, sources, ledgers, daily)

    @property
    def fits(self) -> BoolArray:
        """The mask of runs that stayed in range, they and their holds."""
        return self.runs.fits & self.holds.fits[self.hold_of]

    def columns(self, capitals: IntArray, places: BoolArray, span: Span) -> TrialColumns:
        """Return the results of the runs at `places`; `capitals` are those of all accounts, in units."""
        runs, hold_of = self.runs.at(places), self.hold_of[places]
        initial = capitals[hold_of]
        held = {name: self.holds[name][hold_of] for name in ("final", "trades", "fees")}
        found = {name: runs[own] for name, own in _SAME.items()}
        found["net_pnl"] = runs["final"] - initial
        found["hold_net_pnl"] = held["final"] - initial
        found["missed_between"] = runs["available"] - runs["before"] - runs["after"] - runs["caught"]
        found["extra_round_trips"] = runs["trades"] - held["trades"]
        found["extra_fees"] = runs["fees"] - held["fees"]
        if not span.has_end:
            found["pnl_after_market_end"] = np.full(len(initial), UNDEFINED)
        found["net_pnl_over_hold"] = runs["final"] - held["final"]
        records = _records(runs, shared_calendar(self.days.first_day, self.days.days))
        statistics = {**_statistics(runs, initial, found["net_pnl"], span), **records.by_name()}
        every: dict[str, MetricColumn] = {**found, **statistics}
        ordered: dict[str, MetricColumn] = {name: every[name] for name in USUAL_METRICS}
        return TrialColumns(ordered, self.ledgers[places], {})


def _statistics(runs: RunColumns, initial: IntArray, net: IntArray, span: Span) -> dict[str, FloatArray]:
    """Return the float64 metrics, as `run_metrics` defines them; NaN where one is undefined."""
    share, volatility, sharpe, sortino, over_hold = runs.ratios.T[:_OF_YEARS]
    trades, funding, profit = runs["trades"], runs["funding"], net > 0
    annualized = annualized_returns(initial, runs["final"], span.elapsed_ms)
    earned = _per(funding, runs["payments"], where=funding > 0)
    return {
        "win_rate": _per(runs["winners"], trades),
        "max_drawdown_pct": share,
        "total_return": net / initial,
        "annualized_return": annualized,
        "volatility": _finite(volatility),
        "sharpe": _finite(sharpe),
        "sortino": _finite(sortino),
        "sharpe_over_hold": _finite(over_hold),
        "calmar": _per(annualized, share),
        "profit_factor": _per(runs["gains"], runs["losses"]),
        "time_in_market": runs["in_market"] / span.events,
        "avg_holding_hours": _per(runs["held_ms"], trades * HOUR_MS),
        "longest_drawdown_days": runs["longest_ms"] / DAY_MS,
        "best_month_share": _per(runs["best_month"], net, where=profit),
        "best_trade_share": _per(runs["best_trade"], net, where=profit),
        "breakeven_settlements": _per(_per(runs["fees"], trades), earned),
        "captured_share": _per(funding, runs["available"], where=runs["available"] > 0),
    }


def _records(runs: RunColumns, calendar: Calendar) -> TrackColumns:
    if calendar.unfit:
        return TrackColumns.none(len(runs.results))
    return TrackColumns.of_moments(calendar, SampleMoments(*runs.ratios.T[_OF_YEARS:]))


def _per(
    amounts: IntArray | FloatArray, counts: IntArray | FloatArray, *, where: BoolArray | None = None
) -> FloatArray:
    """Return quotients; NaN at a zero count, where `where` does not hold, and where they are not finite."""
    asked = counts != 0 if where is None else (counts != 0) & where
    quotients = np.full(len(counts), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        np.divide(amounts, counts, out=quotients, where=asked)
    return _finite(quotients)


def _finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)
