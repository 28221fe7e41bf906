"""Recorded rows of the store as a running session reads them: with what was imported since it started."""

from collections.abc import Iterable

import sqlalchemy as sa

from bot.clock import Clock
from bot.errors import InvalidInputError
from bot.market.hedge_data import PairKey, wanted_pairs
from bot.market.hedge_names import Hedge
from bot.market.records.kinds import RECORD_TYPES, RecordKind
from bot.market.records.recorded import RecordedRows
from bot.market_store.records import read_rows, records_of
from bot.paper.hedges.records import KnownRecords

_OF_PAIRS = [one.kind for one in RECORD_TYPES.values() if not one.of_exchange]
_OF_EXCHANGES = [one.kind for one in RECORD_TYPES.values() if one.of_exchange]


class StoredRecords:
    """Rows held of the markets of hedges, and of their exchanges, that have begun by the clock's time."""

    def __init__(self, engine: sa.Engine, hedges: Iterable[Hedge], clock: Clock) -> None:
        self._engine = engine
        self._pairs: set[PairKey] = wanted_pairs(hedges)
        self._clock = clock

    def known(self) -> KnownRecords:
        """Return the rows known by now.

        Raises: InvalidInputError naming a market whose recorded life goes on under another name.
        """
        now_ms = self._clock.now_ms()
        with self._engine.connect() as connection:
            pairs = {
                (exchange, symbol): _read(connection, exchange, symbol, _OF_PAIRS, now_ms)
                for exchange, symbol in sorted(self._pairs)
            }
            exchanges = {
                exchange: _read(connection, exchange, "", _OF_EXCHANGES, now_ms)
                for exchange in sorted({exchange for exchange, _ in self._pairs})
            }
        for (exchange, symbol), recorded in pairs.items():
            _refuse_stems(exchange, symbol, recorded)
        return KnownRecords(pairs, {name: rows for name, rows in exchanges.items() if rows.rows})


def _read(
    connection: sa.Connection, exchange: str, symbol: str, kinds: Iterable[RecordKind], now_ms: int
) -> RecordedRows:
    held = records_of(connection, exchange, symbol, kinds)
    rows = {
        kind: tuple(row for row in read_rows(connection, records) if row.from_ms <= now_ms)
        for kind, records in held.items()
    }
    return RecordedRows({kind: known for kind, known in rows.items() if known})


def _refuse_stems(exchange: str, symbol: str, recorded: RecordedRows) -> None:
    """Refuse rows that would have to be asked for under another name."""
    for life in recorded.lives().values():
        for epoch in life.epochs:
            if epoch.stem is not None:
                raise InvalidInputError.of(
                    "symbols",
                    f"{symbol}@{exchange}: its recorded life names rows of {epoch.stem}, which are not read "
                    "on paper; trade the market by its present name",
                )
