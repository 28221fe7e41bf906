"""The hedges that trials of one account share: each is opened once, by the formulas that open any hedge."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import cast

import numpy as np

from bot.accounting import formulas
from bot.accounting.fees import FeeCalculator
from bot.accounting.fill_model import FillModel
from bot.accounting.margin import MarginedLeg, margin_model
from bot.config.run_config import RunConfig
from bot.market.history import PairSeries
from bot.market.window import ReplayWindow
from bot.models import SPOT_PERP, Leg, closing_order, opening_order
from bot.numbers.arrays import BoolArray, IntArray
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import MONEY_PLACES
from bot.numbers.thresholds import ThresholdColumn
from bot.statistics.metrics import money_units
from bot.trading.factory import position_sizer

NO_HEDGE = -1
_UNKNOWN = -2


class PriceColumns:
    """Price columns of the only pair of a window, and the marks that can end a hedge, one row per event."""

    def __init__(self, window: ReplayWindow, series: PairSeries) -> None:
        [self.symbol] = window.instruments
        self.window = window
        self.events = window.events
        self.times_ms = window.calendar.times_ms
        self.instrument = window.instruments[self.symbol]
        self.highs = ThresholdColumn(series.high, series.has_high)
        self.marks = ThresholdColumn(series.mark, series.fresh)
        self.spots = ExactArray.of(series.spot)
        self.perps = ExactArray.of(series.perp)
        self.unit_funding = series.unit_funding


@dataclass(frozen=True, slots=True, eq=False)
class HedgeColumns:
    """Hedges at their opening, one column per amount of a Position; `entries` are event indices."""

    entries: IntArray
    quantity: ExactArray
    spot_entry: ExactArray
    perp_entry: ExactArray
    spot_cost: ExactArray
    margin: ExactArray
    entry_fees: ExactArray

    def __getitem__(self, index: IntArray) -> "HedgeColumns":
        """Return the hedges at `index`."""
        return HedgeColumns(self.entries[index], *(amounts[index] for amounts in self.amounts()))

    def amounts(self) -> list[ExactArray]:
        """Return the columns after `entries`, in order."""
        return [getattr(self, field.name) for field in fields(self)[1:]]


class HedgeBook:
    """The hedges of one account over the only pair of a window, by number. Call inside `exact()`.

    Sizing on the initial capital makes a hedge depend on its entry alone, as long as cash covers a slot.
    Hedge n is liquidated at event `liquidated_at[n]` and closed for its margin at `margin_exit_at[n]`, the
    number of events where prices spare it.
    """

    def __init__(self, config: RunConfig, pair: PriceColumns) -> None:
        self.pair = pair
        self.initial = money_units(config.initial_capital)
        self.fills = FillModel(config.slippage)
        self.structure = sides = SPOT_PERP
        self.spot_entries = self.fills.price(opening_order(sides.spot), pair.spots)
        self.spot_exits = self.fills.price(closing_order(sides.spot), pair.spots)
        self.perp_entries = self.fills.price(opening_order(sides.perp), pair.perps)
        self.perp_exits = self.fills.price(closing_order(sides.perp), pair.perps)
        self.fees = FeeCalculator(config.fees)
        self.margin = margin_model(pair.instrument, config.margin_exit_ratio)
        self._config = config
        self._sizer = position_sizer(config)
        self.slot = self._sizer.slot_units(config.initial_capital)
        self._number_at = np.full(len(pair.events), _UNKNOWN, dtype=np.int64)
        self._with_cash: dict[tuple[int, ...], int] = {}
        self._count = 0
        self._rows = np.zeros((len(fields(HedgeColumns)) + 2, 64), dtype=np.int64)
        self._rows[-2:] = len(pair.events)
        self._exponents = [0] * 6

    @property
    def liquidated_at(self) -> IntArray:
        """Event of each hedge's liquidation; that of NO_HEDGE is never."""
        return cast("IntArray", self._rows[-2])

    @property
    def margin_exit_at(self) -> IntArray:
        """Event of each hedge's margin exit; that of NO_HEDGE is never."""
        return cast("IntArray", self._rows[-1])

    def hedges(self, numbers: IntArray) -> HedgeColumns:
        """Return hedges by number."""
        entries, *amounts = self._rows[:-2, numbers]
        columns = zip(amounts, self._exponents, strict=True)
        return HedgeColumns(entries, *(ExactArray(whole, exponent) for whole, exponent in columns))

    def open_at(self, moments: BoolArray) -> None:
        """Open hedges with a whole slot at the events where `moments` holds, before they are asked for."""
        entries = np.flatnonzero(moments & (self._number_at == _UNKNOWN))
        if len(entries):
            cash, last = np.full(len(entries), self.initial), np.full(len(entries), len(self._number_at) - 1)
            self._number_at[entries] = self._open(entries, cash, last)

    @contextmanager
    def short_of_cash(self) -> Iterator[None]:
        """Forget afterwards the hedges of accounts with less than a slot; hardly any two trials share one."""
        kept = self._count
        try:
            yield
        finally:
            self._count = kept
            self._number_at[self._number_at >= kept] = _UNKNOWN
            self._with_cash.clear()

    def opened(self, entries: IntArray) -> IntArray:
        """Return the hedges opened with a whole slot, NO_HEDGE where that is too small for an order."""
        numbers = self._number_at[entries]
        if (numbers == _UNKNOWN).any():
            moments = np.zeros(len(self._number_at), dtype=bool)
            moments[entries] = True
            self.open_at(moments)
            numbers = self._number_at[entries]
        return numbers

    def opened_with(self, entries: IntArray, cash: IntArray, until: IntArray) -> IntArray:
        """Return the hedges opened at these events by accounts with this much cash, in units of 1e-8.

        None of them is held past the event `until`.
        """
        numbers, enough = np.full(len(entries), NO_HEDGE, dtype=np.int64), cash >= self.slot
        if enough.any():
            numbers[enough] = self.opened(entries[enough])
        short = np.flatnonzero(~enough)
        keys = list(zip(*(column[short].tolist() for column in (entries, cash, until)), strict=True))
        new = [key for key in dict.fromkeys(keys) if key not in self._with_cash]
        if new:
            opened = self._open(*np.array(new, dtype=np.int64).T)
            self._with_cash.update(zip(new, opened.tolist(), strict=True))
        numbers[short] = [self._with_cash[key] for key in keys]
        return numbers

    def _open(self, entries: IntArray, cash: IntArray, until: IntArray) -> IntArray:
        """Open hedges with so much cash and return their numbers, NO_HEDGE where no order is large enough.

        None is held past the event `until`.
        """
        pair, base = self.pair, self._config.initial_capital
        spots, perps, free = pair.spots[entries], pair.perps[entries], ExactArray(cash, -MONEY_PLACES)
        quantities = self._sizer.quantities(spots, perps, pair.instrument, base, free)
        some = np.flatnonzero(quantities.mantissas > 0)
        numbers = np.full(len(entries), NO_HEDGE, dtype=np.int64)
        numbers[some] = np.arange(self._count, self._count + len(some))
        if len(some):
            self._note(self._filled(entries[some], quantities[some]), until[some])
        return numbers

    def _filled(self, entries: IntArray, quantity: ExactArray) -> HedgeColumns:
        spot, perp = self.spot_entries[entries], self.perp_entries[entries]
        fees = self.fees.fee(Leg.SPOT, quantity, spot) + self.fees.fee(Leg.PERP, quantity, perp)
        margin = formulas.locked_margin(quantity, perp, self._config.perp_leverage)
        return HedgeColumns(entries, quantity, spot, perp, formulas.notional(quantity, spot), margin, fees)

    def _note(self, opened: HedgeColumns, until: IntArray) -> None:
        pair, amounts = self.pair, opened.amounts()
        legs = MarginedLeg(self.structure.perp, opened.margin, opened.quantity, opened.perp_entry)
        held = opened.entries + 1, until + 1
        fatal = self.margin.first_liquidation(legs, pair.highs, *held)
        forced = self.margin.first_margin_exit(legs, pair.marks, *held)
        first, self._count = self._count, self._count + len(opened.entries)
        # One column always stays unused: NO_HEDGE is -1, and reads there that nothing ever ends it.
        while self._count >= self._rows.shape[1]:
            never = np.zeros_like(self._rows)
            never[-2:] = len(pair.events)
            self._rows = np.hstack([self._rows, never])
        # The same at every call: exponents follow from price columns, steps and places, not from the values.
        self._exponents = [amount.exponent for amount in amounts]
        rows = opened.entries, *(amount.mantissas for amount in amounts), fatal, forced
        for row, values in zip(self._rows, rows, strict=True):
            row[first : self._count] = values
