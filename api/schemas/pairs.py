"""The pair explorer's documents: figures of a pair, what a round trip costs, and how soon it is repaid."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Self, cast

import numpy as np

from bot.accounting.fees import FeeSchedule
from bot.config.fields import FeeRate, Number
from bot.config.parameters import AccountParameters, Parameters
from bot.errors import InvalidInputError
from bot.market.intervals import interval_spans
from bot.market_store.pair_figures.funding import (
    autocorrelations,
    boxes_by_hour,
    boxes_by_month,
    distribution,
    months_of_funding,
    rates_8h,
    round_trip_cost,
    settlements_to_repay,
)
from bot.market_store.pair_figures.pairs import Pair, PairSeries
from bot.market_store.pair_figures.thinning import thinned
from bot.notation import quoted
from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.money import plain
from bot.validation import validated

LAGS = 48
_COLUMNS = 600
_DEFAULTS = AccountParameters.model_fields
_BPS = Decimal(10_000)


class Costs(Parameters):
    """Costs of a fill: taker fees of both legs and slippage; those of a run by default."""

    spot_taker: FeeRate = _DEFAULTS["spot_taker"].default
    perp_taker: FeeRate = _DEFAULTS["perp_taker"].default
    slippage_bps: Number = _DEFAULTS["slippage_bps"].default

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> Self:
        """Return the costs that an address names; raises InvalidInputError naming the field."""
        given = {name: query[name] for name in cls.model_fields if query.get(name, "").strip()}
        costs = validated(cls, given)
        if not 0 <= costs.slippage_bps < _BPS:
            raise InvalidInputError.of(
                "slippage_bps", f"{plain(costs.slippage_bps)} is not from 0 to below 10000"
            )
        return costs

    @property
    def round_trip(self) -> Decimal:
        """Return the cost of opening and closing both legs, as a share of the notional."""
        return round_trip_cost(FeeSchedule(self.spot_taker, self.perp_taker), self.slippage_bps.scaleb(-4))


@dataclass(frozen=True, slots=True)
class PairRow:
    """A pair beside what it takes to repay a round trip; None where its average settlement earns nothing."""

    pair: Pair
    break_even: float | None
    break_even_days: float | None

    @classmethod
    def of(cls, pair: Pair, costs: Costs) -> Self:
        """Return the pair at these costs."""
        funding = pair.funding
        settlements = settlements_to_repay(costs.round_trip, funding.total, funding.settlements)
        mean_hours = funding.hours / funding.settlements
        return cls(pair, settlements, None if settlements is None else settlements * mean_hours / 24)

    def document(self) -> dict[str, Any]:
        """Return the row as JSON values: the sum of the rates as exact text, statistics as numbers."""
        pair = self.pair
        return {
            "exchange": pair.exchange,
            "symbol": pair.symbol,
            "synthetic": pair.synthetic,
            "funding": {**asdict(pair.funding), "total": plain(pair.funding.total)},
            "basis": None if pair.basis is None else asdict(pair.basis),
            "break_even_settlements": self.break_even,
            "break_even_days": self.break_even_days,
        }


_Figure = float | str | None
SORTS: Mapping[str, Callable[[PairRow], _Figure]] = {
    "symbol": lambda row: row.pair.symbol,
    "exchange": lambda row: row.pair.exchange,
    "settlements": lambda row: row.pair.funding.settlements,
    "interval_hours": lambda row: row.pair.funding.interval_hours,
    "carry_per_year": lambda row: row.pair.funding.carry_per_year,
    "mean_8h": lambda row: row.pair.funding.mean_8h,
    "median_8h": lambda row: row.pair.funding.median_8h,
    "deviation_8h": lambda row: row.pair.funding.deviation_8h,
    "positive_share": lambda row: row.pair.funding.positive_share,
    "persistence": lambda row: row.pair.funding.persistence,
    "autocorrelation": lambda row: row.pair.funding.autocorrelation,
    "longest_negative": lambda row: row.pair.funding.longest_negative,
    "break_even": lambda row: row.break_even,
    "basis_mean": lambda row: None if row.pair.basis is None else row.pair.basis.mean,
    "basis_deviation": lambda row: None if row.pair.basis is None else row.pair.basis.deviation,
    "last_ms": lambda row: row.pair.funding.last_ms,
}
DEFAULT_SORT = "-carry_per_year"


def sorted_rows(rows: list[PairRow], sort: str) -> list[PairRow]:
    """Return the rows by one figure, a leading minus for the largest first; undefined ones come last.

    Raises: InvalidInputError for a figure that there is not.
    """
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name not in SORTS:
        raise InvalidInputError.of("sort", f"{quoted(sort)} is none of {', '.join(SORTS)}, with or without -")
    figure = SORTS[name]
    named = sorted(rows, key=lambda row: (row.pair.exchange, row.pair.symbol))
    known = [row for row in named if figure(row) is not None]
    known.sort(key=lambda row: cast("float", figure(row)), reverse=descending)
    return known + [row for row in named if figure(row) is None]


def pair_document(row: PairRow, series: PairSeries) -> dict[str, Any]:
    """Return everything about one pair in a window, its curves thinned to what a screen can show."""
    funding = series.funding
    rates, bins = rates_8h(funding), distribution(funding)
    return {
        **row.document(),
        "distribution": bins
        and {"start": plain(bins.start), "width": plain(bins.width), "counts": list(bins.counts)},
        "autocorrelations": autocorrelations(rates, LAGS),
        "intervals": [asdict(span) for span in interval_spans(funding.t_ms, funding.interval_hours)],
        "months": [
            {**asdict(month), "total": plain(month.total), "carry_per_year": month.carry_per_year}
            for month in months_of_funding(funding)
        ],
        "boxes_by_hour": [asdict(box) for box in boxes_by_hour(funding)],
        "boxes_by_month": [asdict(box) for box in boxes_by_month(funding)],
        "rates_8h": _points(funding.t_ms, rates),
        "basis_points": _points(funding.t_ms, series.basis),
    }


def _points(times: IntArray, values: FloatArray) -> list[list[float]]:
    known = ~np.isnan(values)
    times, values = times[known], values[known]
    if not len(times):
        return []
    kept = thinned(times, [values], _COLUMNS)
    return [[t, value] for t, value in zip(times[kept].tolist(), values[kept].tolist(), strict=True)]
