"""Round trips of one hedge that nothing interrupts, priced many at once by the formulas of its legs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np

from bot.accounting import formulas
from bot.config.run_config import RunConfig
from bot.hedges.contracts import Contract
from bot.hedges.costs import OrderCosts, fill_price
from bot.hedges.legs.table import LONG_SIDE
from bot.hedges.mark_tests import wiped_out_at
from bot.hedges.markets import LegMarket
from bot.hedges.positions import OpenHedge
from bot.models import HOUR_MS, CloseReason
from bot.numbers.arrays import IntArray
from bot.numbers.exact_array import ExactArray
from bot.numbers.money import MONEY_PLACES, ONE, ZERO
from bot.statistics.metrics import Units, money_units

_PAYMENTS_AT_ONCE = 500_000
_NEVER_MS = int(np.iinfo(np.int64).max)


def has_columns(config: RunConfig, legs: Sequence[LegMarket]) -> bool:
    """Return whether columns price trips of an account: all but those with a lag, a margin policy or impact,
    and hedges whose fees and funding are coins."""
    plain = not config.fill_lag_candles and config.margin_policy == "none" and not config.impact_bps
    return plain and not any(leg.kind.in_coins for leg in legs)


def untouched_until(hedge: OpenHedge, stresses: Sequence[int], last_ms: int) -> int:
    """Return the first moment, up to `last_ms`, at which something happens to a hedge that was opened."""
    moments: list[int | None] = [_NEVER_MS, *stresses]
    for leg in hedge.legs:
        moments.append(leg.contract.to_ms)
        if leg.market.kind.is_margined:
            moments.append(wiped_out_at(leg, last_ms))
    return min(at_ms for at_ms in moments if at_ms is not None and at_ms > hedge.opened_ms)


class _Stream(NamedTuple):
    """Receipts of a short unit at each of some times, ms UTC, not booked."""

    times_ms: IntArray
    per_unit: ExactArray


@dataclass(frozen=True, slots=True)
class _LegColumns:
    """A leg as its kind's formulas read it, of each trip."""

    side: Any
    quantity: ExactArray
    entry: ExactArray


class TripColumns:
    """Prices trips of hedges opened with the same contracts; `events` are those of the window, ms UTC.

    Call inside `exact_products()`.
    """

    def __init__(self, costs: OrderCosts, legs: Sequence[LegMarket], events: Sequence[int]) -> None:
        self._costs = costs
        self._legs = legs
        self._events = events
        self._streams: dict[int, _Stream] = {}

    def net_pnls(self, opened: Sequence[OpenHedge], rows: IntArray, left_ms: IntArray) -> Units:
        """Return the net P&L (1e-8) of trips in ascending order of their hedge's row, left at `left_ms`."""
        opened_ms = np.array([hedge.opened_ms for hedge in opened], dtype=np.int64)
        quantities = ExactArray.from_decimals([hedge.quantity for hedge in opened])
        flows = np.array([money_units(hedge.flow) for hedge in opened], dtype=object)
        net = flows[rows]
        for place, market in enumerate(self._legs):
            contract = opened[0].legs[place].contract
            entries = ExactArray.from_decimals([hedge.legs[place].entry for hedge in opened])
            leg = _LegColumns(market.side, quantities[rows], entries[rows])
            net = net + self._closed(market, contract, leg, left_ms)
            stream, side = self._stream(market, contract), market.side if market.kind.is_perp else LONG_SIDE
            if len(stream.times_ms):
                net = net + _received(stream, side, quantities, opened_ms, (rows, left_ms))
        return cast("Units", net)

    def _closed(self, market: LegMarket, contract: Contract, leg: _LegColumns, left_ms: IntArray) -> Units:
        """Return what closing a leg on a signal brings, less its fee (1e-8)."""
        maker = self._costs.closes_as_maker(market, CloseReason.SIGNAL)
        times, places = np.unique(left_ms, return_inverse=True)
        prices = ExactArray.from_decimals([contract.known_price(t_ms) for t_ms in times.tolist()])
        adverse = self._costs.adverse(ONE, ONE, maker=maker)
        fills = prices * fill_price(ONE, adverse, buys=market.side < 0)
        rates = [self._costs.fee_rate(market, t_ms, maker=maker) for t_ms in times.tolist()]
        rate: Any = rates[0] if len(set(rates)) == 1 else ExactArray.from_decimals(rates)[places]
        kind, state, filled = cast("Any", market.kind), leg, fills[places]
        flow = kind.closing_flow(state, leg.quantity, filled)
        fee = kind.fee_amount(state, leg.quantity, filled, rate)
        return cast("Units", (flow - fee).whole(MONEY_PLACES).astype(object))

    def _stream(self, market: LegMarket, contract: Contract) -> _Stream:
        if id(contract) not in self._streams:
            self._streams[id(contract)] = self._made(market, contract)
        return self._streams[id(contract)]

    def _made(self, market: LegMarket, contract: Contract) -> _Stream:
        """Return the funding of a perp, or the interest of a borrowed coin, in the window."""
        first_ms, last_ms = self._events[0], self._events[-1]
        times: list[int] = []
        amounts = []
        if market.kind.is_perp:
            for record in contract.records:
                if first_ms < record.t_ms <= last_ms and contract.price(record.t_ms) is not None:
                    mark = contract.known_mark(record.t_ms) if record.mark is None else record.mark
                    times.append(record.t_ms)
                    amounts.append(formulas.unit_funding(mark, record.rate))
        elif market.kind.borrows:
            for t_ms in range(first_ms - first_ms % HOUR_MS + HOUR_MS, last_ms + 1, HOUR_MS):
                price = contract.price(t_ms)
                if price is not None:
                    times.append(t_ms)
                    amounts.append(price * (market.interest(t_ms - HOUR_MS) or ZERO))
        return _Stream(np.array(times, dtype=np.int64), ExactArray.from_decimals(amounts))


def _received(
    stream: _Stream, side: Any, quantities: ExactArray, opened_ms: IntArray, trips: tuple[IntArray, IntArray]
) -> Units:
    """Return the sum (1e-8) of what trips, by hedge and ms of leaving, book of a stream while they last."""
    rows, left_ms = trips
    firsts = np.searchsorted(stream.times_ms, opened_ms, side="right")
    stops = np.searchsorted(stream.times_ms, left_ms, side="right")
    longest = firsts.copy()
    np.maximum.at(longest, rows, stops)
    found = np.empty(len(rows), dtype=object)
    for part in _parts(longest - firsts):
        counts = (longest - firsts)[part]
        begins = np.cumsum(counts) - counts
        places = np.arange(counts.sum()) + (firsts[part] - begins).repeat(counts)
        booked = formulas.funding_payment(
            side, stream.per_unit[places], quantities[np.arange(part.start, part.stop).repeat(counts)]
        )
        sums = np.append(np.zeros(1, dtype=np.int64), booked.running().whole(MONEY_PLACES))
        mine = slice(*np.searchsorted(rows, (part.start, part.stop)).tolist())
        row = rows[mine] - part.start
        found[mine] = sums[begins[row] + stops[mine] - firsts[rows[mine]]] - sums[begins[row]]
    return cast("Units", found)


def _parts(counts: IntArray) -> Iterator[slice]:
    """Yield slices of rows that are paid so often together that their payments fit into memory."""
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        before = int(ends[begin - 1]) if begin else 0
        stop = int(np.searchsorted(ends, before + _PAYMENTS_AT_ONCE, side="right"))
        yield slice(begin, max(begin + 1, stop))
        begin = max(begin + 1, stop)
