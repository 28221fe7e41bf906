"""The decisions of our own strategies at every settlement of a pair at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

import numpy as np

from bot.backtest.batch.decision_columns import DecisionColumns
from bot.config.run_config import RunConfig
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.money import ZERO
from bot.numbers.thresholds import EventMask
from bot.signals.basis import basis_score
from bot.signals.persistence import next_streak, persistence_score
from bot.signals.rate_level import rate_level_score
from bot.signals.score import SCORE_PLACES, SUB_SCORE_PLACES, weighted_score, whole_weights
from bot.signals.trend import RateAverage, trend_score
from bot.signals.volume import volume_holds
from bot.strategies.opportunity_ranker import OpportunityRanker

HOLD = "hold"
_SAFE = 2**62
_SUB_SCORE_UNIT = 10**SUB_SCORE_PLACES


@dataclass(frozen=True, slots=True)
class Decisions:
    """Event masks of a strategy: entries of a flat account, and exits of a held pair by signal.

    Trials that decide alike have the same masks, so that what follows from one is worked out once.
    """

    entries: EventMask
    exits: EventMask


def simple_decisions(config: RunConfig, columns: DecisionColumns) -> Decisions:
    """Return the event masks of `simple`."""
    entry_key = (
        "simple",
        config.min_funding_rate,
        config.min_volume_24h,
        config.min_holding_periods,
        config.spot_taker,
        config.perp_taker,
    )
    exit_key = ("simple", config.exit_funding_rate)
    return Decisions(
        columns.derive(entry_key, lambda: EventMask.of(_simple_entries(config, columns))),
        columns.derive(exit_key, lambda: EventMask.of(_simple_exits(config, columns))),
    )


def _simple_entries(config: RunConfig, columns: DecisionColumns) -> BoolArray:
    key = "earning", config.min_volume_24h, config.min_holding_periods, config.spot_taker, config.perp_taker
    earning = columns.derive(key, lambda: _earning(config, columns))
    return earning & columns.rates_8h.at_least(config.min_funding_rate)


def _earning(config: RunConfig, columns: DecisionColumns) -> BoolArray:
    """Return the mask of settlements at which everything but the rate's threshold allows an entry."""
    ranker = OpportunityRanker(
        config.min_funding_rate, config.min_volume_24h, config.min_holding_periods, config.fees
    )
    passing = columns.volumes_24h.at_least(config.min_volume_24h)
    passing &= columns.rates.satisfying(ranker.earns_fees)
    return columns.fresh & passing & columns.spot_active


def _simple_exits(config: RunConfig, columns: DecisionColumns) -> BoolArray:
    return columns.fresh & ~columns.rates_8h.at_least(config.exit_funding_rate)


def composite_decisions(config: RunConfig, columns: DecisionColumns) -> Decisions:
    """Return the event masks of `composite` without dynamic sizing."""
    scores, score_key = _scores(config, columns)
    entry_key = (
        *score_key,
        config.entry_threshold,
        config.volume_lookback_days,
        config.volume_decline_ratio,
    )
    exit_key = (*score_key, config.exit_threshold)
    return Decisions(
        columns.derive(entry_key, lambda: EventMask.of(_composite_entries(config, columns, scores))),
        columns.derive(exit_key, lambda: EventMask.of(_composite_exits(config, columns, scores))),
    )


def hold_decisions(_config: RunConfig, columns: DecisionColumns) -> Decisions:
    """Return the event masks of `hold`."""
    entries = columns.derive("hold entries", lambda: EventMask.of(columns.fresh))
    never = columns.derive("never", lambda: EventMask.of(np.zeros_like(columns.fresh)))
    return Decisions(entries, never)


def _composite_entries(config: RunConfig, columns: DecisionColumns, scores: IntArray) -> BoolArray:
    holds = _positive(columns) & _volumes_hold(config, columns)
    return columns.fresh & holds & _reach(scores, config.entry_threshold)


def _composite_exits(config: RunConfig, columns: DecisionColumns, scores: IntArray) -> BoolArray:
    return columns.fresh & ~(_positive(columns) & _reach(scores, config.exit_threshold))


def _positive(columns: DecisionColumns) -> BoolArray:
    return columns.derive("positive", lambda: columns.rates.satisfying(lambda rate: rate > 0))


def _scores(config: RunConfig, columns: DecisionColumns) -> tuple[IntArray, tuple[Any, ...]]:
    parts, weights = _SUB_SCORES, tuple(getattr(config, f"weight_{part}") for part in _SUB_SCORES)
    key: tuple[Any, ...] = (
        "score",
        weights,
        *(getattr(config, name) for part in parts for name in parts[part]),
    )
    return columns.derive(key, lambda: _weighted(config, columns, weights)), key


def _weighted(config: RunConfig, columns: DecisionColumns, weights: tuple[Decimal, ...]) -> IntArray:
    whole = whole_weights(weights)
    sub_scores = tuple(_sub_score(part, config, columns) for part in _SUB_SCORES)
    largest = max(int(np.abs(scores).max(initial=_SUB_SCORE_UNIT)) for scores in sub_scores)
    if 4 * sum(whole) * largest * 100 >= _SAFE:
        sub_scores = tuple(scores.astype(object) for scores in sub_scores)
    return np.asarray(weighted_score(whole, sub_scores), dtype=np.int64)


def _sub_score(part: str, config: RunConfig, columns: DecisionColumns) -> IntArray:
    key = (part, *(getattr(config, name) for name in _SUB_SCORES[part]))
    return columns.derive(key, lambda: _whole(_COMPUTE[part](config, columns)))


def _whole(scores: Iterable[Decimal]) -> IntArray:
    step = Decimal(1).scaleb(-SUB_SCORE_PLACES)
    return np.array([int(score.quantize(step).scaleb(SUB_SCORE_PLACES)) for score in scores], dtype=np.int64)


def _rate_levels(config: RunConfig, columns: DecisionColumns) -> Iterator[Decimal]:
    return (rate_level_score(view.funding.rate_8h, config.rate_cap) for view in columns.views)


def _bases(config: RunConfig, columns: DecisionColumns) -> Iterator[Decimal]:
    for view in columns.views:
        spot, perp = view.ticker.spot, view.ticker.perp
        priced = view.ticker.fresh and spot is not None and perp is not None
        yield basis_score(spot, perp, config.basis_cap) if priced else ZERO  # type: ignore[arg-type]


def _trends(config: RunConfig, columns: DecisionColumns) -> Iterator[Decimal]:
    average = RateAverage(config.trend_ema_span)
    for record in columns.past:
        average.add(record.rate_8h)
    for view in columns.views:
        average.add(view.funding.rate_8h)
        yield trend_score(average.change, config.trend_stable_threshold)


def _persistences(config: RunConfig, columns: DecisionColumns) -> Iterator[Decimal]:
    streak = 0
    for record in columns.past:
        streak = next_streak(streak, record.rate_8h, config.persistence_threshold)
    for view in columns.views:
        streak = next_streak(streak, view.funding.rate_8h, config.persistence_threshold)
        yield persistence_score(streak, config.persistence_max_periods)


def _volumes_hold(config: RunConfig, columns: DecisionColumns) -> BoolArray:
    days, ratio = config.volume_lookback_days, config.volume_decline_ratio
    return columns.derive(
        ("volume", days, ratio),
        lambda: np.array([volume_holds(view.volumes, days, ratio) for view in columns.views], dtype=bool),
    )


def _reach(scores: IntArray, threshold: Decimal) -> BoolArray:
    return scores >= int(threshold.scaleb(SCORE_PLACES).to_integral_value(ROUND_CEILING))


_SUB_SCORES: Mapping[str, tuple[str, ...]] = {
    "rate_level": ("rate_cap",),
    "trend": ("trend_ema_span", "trend_stable_threshold"),
    "persistence": ("persistence_threshold", "persistence_max_periods"),
    "basis": ("basis_cap",),
}
_COMPUTE: Mapping[str, Callable[[RunConfig, DecisionColumns], Iterator[Decimal]]] = {
    "rate_level": _rate_levels,
    "trend": _trends,
    "persistence": _persistences,
    "basis": _bases,
}

DECISIONS: Mapping[str, Callable[[RunConfig, DecisionColumns], Decisions]] = {
    "simple": simple_decisions,
    "composite": composite_decisions,
    HOLD: hold_decisions,
}
