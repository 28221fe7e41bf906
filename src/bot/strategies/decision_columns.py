"""Settlements of a window as columns, and the decisions of a strategy over all of them at once."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bot.market.history import PairSeries
from bot.market.window import ReplayWindow
from bot.memo import Memo
from bot.models import FundingRate, SettlementView
from bot.numbers.columns import DecimalColumn
from bot.numbers.thresholds import Condition, ThresholdColumn

if TYPE_CHECKING:
    from bot.config.run_config import RunConfig

_MAX_DERIVED = 2_000


@dataclass(frozen=True, slots=True)
class PairSettlements:
    """The settlements of one pair, oldest first: those before the window, and the views of those inside."""

    past: Sequence[FundingRate]
    views: Sequence[SettlementView]


class DecisionColumns:
    """Facts that a strategy may know at n settlements: pair by pair, in the order of `pairs`, oldest first.

    `lengths` are the numbers of settlements of the pairs.

    Row i of a column says what was known when row i settled, and nothing later. Columns derived from them are
    remembered with `values` and `derive`, so that trials with the same parameters share them.
    """

    def __init__(self, window: ReplayWindow, series: Mapping[str, PairSeries]) -> None:
        """Take the pairs of a window; `series` are theirs, by symbol."""
        self._window = window
        active = [instrument.spot_active for instrument in window.instruments.values()]
        own = [series[symbol] for symbol in window.instruments]
        self.lengths = [len(one.fresh) for one in own]
        self.spot_active = np.repeat(np.array(active, dtype=np.bool_), self.lengths)
        self.fresh = np.concatenate([one.fresh for one in own])
        self.rates = ThresholdColumn(DecimalColumn.concat([one.rate for one in own]))
        self.rates_8h = ThresholdColumn(DecimalColumn.concat([one.rate_8h for one in own]))
        self.interval_hours = np.concatenate([one.interval_hours for one in own])
        self.spots = DecimalColumn.concat([one.spot for one in own])
        self.perps = DecimalColumn.concat([one.perp for one in own])
        self.volumes = tuple(one.volumes for one in own)
        self.volumes_24h = ThresholdColumn(DecimalColumn.concat([one.volume_24h for one in own]))
        self.derive = Memo(_MAX_DERIVED).get

    @cached_property
    def past(self) -> tuple[Sequence[FundingRate], ...]:
        """The settlements of each pair before the window, oldest first."""
        past: dict[str, list[FundingRate]] = {symbol: [] for symbol in self._window.instruments}
        for record in self._window.past:
            past[record.symbol].append(record)
        return tuple(past.values())

    @cached_property
    def pairs(self) -> tuple[PairSettlements, ...]:
        """The pairs with their settlements one by one, for what has no columns."""
        views: dict[str, list[SettlementView]] = {symbol: [] for symbol in self._window.instruments}
        for event in self._window.events:
            for view in event.settlements:
                views[view.funding.symbol].append(view)
        return tuple(map(PairSettlements, self.past, views.values()))

    @cached_property
    def views(self) -> tuple[SettlementView, ...]:
        """The views of all rows, in their order."""
        return tuple(view for pair in self.pairs for view in pair.views)

    def values(
        self, key: Hashable, of_pair: Callable[[PairSettlements], Iterable[Decimal]]
    ) -> ThresholdColumn:
        """Return a column of exact values, computed once for each `key`.

        `of_pair` returns one value for each of a pair's views, in their order; it is called inside `exact()`.
        Raises: ValueError where they are more or fewer.
        """
        return self.derive(key, lambda: self._computed(key, of_pair))

    def _computed(
        self, key: Hashable, of_pair: Callable[[PairSettlements], Iterable[Decimal]]
    ) -> ThresholdColumn:
        found: list[Decimal] = []
        for pair in self.pairs:
            own = list(of_pair(pair))
            if len(own) != len(pair.views):
                raise ValueError(f"{key}: {len(own)} values for {len(pair.views)} settlements")
            found += own
        return ThresholdColumn(DecimalColumn.from_decimals(found))


class Threshold(NamedTuple):
    """Condition that a column reaches the value of a parameter, named so that its trials share the rest."""

    column: ThresholdColumn
    parameter: str

    def of(self, config: "RunConfig") -> Condition:
        """Return the condition under the parameters of a run."""
        return self.column.reaches(getattr(config, self.parameter))


class ColumnDecisions(NamedTuple):
    """Decisions of one run at every settlement, equal to what its `Strategy` decides event by event.

    Nothing is decided where prices are not fresh, so a column may hold anything there. A pair is worth
    entering where all conditions of `enter` hold; a position stays as long as all of `stay` hold. `order`
    ranks pairs worth entering at one event, the highest value first, then by symbol (None: by symbol alone);
    `fractions` are the shares of a slot to enter with (None: whole slots). Both are computed only where they
    are asked for, inside `exact()`.
    """

    enter: tuple[Condition | Threshold, ...] = ()
    stay: tuple[Condition | Threshold, ...] = ()
    order: Callable[[], ThresholdColumn] | None = None
    fractions: Callable[[], ThresholdColumn] | None = None

    def entering(self, config: "RunConfig") -> tuple[Condition, ...]:
        """Return the conditions of an entry under the parameters of a run."""
        return _conditions(self.enter, config)

    def staying(self, config: "RunConfig") -> tuple[Condition, ...]:
        """Return the conditions of staying in under the parameters of a run."""
        return _conditions(self.stay, config)

    def thresholds(self) -> frozenset[str]:
        """Return the parameters that conditions name."""
        return frozenset(one.parameter for one in (*self.enter, *self.stay) if isinstance(one, Threshold))


def _conditions(declared: Iterable[Condition | Threshold], config: "RunConfig") -> tuple[Condition, ...]:
    return tuple(one.of(config) if isinstance(one, Threshold) else one for one in declared)
