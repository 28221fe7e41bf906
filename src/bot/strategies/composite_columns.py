"""Composite scores of every settlement at once, by the signals that score one at a time."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.money import ZERO
from bot.numbers.thresholds import ThresholdColumn
from bot.signals.basis import basis_score
from bot.signals.persistence import next_streak, persistence_score
from bot.signals.rate_level import rate_level_score
from bot.signals.score import SCORE_PLACES, SUB_SCORE_PLACES, weighted_score, whole_weights
from bot.signals.trend import RateAverage, trend_score
from bot.signals.volume import volume_holds
from bot.strategies.decision_columns import DecisionColumns, PairSettlements

if TYPE_CHECKING:
    from bot.config.run_config import RunConfig

_SAFE = 2**62
_SUB_SCORE_UNIT = 10**SUB_SCORE_PLACES
_SUB_SCORE_STEP = Decimal(1).scaleb(-SUB_SCORE_PLACES)


def scores_of(config: "RunConfig", columns: DecisionColumns) -> ThresholdColumn:
    """Return the composite score at each settlement."""
    found: ThresholdColumn = columns.derive(_score_key(config), lambda: _weighted(config, columns))
    return found


def masked_scores(config: "RunConfig", columns: DecisionColumns) -> tuple[ThresholdColumn, ThresholdColumn]:
    """Return the scores where the rate is positive and volume holds, and where the rate is positive.

    Elsewhere no threshold is reached.
    """
    score_key, volume_key = _score_key(config), (config.volume_lookback_days, config.volume_decline_ratio)

    def masked() -> tuple[ThresholdColumn, ThresholdColumn]:
        paid = columns.derive(
            ("paid", score_key), lambda: scores_of(config, columns).where(_positive(columns))
        )
        return paid.where(_volumes_hold(config, columns)), paid

    # One look-up a trial: its long key is most of what deciding costs.
    found: tuple[ThresholdColumn, ThresholdColumn] = columns.derive((score_key, volume_key), masked)
    return found


def _score_key(config: "RunConfig") -> tuple[Any, ...]:
    parameters = (getattr(config, name) for part in _SUB_SCORES for name in _SUB_SCORES[part])
    return "score", _weights(config), *parameters


def _weights(config: "RunConfig") -> tuple[Decimal, ...]:
    return tuple(getattr(config, f"weight_{part}") for part in _SUB_SCORES)


def _weighted(config: "RunConfig", columns: DecisionColumns) -> ThresholdColumn:
    whole = whole_weights(_weights(config))
    sub_scores = tuple(_sub_score(part, config, columns) for part in _SUB_SCORES)
    largest = max(int(np.abs(scores).max(initial=_SUB_SCORE_UNIT)) for scores in sub_scores)
    if 4 * sum(whole) * largest * 100 >= _SAFE:
        sub_scores = tuple(scores.astype(object) for scores in sub_scores)
    scores = np.asarray(weighted_score(whole, sub_scores), dtype=np.int64)
    return ThresholdColumn(DecimalColumn(scores, -SCORE_PLACES))


def _sub_score(part: str, config: "RunConfig", columns: DecisionColumns) -> IntArray:
    key = part, *(getattr(config, name) for name in _SUB_SCORES[part])
    compute = _COMPUTE[part]
    found: IntArray = columns.derive(
        key, lambda: _whole(chain.from_iterable(compute(config, pair) for pair in columns.pairs))
    )
    return found


def _whole(scores: Iterator[Decimal]) -> IntArray:
    whole = [int(score.quantize(_SUB_SCORE_STEP).scaleb(SUB_SCORE_PLACES)) for score in scores]
    return np.array(whole, dtype=np.int64)


def _rate_levels(config: "RunConfig", pair: PairSettlements) -> Iterator[Decimal]:
    return (rate_level_score(view.funding.rate_8h, config.rate_cap) for view in pair.views)


def _bases(config: "RunConfig", pair: PairSettlements) -> Iterator[Decimal]:
    for view in pair.views:
        spot, perp = view.ticker.spot, view.ticker.perp
        priced = view.ticker.fresh and spot is not None and perp is not None
        yield basis_score(spot, perp, config.basis_cap) if priced else ZERO  # type: ignore[arg-type]


def _trends(config: "RunConfig", pair: PairSettlements) -> Iterator[Decimal]:
    average = RateAverage(config.trend_ema_span)
    for record in pair.past:
        average.add(record.rate_8h)
    for view in pair.views:
        average.add(view.funding.rate_8h)
        yield trend_score(average.change, config.trend_stable_threshold)


def _persistences(config: "RunConfig", pair: PairSettlements) -> Iterator[Decimal]:
    streak = 0
    for record in pair.past:
        streak = next_streak(streak, record.rate_8h, config.persistence_threshold)
    for view in pair.views:
        streak = next_streak(streak, view.funding.rate_8h, config.persistence_threshold)
        yield persistence_score(streak, config.persistence_max_periods)


def _positive(columns: DecisionColumns) -> BoolArray:
    found: BoolArray = columns.derive("positive", lambda: columns.rates.rising(lambda rate: rate > 0).holds())
    return found


def _volumes_hold(config: "RunConfig", columns: DecisionColumns) -> BoolArray:
    days, ratio = config.volume_lookback_days, config.volume_decline_ratio
    found: BoolArray = columns.derive(
        ("volume", days, ratio),
        lambda: np.array([volume_holds(view.volumes, days, ratio) for view in columns.views], dtype=np.bool_),
    )
    return found


_SUB_SCORES: Mapping[str, tuple[str, ...]] = {
    "rate_level": ("rate_cap",),
    "trend": ("trend_ema_span", "trend_stable_threshold"),
    "persistence": ("persistence_threshold", "persistence_max_periods"),
    "basis": ("basis_cap",),
}
_COMPUTE: Mapping[str, Callable[["RunConfig", PairSettlements], Iterator[Decimal]]] = {
    "rate_level": _rate_levels,
    "trend": _trends,
    "persistence": _persistences,
    "basis": _bases,
}
