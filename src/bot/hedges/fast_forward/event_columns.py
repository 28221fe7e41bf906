"""Columns of a window of hedges: what is known at each of its events whatever the account."""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, cast

import numpy as np

from bot.hedges.contracts import Contract, Record
from bot.hedges.settlements import Settlement, Settlements
from bot.memo import Memo

_MOST_BY_PARAMETER = 64


class ContractColumns:
    """Prices, marks and settlements of a contract at each event; both prices are None before the first.

    `marked` counts the mark candles that have closed by then.
    """

    def __init__(self, contract: Contract, moments: Sequence[int]) -> None:
        trades, marks = contract.trades, contract.marks
        traded = np.searchsorted(trades.closed_ms, moments, side="right").tolist()
        closes, mark_closes = trades.closes, marks.closes
        self.prices = [closes[count - 1] if count else None for count in traded]
        self.marked: list[int] = np.searchsorted(marks.closed_ms, moments, side="right").tolist()
        self.marks = [
            mark_closes[count - 1] if count else price
            for count, price in zip(self.marked, self.prices, strict=True)
        ]
        by_time = {record.t_ms: record for record in contract.records}
        self.records: list[Record | None] = [by_time.get(t_ms) for t_ms in moments]


class Paying(NamedTuple):
    """Places of events, ascending, with the settlements that may be entered at each."""

    places: list[int]
    settlements: list[list[Settlement]]


class EventColumns:
    """Columns of the events of a window, made when first asked for. Call inside `exact_products()`."""

    def __init__(self, settlements: Settlements, moments: Sequence[int]) -> None:
        self.settlements = settlements
        self.moments = moments
        self._contracts: dict[int, ContractColumns] = {}
        self._known = Memo(_MOST_BY_PARAMETER)

    def of(self, contract: Contract) -> ContractColumns:
        """Return the columns of a contract of the window."""
        found = self._contracts.get(id(contract))
        if found is None:
            found = self._contracts[id(contract)] = ContractColumns(contract, self.moments)
        return found

    def known_prices(self, contract: Contract, at: int, stop: int) -> list[Decimal]:
        """Return the prices of a contract that is held from one place to below another."""
        return cast("list[Decimal]", self.of(contract).prices[at:stop])

    def known_marks(self, contract: Contract, at: int, stop: int) -> list[Decimal]:
        """Return the mark prices of a contract that is held from one place to below another."""
        return cast("list[Decimal]", self.of(contract).marks[at:stop])

    def place_from(self, t_ms: int) -> int:
        """Return the place of the first event at or after a moment."""
        return bisect_left(self.moments, t_ms)

    def decided(self, name: str, max_age_ms: Decimal) -> list[Settlement | None]:
        """Return by event the settlement of a hedge with a carry and fresh prices, None without one."""
        return self._known.get((name, max_age_ms), lambda: self._decided(name, max_age_ms))

    def paying(self, floor: Decimal | None, max_age_ms: Decimal) -> Paying:
        """Return the settlements that decide and whose carry reaches a rate per 8 hours, by event."""
        return self._known.get((floor, max_age_ms), lambda: self._paying(floor, max_age_ms))

    def _decided(self, name: str, max_age_ms: Decimal) -> list[Settlement | None]:
        own = {one.t_ms: one for one in self.settlements if one.name == name and one.decides(max_age_ms)}
        return [own.get(t_ms) for t_ms in self.moments]

    def _paying(self, floor: Decimal | None, max_age_ms: Decimal) -> Paying:
        found: dict[int, list[Settlement]] = {}
        for one in self.settlements:
            if one.decides(max_age_ms) and one.pays(floor):
                found.setdefault(one.t_ms, []).append(one)
        places = {t_ms: place for place, t_ms in enumerate(self.moments)}
        return Paying([places[t_ms] for t_ms in found], list(found.values()))
