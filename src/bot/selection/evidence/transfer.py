"""Transfer of settings: chosen on some pairs, ranked on the one that was left out."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

FEWEST_VALUES = 3


def transfer(
    objectives: Mapping[str, Sequence[float | int | None]], tested: Collection[str] | None = None
) -> dict[str, float] | None:
    """Return ranks, from 0 to 1, of the setting that is best on the others, by left out value of `symbols`.

    Each value has the objectives of all settings, None (the worst) where ineligible; the higher the better. A
    mean of 0.5 says that nothing transfers. With values that are `tested` the setting is chosen on all others
    once, and ranked on each of them. None below three values or two settings, or without a value to choose
    on.
    """
    known: dict[str, list[float | int]] = {
        name: [-math.inf if one is None else one for one in settings] for name, settings in objectives.items()
    }
    count = len(next(iter(known.values()), []))
    if len(known) < FEWEST_VALUES or count < 2:
        return None
    left_out = [{name} for name in known] if tested is None else [set(tested)]
    if any(known.keys() <= names for names in left_out):
        return None
    return {
        name: _rank(known[name], _best_elsewhere(names, known, count))
        for names in left_out
        for name in known
        if name in names
    }


def transfer_document(ranks: Mapping[str, float]) -> dict[str, Any]:
    """Return ranks by value and their mean as JSON values."""
    return {"ranks": dict(ranks), "mean": math.fsum(ranks.values()) / len(ranks)}


def _best_elsewhere(names: Collection[str], known: Mapping[str, list[float | int]], count: int) -> int:
    others = [settings for other, settings in known.items() if other not in names]
    medians = [_twice_the_median([settings[place] for settings in others]) for place in range(count)]
    return medians.index(max(medians))


def _twice_the_median(values: list[float | int]) -> float | int:
    """Return the sum of the two middle values, which is exact of whole ones."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] + ordered[-half - 1]


def _rank(settings: list[float | int], chosen: int) -> float:
    own = settings[chosen]
    worse, equal = sum(one < own for one in settings), settings.count(own)
    return (worse + (equal - 1) / 2) / (len(settings) - 1)
