"""The settlements of one pair as columns, so that a decision is taken at all of them at once."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from bot.models import FundingRate, SettlementView

Mask = npt.NDArray[np.bool_]
Derived = TypeVar("Derived")
_MAX_DERIVED = 2_000


class Ranked:
    """Exact values by their rank among the distinct ones: comparing ranks is comparing the values."""

    def __init__(self, values: Sequence[Decimal | None]) -> None:
        self.distinct = sorted({value for value in values if value is not None})
        rank = {value: index for index, value in enumerate(self.distinct)}
        self.ranks = np.array([-1 if value is None else rank[value] for value in values], dtype=np.int32)

    def at_least(self, threshold: Decimal) -> Mask:
        """Return where the value is `threshold` or more; never where there is no value."""
        return self.ranks >= bisect_left(self.distinct, threshold)

    def satisfying(self, rising: Callable[[Decimal], bool]) -> Mask:
        """Return where `rising`, a condition that stays true for larger values, holds."""
        return self.ranks >= bisect_left(self.distinct, True, key=rising)


class DecisionColumns:
    """What a strategy may know at each settlement of one pair, oldest first.

    `past` are the settlements before the window. Whatever is derived from the columns is remembered, so
    that trials with the same parameters share it.
    """

    def __init__(self, past: Sequence[FundingRate], views: Sequence[SettlementView]) -> None:
        self.past = past
        self.views = views
        self.fresh: Mask = np.array([view.ticker.fresh for view in views], dtype=bool)
        self.rates = Ranked([view.funding.rate for view in views])
        self.rates_8h = Ranked([view.funding.rate_8h for view in views])
        self.volumes_24h = Ranked([view.ticker.volume_24h for view in views])
        self.spot_active: Mask = np.array([view.instrument.spot_active for view in views], dtype=bool)
        self._derived: dict[Hashable, Any] = {}

    def derive(self, key: Hashable, compute: Callable[[], Derived]) -> Derived:
        """Return what `compute` gives, computed once for each `key`."""
        if key not in self._derived:
            if len(self._derived) >= _MAX_DERIVED:
                self._derived.clear()
            self._derived[key] = compute()
        return cast("Derived", self._derived[key])
