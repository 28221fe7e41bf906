"""Columns of a window as the kernel reads them: whole numbers, a row a pair, a column an event."""

import ctypes
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.backtest.ledger_digest import symbol_code
from bot.kernel.exact_parts import narrow, parts, wide
from bot.kernel.layouts import (
    LARGEST,
    MOMENT,
    PAIR_COLUMNS,
    RULES,
    WINDOW_POINTERS,
    PairColumns,
    Series,
    Window,
    address,
)
from bot.kernel.loading import Library
from bot.kernel.unfit import Reason, UnfitError
from bot.market.history import PairSeries
from bot.market.window import ReplayWindow
from bot.models import Instrument
from bot.numbers.arrays import IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.money import MONEY_PLACES
from bot.selection.days.calendar import DRAWS
from bot.selection.track.track_columns import shared_calendar
from bot.statistics.daily_returns import first_day_of

MOST_PAIRS = 62
_MOST_PRICE = 2**52
_NEVER = 2**63 - 1


class WindowColumns:
    """Everything of one window that every replay of it reads.

    Raises: UnfitError where its numbers are out of the kernel's range.
    """

    def __init__(self, window: ReplayWindow, library: Library) -> None:
        self.symbols = tuple(window.instruments)
        if len(self.symbols) > MOST_PAIRS:
            raise UnfitError(Reason.MANY_PAIRS)
        calendar = window.calendar
        self.pairs, self.events = len(self.symbols), len(calendar.times_ms)
        self.series = [window.event_series(symbol) for symbol in self.symbols]
        ranked = sorted(self.symbols)
        self._arrays: dict[str, npt.NDArray[Any]] = {
            "times": _whole(calendar.times_ms),
            "day_ends": _whole(calendar.day_ends),
            "month_ends": _whole(calendar.month_ends),
            "symbol_order": _whole([ranked.index(symbol) for symbol in self.symbols]),
            "symbol_code": _whole([symbol_code(symbol) for symbol in self.symbols]),
            "week_products": np.empty((0, 0)),
        }
        self._has_end, self._correction = bool(window.contract_ends), 0.0
        judged = shared_calendar(first_day_of(calendar), len(calendar.day_ends))
        if not judged.unfit:
            self._arrays["week_products"] = np.ascontiguousarray(judged.week_products)
            self._correction = judged.correction
        mark_places = self._add_candles(window)
        self._add_pairs(library, mark_places)
        self._add_ends(window, mark_places)
        self._add_missing(window)
        self._rules = self._rules_of(window, mark_places)
        self._structure = self._pointing()

    @property
    def days(self) -> int:
        """Number of UTC days from the first event to the last."""
        return len(self._arrays["day_ends"])

    @property
    def elapsed_ms(self) -> int:
        """Time from the first event to the last."""
        times = self._arrays["times"]
        return int(times[-1] - times[0])

    def structure(self) -> Window:
        """Return the structure that points to the columns; it is valid as long as they are."""
        return Window.from_buffer_copy(self._structure)

    def _pointing(self) -> Window:
        weeks, months = len(self._arrays["week_products"]), len(self._arrays["month_ends"])
        columns = [address(self._arrays[name]) for name in WINDOW_POINTERS]
        counts = self.events, self.pairs, self.days, weeks, months, DRAWS, self._has_end
        return Window(*counts, self._correction, *columns, address(self._rules))

    def _add_pairs(self, library: Library, mark_places: Sequence[int]) -> None:
        """Add prices, marks and flows of the pairs at all events."""
        kept: list[npt.NDArray[Any]] = []
        series = (Series * self.pairs)()
        for number, (one, places) in enumerate(zip(self.series, mark_places, strict=True)):
            prices = one.spot, one.perp, one.paid_mark, one.rate
            spot, perp, paid_mark, rate = (_whole_column(column) for column in prices)
            mark, high = _over(one.mark, -places), _over(one.high, -places)
            own = spot, perp, mark, high, paid_mark, rate, one.fresh, one.pays, one.has_high
            kept += [np.ascontiguousarray(column) for column in own]
            series[number] = Series(*map(address, kept[-len(own) :]))
        cells = self.pairs * self.events
        # The kernel may read four numbers at once from any of them, the last included.
        floats = np.zeros((4, cells + 3))
        found: dict[str, npt.NDArray[Any]] = dict(zip(PAIR_COLUMNS[1:5], floats, strict=True))
        found |= dict(zip(LARGEST, np.empty((len(LARGEST), self.pairs)), strict=True))
        found |= {"moments": _in_lines(cells, MOMENT), "worst": np.empty(cells, dtype=np.int64)}
        pointing = [address(found[name]) for name in (*PAIR_COLUMNS, *LARGEST)]
        columns = PairColumns(self.events, self.pairs, ctypes.addressof(series), *pointing)
        if not library.put_window(columns):
            raise UnfitError(Reason.RANGE)
        self._arrays |= found

    def _add_candles(self, window: ReplayWindow) -> list[int]:
        """Add the candles of marks and spot; return the places of each pair's marks."""
        befores, candles, spots, places, offset = [], [], [], [], 0
        for symbol, one in zip(self.symbols, self.series, strict=True):
            own = window.mark_columns(symbol)
            exponent = min(one.mark.exponent, one.high.exponent, own.high.exponent)
            befores.append(np.concatenate([[0], one.marks_closed]) + offset)
            candles.append((own.closed_ms, _fitting(own.high, exponent)))
            spots.append((own.spot_closed_ms, _fitting(own.spot, own.spot.exponent)))
            offset += len(own.closed_ms)
            places.append(-exponent)
        closed, tops = (_whole(_joined(column)) for column in zip(*candles, strict=True))
        spot_closed, closes = (_whole(_joined(column)) for column in zip(*spots, strict=True))
        self._arrays |= {
            "candles_before": _whole(befores),
            "candle_closed": closed,
            "candle_high": tops,
            "spots_from": _whole(np.cumsum([0, *(len(times) for times, _ in spots)])),
            "spot_closed": spot_closed,
            "spot_close": closes,
        }
        return places

    def _add_ends(self, window: ReplayWindow, mark_places: Sequence[int]) -> None:
        """Add the ends of contracts; raises UnfitError where one has no prices, or strange ones."""
        names = ("end_ms", "end_event", "end_last_event", "end_spot", "end_perp", "end_settle")
        ends = dict(zip(names, np.full((len(names), self.pairs), _NEVER, dtype=np.int64), strict=True))
        recorded, times = np.zeros(self.pairs, dtype=np.uint8), self._arrays["times"]
        for pair, (symbol, one) in enumerate(zip(self.symbols, self.series, strict=True)):
            end = window.contract_ends.get(symbol)
            if end is None:
                continue
            spot, perp, settle = end.ticker.spot, end.ticker.perp, end.settle_price
            if spot is None or perp is None or settle is None or not spot < 2 * settle < 4 * spot:
                raise UnfitError(Reason.RANGE)
            ends["end_ms"][pair] = end.at_ms
            ends["end_event"][pair] = np.searchsorted(times, end.at_ms)
            ends["end_last_event"][pair] = np.searchsorted(times, end.at_ms, side="right") - 1
            ends["end_spot"][pair] = _at_places(spot, -one.spot.exponent)
            ends["end_perp"][pair] = _at_places(perp, -one.perp.exponent)
            ends["end_settle"][pair] = _at_places(settle, mark_places[pair])
            recorded[pair] = end.recorded
        self._arrays |= {**ends, "end_recorded": recorded}

    def _add_missing(self, window: ReplayWindow) -> None:
        none: IntArray = np.empty(0, dtype=np.int64)
        missing = window.missing
        own = [missing[symbol].times_ms if symbol in missing else none for symbol in self.symbols]
        starts = np.cumsum([0, *map(len, own)])
        self._arrays |= {"missing_from": _whole(starts), "missing": _whole(np.concatenate(own))}

    def _rules_of(self, window: ReplayWindow, mark_places: Sequence[int]) -> npt.NDArray[Any]:
        rows = [
            _rules(window.instruments[symbol], one, places)
            for symbol, one, places in zip(self.symbols, self.series, mark_places, strict=True)
        ]
        return np.array(rows, dtype=RULES)


def _rules(instrument: Instrument, series: PairSeries, mark_places: int) -> tuple[Any, ...]:
    """Return the rules of a pair, in the order of `layouts.RULES`.

    Quantities get as many places as booking needs.
    """
    spot, perp = -series.spot.exponent, -series.perp.exponent
    flow = -series.paid_mark.exponent - series.rate.exponent
    step, places = parts(instrument.qty_step)
    quantity = places + max(0, MONEY_PLACES - places - min(spot, perp, flow))
    whole_step = step * 10 ** (quantity - places)
    return (
        narrow(whole_step),
        narrow(max(1, _ceiling(instrument.min_qty, quantity, whole_step))),
        wide(_ceiling(instrument.min_notional, quantity + spot, 1)),
        parts(instrument.mmr),
        quantity,
        spot,
        perp,
        flow,
        mark_places,
    )


def _ceiling(value: Decimal, places: int, unit: int) -> int:
    """Return how many of `unit` over `places` make up `value`, rounded up."""
    mantissa, own = parts(value)
    common = max(own, places)
    found: int = -(-mantissa * 10 ** (common - own) // (unit * 10 ** (common - places)))
    return found


def _at_places(price: Decimal, places: int) -> int:
    mantissa, own = parts(price)
    return narrow(mantissa * 10 ** (places - own))


def _over(column: DecimalColumn, exponent: int) -> IntArray:
    return _whole_column(DecimalColumn(column.mantissas_over(exponent), exponent))


def _fitting(column: DecimalColumn, exponent: int) -> IntArray:
    """Return the mantissas of prices over an exponent; raises UnfitError for one out of range."""
    mantissas = _over(column, exponent)
    if int(np.abs(mantissas).max(initial=0)) >= _MOST_PRICE:
        raise UnfitError(Reason.RANGE)
    return mantissas


def _whole_column(column: DecimalColumn) -> IntArray:
    """Return the mantissas of a column; raises UnfitError where one has more than 64 bits."""
    if column.mantissas.dtype == object:
        raise UnfitError(Reason.RANGE)
    return np.asarray(column.mantissas, dtype=np.int64)


def _joined(columns: Sequence[IntArray]) -> IntArray:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _in_lines(count: int, of: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return `count` structures of the size of a cache line, each in one line."""
    room = np.zeros(of.itemsize * (count + 1), dtype=np.uint8)
    start = -address(room) % of.itemsize
    return room[start : start + of.itemsize * count].view(of)


def _whole(values: Any) -> IntArray:
    return np.ascontiguousarray(values, dtype=np.int64)
