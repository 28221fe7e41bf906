"""Run records of trials, and those of the runs replayed last, so that equal trials share one replay."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from bot.backtest import RunResult
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
    def of(cls, run: RunResult) -> Self:
        """Return the record of a run."""
        return cls(run.ledger, encode_curve(run.curve), encode_trades(run.trades))

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.equity) + len(self.trades)


class RunRecords:
    """Records of the runs replayed last, by run key, the least recently used dropped first.

    A run key names parameters, history and engine, so whatever has it has the same record.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[str, RunRecord] = OrderedDict()
        self._bytes = 0

    def find(self, run_key: str) -> RunRecord | None:
        """Return the record of a run, None if it is not held."""
        found = self._held.get(run_key)
        if found is not None:
            self._held.move_to_end(run_key)
        return found

    def keep(self, run_keys: Iterable[str], record: RunRecord) -> None:
        """Hold a record by the keys of all trials whose run it is."""
        for key in run_keys:
            if key not in self._held:
                self._held[key] = record
                self._bytes += record.size
        while self._bytes > self._most_bytes:
            _, dropped = self._held.popitem(last=False)
            self._bytes -= dropped.size
