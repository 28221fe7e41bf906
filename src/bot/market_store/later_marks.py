"""First mark candles of contracts: also rows after a run say which series is the mark series."""

from collections.abc import Callable, Iterable

import numpy as np
from sqlalchemy import Connection

from bot.market.records.contract_life import ContractLife, Epoch
from bot.market.rows import SeriesKind
from bot.market.symbols import market_symbol
from bot.market_store import sql
from bot.market_store.segments import months
from bot.market_store.sql import HeldSeries


def marked_later(
    connection: Connection,
    symbol: str,
    life: ContractLife,
    series_of: Callable[[str], Iterable[HeldSeries]],
    end_ms: int,
) -> frozenset[int]:
    """Return the beginnings of the contracts of a perp whose mark candles all close after `end_ms`.

    Contracts without any are left out. `series_of` gives the series that are read of a symbol.
    """
    found = set()
    for contract in life.contracts:
        firsts = [
            closed_ms
            for epoch in contract.epochs
            for one in series_of(symbol if epoch.stem is None else market_symbol(epoch.stem))
            if one.key.kind is SeriesKind.MARK
            and (closed_ms := _first_closed_ms(connection, one, epoch)) is not None
        ]
        if firsts and min(firsts) > end_ms:
            found.add(contract.from_ms)
    return frozenset(found)


def _first_closed_ms(connection: Connection, series: HeldSeries, epoch: Epoch) -> int | None:
    """Return when the first candle that opens and closes within an epoch closes, None without one."""
    stored = sql.outlines(connection, series=[series], beyond_seals=True).get(series.id, [])
    month = next((one for one in stored if one.last_ms >= epoch.from_ms), None)
    if month is None:
        return None
    opened_ms = month.first_ms
    if opened_ms < epoch.from_ms:
        [number] = months(np.array([opened_ms])).tolist()
        [held] = sql.segments(connection, [series], between_months=(number, number), beyond_seals=True)
        times = held.rows().times
        opened_ms = int(times[times.searchsorted(epoch.from_ms)])
    closed_ms = opened_ms + series.key.timeframe_ms
    return closed_ms if epoch.to_ms is None or closed_ms <= epoch.to_ms else None
