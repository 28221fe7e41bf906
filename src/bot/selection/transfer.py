"""Transfer of settings: chosen on some pairs, ranked on the one that was left out."""

import math
import statistics
from collections.abc import Mapping, Sequence

FEWEST_VALUES = 3


def transfer(objectives: Mapping[str, Sequence[float | None]]) -> dict[str, float] | None:
    """Return ranks, from 0 to 1, of the setting that is best on the others, by left out value of `symbols`.

    Each value has the objectives of all settings, None (the worst) where ineligible. A mean of 0.5 says that
    nothing transfers. None below three values or two settings.
    """
    known = {
        name: [-math.inf if one is None else one for one in settings] for name, settings in objectives.items()
    }
    count = len(next(iter(known.values()), []))
    if len(known) < FEWEST_VALUES or count < 2:
        return None
    return {name: _rank(own, _best_elsewhere(name, known, count)) for name, own in known.items()}


def _best_elsewhere(name: str, known: Mapping[str, list[float]], count: int) -> int:
    others = [settings for other, settings in known.items() if other != name]
    medians = [statistics.median(settings[place] for settings in others) for place in range(count)]
    return medians.index(max(medians))


def _rank(settings: list[float], chosen: int) -> float:
    own = settings[chosen]
    worse, equal = sum(one < own for one in settings), settings.count(own)
    return (worse + (equal - 1) / 2) / (len(settings) - 1)
