"""Recorded rows beside candles and settlements, as a session knows them when an event comes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.clock import Clock
from bot.market.hedge_data import HedgeData, PairKey
from bot.market.records.contract_life import Epoch
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded import RecordedRows


@dataclass(frozen=True, slots=True)
class KnownRecords:
    """Borrow rates, brackets and lives by pair, and fee schedules by exchange, that are known by now."""

    pairs: Mapping[PairKey, RecordedRows] = field(default_factory=dict)
    exchanges: Mapping[str, RecordedRows] = field(default_factory=dict)


class RecordSource(Protocol):
    """Source of recorded rows, asked whenever rows of a feed are traded on."""

    def known(self) -> KnownRecords:
        """Return the rows known by now."""


class ReplayedRecords:
    """Rows of recorded history as they became known: none before its time, no end before it was announced.

    Epochs that are carried on are known from the start: hedges are counted in the units of the last one.
    """

    def __init__(self, data: HedgeData, clock: Clock) -> None:
        self._data = data
        self._clock = clock

    def known(self) -> KnownRecords:
        """Return the rows known by the clock's time."""
        now_ms = self._clock.now_ms()
        pairs = {key: _known(pair.recorded, now_ms) for key, pair in self._data.pairs.items()}
        exchanges = {name: _known(rows, now_ms) for name, rows in self._data.exchanges.items()}
        return KnownRecords(pairs, exchanges)


def _known(recorded: RecordedRows, now_ms: int) -> RecordedRows:
    return RecordedRows(
        {
            kind: tuple(
                _without_end(row, now_ms) if kind is RecordKind.LIFE else row
                for row in rows
                if row.from_ms <= now_ms or (kind is RecordKind.LIFE and row.carried)
            )
            for kind, rows in recorded.rows.items()
        }
    )


def _without_end(epoch: Epoch, now_ms: int) -> Epoch:
    """Return an epoch without an end that is neither announced nor reached, nor the price it settles at."""
    if epoch.to_ms is None or epoch.to_ms <= now_ms:
        return epoch
    if epoch.announced_ms is not None and epoch.announced_ms <= now_ms:
        return epoch._replace(settle_price=None)
    return epoch._replace(to_ms=None, announced_ms=None, settle_price=None)
