"""Columns of a window as the kernel reads them: whole numbers, a row a pair, a column an event."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.backtest.ledger_digest import symbol_code
from bot.kernel.exact_parts import narrow, parts, wide
from bot.kernel.layouts import MOMENT, RULES, WINDOW_POINTERS, Window, address
from bot.kernel.unfit import Reason, UnfitError
from bot.market.history import PairSeries
from bot.market.window import ReplayWindow
from bot.models import Instrument
from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.columns import DecimalColumn
from bot.numbers.money import MONEY_PLACES
from bot.selection.days.calendar import DRAWS
from bot.selection.track.track_columns import shared_calendar
from bot.statistics.daily_returns import first_day_of

MOST_PAIRS = 62
_MOST_PRICE = 2**52
_MOST_FLOW = 2**62
_NEVER = 2**63 - 1


class WindowColumns:
    """Everything of one window that every replay of it reads.

    Raises: UnfitError where its numbers are out of the kernel's range.
    """

    def __init__(self, window: ReplayWindow) -> None:
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
        moments = _in_lines(self.events * self.pairs, MOMENT).reshape(self.events, self.pairs)
        moments["fresh"] = np.stack([one.fresh for one in self.series]).T
        moments["settled"] = np.cumsum([one.pays for one in self.series], axis=1).T
        self._arrays["moments"] = moments
        self._add_prices(moments)
        self._add_flows(moments)
        mark_places = self._add_marks(window, moments)
        self._add_ends(window, mark_places)
        self._add_missing(window)
        self._rules = self._rules_of(window, mark_places)

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
        weeks, months = len(self._arrays["week_products"]), len(self._arrays["month_ends"])
        found = Window(self.events, self.pairs, self.days, weeks, months, DRAWS, self._has_end)
        found.correction = self._correction
        for name in WINDOW_POINTERS:
            setattr(found, name, address(self._arrays[name]))
        found.rules = address(self._rules)
        return found

    def _add_prices(self, moments: npt.NDArray[Any]) -> None:
        for name in ("spot", "perp"):
            prices = np.stack([_fitting(getattr(one, name), _MOST_PRICE) for one in self.series])
            floats = _in_fours(prices.astype(np.float64))
            moments[name] = prices.T
            self._arrays |= {f"{name}_f": floats, f"largest_{name}": _largest(floats)}

    def _add_flows(self, moments: npt.NDArray[Any]) -> None:
        """Add the unit funding of each settlement in two floats, which together are exact."""
        flows = np.stack([_flow(one) for one in self.series])
        high = flows.astype(np.float64)
        low = (flows - high.astype(np.int64)).astype(np.float64)
        moments["flow"], moments["flow_low"] = high.T, low.T
        sums = np.abs(high).sum(axis=1) * (1 + 2**-20)
        largest = {"largest_flow": _largest(high), "largest_flow_low": _largest(low), "sum_of_flows": sums}
        self._arrays |= {"flow": _in_fours(high), "flow_low": _in_fours(low), **largest}

    def _add_marks(self, window: ReplayWindow, moments: npt.NDArray[Any]) -> list[int]:
        """Add mark prices and the candles of marks and spot; return the places of each pair's marks."""
        marks, highs, befores, candles, spots, places, offset = [], [], [], [], [], [], 0
        for symbol, one in zip(self.symbols, self.series, strict=True):
            own = window.mark_columns(symbol)
            exponent = min(one.mark.exponent, one.high.exponent, own.high.exponent)
            high = _over(one.high, exponent)
            marks.append(_over(one.mark, exponent))
            highs.append(np.where(one.has_high, high, -1))
            closed = np.searchsorted(own.closed_ms, self._arrays["times"], side="right")
            befores.append(np.concatenate([[0], closed]) + offset)
            candles.append((own.closed_ms, _over(own.high, exponent)))
            spots.append((own.spot_closed_ms, _fitting(own.spot, _MOST_PRICE)))
            offset += len(own.closed_ms)
            places.append(-exponent)
        mark, high = _whole(marks), _whole(highs)
        worst = np.maximum(mark, high)
        moments["mark"], moments["high"], moments["worst_after"] = mark.T, high.T, -1
        moments["worst_after"][:-1] = np.maximum.accumulate(worst[:, :0:-1], axis=1)[:, ::-1].T
        closed, tops = (_whole(np.concatenate(column)) for column in zip(*candles, strict=True))
        spot_closed, closes = (_whole(np.concatenate(column)) for column in zip(*spots, strict=True))
        self._arrays |= {
            "worst": worst,
            "candles_before": _whole(befores),
            "candle_closed": closed,
            "candle_high": tops,
            "spots_from": _whole(np.cumsum([0, *(len(times) for times, _ in spots)])),
            "spot_closed": spot_closed,
            "spot_close": closes,
            "largest_mark": _largest(worst.astype(np.float64)),
        }
        return places

    def _add_ends(self, window: ReplayWindow, mark_places: Sequence[int]) -> None:
        """Add the ends of contracts; raises UnfitError where one has no prices, or strange ones."""
        names = ("end_ms", "end_event", "end_last_event", "end_spot", "end_perp", "end_settle")
        ends = {name: np.full(self.pairs, _NEVER, dtype=np.int64) for name in names}
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
        rules = np.zeros(self.pairs, dtype=RULES)
        for row, symbol, one, places in zip(rules, self.symbols, self.series, mark_places, strict=True):
            flow = -one.paid_mark.exponent - one.rate.exponent
            _put_rules(row, window.instruments[symbol], -one.spot.exponent, -one.perp.exponent, flow)
            row["mark_places"] = places
        return rules


def _put_rules(row: Any, instrument: Instrument, spot: int, perp: int, flow: int) -> None:
    """Write the rules of a pair whose columns have these places; quantities get as many as booking needs."""
    step, places = parts(instrument.qty_step)
    quantity = places + max(0, MONEY_PLACES - places - min(spot, perp, flow))
    row["quantity_places"], row["spot_places"], row["perp_places"] = quantity, spot, perp
    row["flow_places"] = flow
    whole_step = step * 10 ** (quantity - places)
    row["step"] = narrow(whole_step)
    row["min_steps"] = narrow(max(1, _ceiling(instrument.min_qty, quantity, whole_step)))
    row["min_notional"] = wide(_ceiling(instrument.min_notional, quantity + spot, 1))
    row["mmr"] = parts(instrument.mmr)


def _ceiling(value: Decimal, places: int, unit: int) -> int:
    """Return how many of `unit` over `places` make up `value`, rounded up."""
    mantissa, own = parts(value)
    common = max(own, places)
    found: int = -(-mantissa * 10 ** (common - own) // (unit * 10 ** (common - places)))
    return found


def _at_places(price: Decimal, places: int) -> int:
    mantissa, own = parts(price)
    return narrow(mantissa * 10 ** (places - own))


def _flow(series: PairSeries) -> IntArray:
    """Return the unit funding of each settlement, 0 where there is none."""
    marks, rates = (
        np.where(series.pays, _fitting(column, _MOST_FLOW), 0) for column in (series.paid_mark, series.rate)
    )
    if int(np.abs(marks).max(initial=0)) * int(np.abs(rates).max(initial=0)) >= _MOST_FLOW:
        raise UnfitError(Reason.RANGE)
    return np.asarray(marks * rates, dtype=np.int64)


def _over(column: DecimalColumn, exponent: int) -> IntArray:
    return _fitting(DecimalColumn(column.mantissas_over(exponent), exponent), _MOST_PRICE)


def _fitting(column: DecimalColumn, limit: int) -> IntArray:
    """Return the mantissas of a column; raises UnfitError unless all are below `limit`."""
    mantissas = column.mantissas
    if mantissas.dtype == object or int(np.abs(mantissas).max(initial=0)) >= limit:
        raise UnfitError(Reason.RANGE)
    return np.asarray(mantissas, dtype=np.int64)


def _largest(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.ascontiguousarray(np.abs(rows).max(axis=1))


def _in_fours(rows: FloatArray) -> FloatArray:
    """Return the rows where the kernel may read four numbers at once from any of them, the last included."""
    room = np.zeros(rows.size + 3)
    room[: rows.size] = rows.ravel()
    return room[: rows.size].reshape(rows.shape)


def _in_lines(count: int, of: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return `count` structures of the size of a cache line, each in one line."""
    room = np.zeros(of.itemsize * (count + 1), dtype=np.uint8)
    start = -room.ctypes.data % of.itemsize
    return room[start : start + of.itemsize * count].view(of)


def _whole(values: Any) -> IntArray:
    return np.ascontiguousarray(values, dtype=np.int64)
