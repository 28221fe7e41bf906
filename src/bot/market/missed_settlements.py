"""Settlements that fell due while a hedge was held and that are not in the data: they count as zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from bot.accounting.closing import last_due_ms
from bot.models import Trade
from bot.numbers.arrays import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class MissingSettlements:
    """Times (ms UTC, ascending) at which one pair's settlements fell due that are not recorded."""

    times_ms: IntArray

    def within(self, after_ms: int, until_ms: int) -> int:
        """Return the number that fell due in (after_ms, until_ms]."""
        first, stop = np.searchsorted(self.times_ms, (after_ms, until_ms), side="right").tolist()
        return int(stop - first)


def missed_settlements(trades: Iterable[Trade], missing: Mapping[str, MissingSettlements]) -> int:
    """Return the number of settlements the trades missed; `missing` are those of each pair that lacks any."""
    return sum(
        missing[trade.symbol].within(trade.opened_at_ms, last_due_ms(trade))
        for trade in trades
        if trade.symbol in missing
    )
