"""Run records of trials, and those of the runs replayed last, so that equal trials share one replay."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Self

from bot.hedges.runs import AnyRun
from sweeps.storage.curves import encode_curve, encode_trades

_MOST_BYTES = 2 * 2**20
"""The curves of the best 50 of a sweep over five years; some 200 over one."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Equity curve and round trips of a plain replay as they are stored, and its ledger digest."""

    ledger: bytes
    equity: bytes
    trades: bytes

    @classmethod
    def of(cls, run: AnyRun) -> Self:
        """Return the record of a run."""
        return cls(run.ledger, encode_curve(run.curve), encode_trades(run.trades))

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.equity) + len(self.trades)


class RunRecords:
    """Records of the runs replayed last, by the name of the run, the least recently used dropped first."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[Hashable, RunRecord] = OrderedDict()
        self._bytes = 0

    def find(self, name: Hashable) -> RunRecord | None:
        """Return the record of a run, None if it is not held."""
        found = self._held.get(name)
        if found is not None:
            self._held.move_to_end(name)
        return found

    def keep(self, name: Hashable, record: RunRecord) -> None:
        """Hold the record of a run."""
        if name not in self._held:
            self._held[name] = record
            self._bytes += record.size
        while self._bytes > self._most_bytes:
            _, dropped = self._held.popitem(last=False)
            self._bytes -= dropped.size
