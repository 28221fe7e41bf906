"""Composite scores of every settlement at once, the same as those of one at a time."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.money import ZERO
from bot.numbers.thresholds import ThresholdColumn
from bot.signals.basis import basis_score
from bot.signals.columns import averages, bases, persistences, rate_levels, streaks, trends, volumes_hold
from bot.signals.persistence import next_streak, persistence_score
from bot.signals.rate_level import rate_level_score
from bot.signals.score import SCORE_PLACES, SUB_SCORE_PLACES, weighted_score, whole_weights
from bot.signals.trend import RateAverage, trend_score
from bot.signals.volume import CANDLES_PER_DAY
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
    scores = scores_of(config, columns)

    def masked() -> tuple[ThresholdColumn, ThresholdColumn]:
        paid = scores.where(_positive(columns))
        return paid.where(_volumes_hold(config, columns)), paid

    found: tuple[ThresholdColumn, ThresholdColumn] = columns.derive(
        ("masked", scores, *_volume_key(config)), masked
    )
    return found


def _score_key(config: "RunConfig") -> tuple[Any, ...]:
    parameters = (getattr(config, name) for part in _SUB_SCORES for name in _SUB_SCORES[part])
    return "score", _weights(config), *parameters


def _weights(config: "RunConfig") -> tuple[Decimal, ...]:
    return tuple(getattr(config, f"weight_{part}") for part in _SUB_SCORES)


def _weighted(config: "RunConfig", columns: DecisionColumns) -> ThresholdColumn:
    whole = whole_weights(_weights(config))
    sub_scores, largest = zip(*(_sub_score(part, config, columns) for part in _SUB_SCORES), strict=True)
    if 4 * sum(whole) * max(largest) * 100 >= _SAFE:
        sub_scores = tuple(scores.astype(object) for scores in sub_scores)
    scores = np.asarray(weighted_score(whole, sub_scores), dtype=np.int64)
    return ThresholdColumn(DecimalColumn(scores, -SCORE_PLACES))


def _sub_score(part: str, config: "RunConfig", columns: DecisionColumns) -> tuple[IntArray, int]:
    """Return a sub-score at each settlement, in units, and a bound of its size."""
    key = part, *(getattr(config, name) for name in _SUB_SCORES[part])
    of_all, of_pair = _COMPUTE[part]

    def computed() -> tuple[IntArray, int]:
        found = of_all(config, columns)
        if found is None:
            found = _whole(chain.from_iterable(of_pair(config, pair) for pair in columns.pairs))
        return found, int(np.abs(found).max(initial=_SUB_SCORE_UNIT))

    scores: tuple[IntArray, int] = columns.derive(key, computed)
    return scores


def _whole(scores: Iterator[Decimal]) -> IntArray:
    whole = [int(score.quantize(_SUB_SCORE_STEP).scaleb(SUB_SCORE_PLACES)) for score in scores]
    return np.array(whole, dtype=np.int64)


def _all_rate_levels(config: "RunConfig", columns: DecisionColumns) -> IntArray | None:
    return rate_levels(columns.rates_8h.values, config.rate_cap)


def _all_bases(config: "RunConfig", columns: DecisionColumns) -> IntArray | None:
    return bases(columns.spots, columns.perps, columns.fresh, config.basis_cap)


def _all_trends(config: "RunConfig", columns: DecisionColumns) -> IntArray | None:
    span, threshold = config.trend_ema_span, config.trend_stable_threshold
    found = []
    for rates, past in _histories(columns):
        known = averages(rates, span)
        if known is None:
            return None
        found.append(trends(known, span, threshold)[past:])
    return np.concatenate(found)


def _all_persistences(config: "RunConfig", columns: DecisionColumns) -> IntArray | None:
    threshold = config.persistence_threshold
    lengths = [
        streaks(ThresholdColumn(rates).reaches(threshold).holds())[past:]
        for rates, past in _histories(columns)
    ]
    return persistences(np.concatenate(lengths), config.persistence_max_periods)


def _histories(columns: DecisionColumns) -> list[tuple[DecimalColumn, int]]:
    """Return the rates per 8 hours of each pair, those before the window first, and how many those are."""

    def found() -> list[tuple[DecimalColumn, int]]:
        ends = accumulate(columns.lengths)
        inside = columns.rates_8h.values
        histories = []
        for records, length, end in zip(columns.past, columns.lengths, ends, strict=True):
            past = DecimalColumn.from_decimals([record.rate_8h for record in records])
            own = inside.part(slice(end - length, end))
            histories.append((DecimalColumn.concat([past, own]), len(past)))
        return histories

    known: list[tuple[DecimalColumn, int]] = columns.derive("histories", found)
    return known


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


def _volume_key(config: "RunConfig") -> tuple[int, Decimal]:
    return config.volume_lookback_days, config.volume_decline_ratio


def _volumes_hold(config: "RunConfig", columns: DecisionColumns) -> BoolArray:
    days, ratio = _volume_key(config)

    def held() -> BoolArray:
        half = days * CANDLES_PER_DAY
        found = []
        for one in columns.volumes:
            older, known = one.base_volumes(half, half)
            found.append(volumes_hold(older, one.base_volumes(half, 0)[0], known, ratio))
        return np.concatenate(found)

    found: BoolArray = columns.derive(("volume", days, ratio), held)
    return found


_SUB_SCORES: Mapping[str, tuple[str, ...]] = {
    "rate_level": ("rate_cap",),
    "trend": ("trend_ema_span", "trend_stable_threshold"),
    "persistence": ("persistence_threshold", "persistence_max_periods"),
    "basis": ("basis_cap",),
}
_COMPUTE: Mapping[
    str,
    tuple[
        Callable[["RunConfig", DecisionColumns], IntArray | None],
        Callable[["RunConfig", PairSettlements], Iterator[Decimal]],
    ],
] = {
    "rate_level": (_all_rate_levels, _rate_levels),
    "trend": (_all_trends, _trends),
    "persistence": (_all_persistences, _persistences),
    "basis": (_all_bases, _bases),
}
"""Each sub-score at once, None where its numbers are too large, and one by one."""
