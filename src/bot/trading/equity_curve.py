"""Equity curves of accounts over the events of a replay: hedges are priced together, once all are known."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple, cast

import numpy as np

from bot.accounting import formulas
from bot.market.event_columns import PairColumns
from bot.numbers.arrays import IntArray
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import MONEY_PLACES
from bot.statistics.metrics import Units, amount_units, fitting, packed
from bot.trading.payments import HedgeSpan


class _CurveSpan(NamedTuple):
    """Hedge over a span of events, its funding by each of them, and the offset of its account's curve."""

    hedge: HedgeSpan
    received: ExactArray
    offset: int


class EquityCurveBuilder:
    """Builder of one account's equity curve, from the first event to the last."""

    def __init__(self) -> None:
        self.events_in_market = 0
        self._equities: list[Decimal] = []
        self._events: list[int] = []
        self._held: list[tuple[HedgeSpan, ExactArray]] = []

    def add_flat(self, equity: Decimal, events: int, *, held: bool) -> None:
        """Append the same equity after each of the next `events` events."""
        self._equities.append(equity)
        self._events.append(events)
        if held:
            self.events_in_market += events

    def add_hedges(
        self, hedges: Sequence[HedgeSpan], before: Decimal, received: Iterable[ExactArray]
    ) -> None:
        """Append events with open hedges: the cash `before` them, and each hedge's funding by each event."""
        self.add_flat(before, hedges[0].stop - hedges[0].first, held=True)
        self._held.extend(zip(hedges, received, strict=True))

    def flat_units(self) -> Units:
        """Return the equity in units of 1e-8, without what hedges from `add_hedges` add."""
        return cast("Units", packed(amount_units(self._equities)).repeat(self._events))

    def spans(self, offset: int) -> list[_CurveSpan]:
        """Return the hedges of `add_hedges`, for an account whose curve begins at `offset` among others."""
        return [_CurveSpan(hedge, received, offset) for hedge, received in self._held]


def equity_units(curves: Sequence[EquityCurveBuilder]) -> list[Units]:
    """Return the equity of accounts over the same events, in units of 1e-8. Call inside `exact()`."""
    units = cast("Units", np.concatenate([curve.flat_units() for curve in curves]))
    events = len(units) // len(curves)
    pairs: dict[PairColumns, list[_CurveSpan]] = {}
    for row, curve in enumerate(curves):
        for span in curve.spans(row * events):
            pairs.setdefault(span.hedge.pair, []).append(span)
    for pair, spans in pairs.items():
        added, places = _added(pair, spans)
        if added.dtype.hasobject:
            units = units.astype(object)
        units[places] += added
        units = fitting(units)
    rows = cast("list[Units]", list(units.reshape(len(curves), events)))
    return [fitting(row) for row in rows] if units.dtype.hasobject else rows


def _added(pair: PairColumns, spans: list[_CurveSpan]) -> tuple[Units, IntArray]:
    """Return the equity that hedges of one pair add, one span after another, and its indices."""
    hedges = [span.hedge for span in spans]
    which = np.arange(len(hedges)).repeat([hedge.stop - hedge.first for hedge in hedges])
    places = np.concatenate([np.arange(hedge.first, hedge.stop) for hedge in hedges])
    quantities = ExactArray.from_decimals([hedge.position.quantity for hedge in hedges])
    entries = ExactArray.from_decimals([hedge.position.perp_entry for hedge in hedges])
    prices = pair.spot[places], entries[which], pair.perp[places]
    value = formulas.hedge_value(*hedges[0].position.structure, quantities[which], *prices)
    received = ExactArray.joined([span.received for span in spans])
    offsets = np.array([span.offset for span in spans])
    return (received + value).whole(MONEY_PLACES), offsets[which] + places
