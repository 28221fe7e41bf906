"""Results of a run by year, beside holding: a year on average, each calendar year, the last twelve months."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from bot.backtest.baseline import FinishedRun
from bot.backtest.evidence import bands_document, regimes_document
from bot.backtest.periods.yearly import years
from bot.models import DAY_MS, FundingRate
from bot.numbers.money import exact, plain
from bot.statistics.metrics import DAYS_PER_YEAR, from_units

_LOW, _HIGH = "5", "95"


@dataclass(frozen=True, slots=True)
class YearChange:
    """A span of time: the change of equity in it, and that of holding, in quote currency.

    `share` and `hold_share` are fractions of the equity it began with, None unless that was positive.
    """

    name: str
    net_pnl: Decimal
    share: float | None
    hold_net_pnl: Decimal
    hold_share: float | None

    def document(self) -> dict[str, Any]:
        """Return the span as JSON values, money as text."""
        return {
            "name": self.name,
            "net_pnl": plain(self.net_pnl),
            "share": self.share,
            "hold_net_pnl": plain(self.hold_net_pnl),
            "hold_share": self.hold_share,
        }


@dataclass(frozen=True, slots=True)
class Yearly:
    """A run by year beside holding; returns are fractions a year of 365 days, None where undefined.

    `band` holds the returns that 5 and 95 % of draws of its own days do not exceed. `hold_at_1x` is what
    holding makes without leverage, `best_regime` the share of the net P&L at the best level of funding, None
    where there is one level or no profit. The years' changes sum to the net P&L.
    """

    annualized: float | None
    band: tuple[float, float] | None
    hold: float | None
    hold_at_1x: float | None
    years: tuple[YearChange, ...]
    last_year: YearChange
    best_regime: float | None

    @classmethod
    def of(
        cls,
        result: FinishedRun,
        hold: FinishedRun,
        hold_at_1x: FinishedRun,
        settled: Sequence[FundingRate],
    ) -> "Yearly":
        """Return a run by year; the other runs are of the same window.

        settled: the settlements of that window and earlier ones, oldest first.
        """
        with exact():
            last = _last_year(result, hold)
        return cls(
            annualized=result.metrics.annualized_return,
            band=_band(result),
            hold=hold.metrics.annualized_return,
            hold_at_1x=hold_at_1x.metrics.annualized_return,
            years=year_changes(result, hold),
            last_year=last,
            best_regime=best_regime(result, settled),
        )

    def document(self) -> dict[str, Any]:
        """Return the figures as JSON values, money as text."""
        return {
            "annualized_return": self.annualized,
            "band": None if self.band is None else list(self.band),
            "hold_annualized_return": self.hold,
            "hold_annualized_return_at_1x": self.hold_at_1x,
            "years": [year.document() for year in self.years],
            "last_year": self.last_year.document(),
            "best_regime_share": self.best_regime,
        }


def year_changes(result: FinishedRun, hold: FinishedRun) -> tuple[YearChange, ...]:
    """Return the UTC years of a run beside holding; their changes sum to its net P&L."""
    window = result.config.start, result.config.end
    own, other = (years(run.curve, run.config.initial_capital, window) for run in (result, hold))
    return tuple(
        YearChange(str(year.year), year.change, year.share, held.change, held.share)
        for year, held in zip(own, other, strict=True)
    )


def _last_year(result: FinishedRun, hold: FinishedRun) -> YearChange:
    """Return the last 365 days, and call a window that is shorter what it is."""
    begun, ended = _ends(result)
    hold_begun, hold_ended = _ends(hold)
    name = "last 365 days" if _year_ago(result) else "whole window"
    return _span(name, ended - begun, begun, hold_ended - hold_begun, hold_begun)


def _year_ago(result: FinishedRun) -> int:
    """Return the number of events up to 365 days before the last one."""
    times = result.calendar.times_ms
    return int(np.searchsorted(times, times[-1] - DAYS_PER_YEAR * DAY_MS, side="right"))


def _ends(result: FinishedRun) -> tuple[Decimal, Decimal]:
    """Return equity 365 days before the last event, or the initial capital, and at the end."""
    units, place = result.curve.units, _year_ago(result)
    begun = result.config.initial_capital if place == 0 else from_units(int(units[place - 1]))
    return begun, from_units(int(units[-1]))


def _span(name: str, change: Decimal, begun: Decimal, held: Decimal, hold_begun: Decimal) -> YearChange:
    return YearChange(
        name,
        change,
        float(change / begun) if begun > 0 else None,
        held,
        float(held / hold_begun) if hold_begun > 0 else None,
    )


def _band(result: FinishedRun) -> tuple[float, float] | None:
    document = bands_document(result)
    if document["bands"] is None:
        return None
    returns, elapsed = document["bands"]["total_return"], len(document["equity"]) / DAYS_PER_YEAR
    low, high = (max(1 + returns[percent], 0.0) ** (1 / elapsed) - 1 for percent in (_LOW, _HIGH))
    return low, high


def best_regime(result: FinishedRun, settled: Sequence[FundingRate]) -> float | None:
    """Return the share of the net P&L at the best level of funding; None without a profit or a second one."""
    found = [Decimal(one["net_pnl"]) for one in regimes_document(result, settled)["regimes"]]
    net = result.metrics.net_pnl
    return float(max(found) / net) if len(found) > 1 and net > 0 else None
