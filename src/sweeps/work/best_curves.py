"""Curves of a sweep's best trials: each run is replayed plainly once, for all trials that share it."""

from collections.abc import Mapping, Sequence

import numpy as np
import sqlalchemy as sa
import structlog

from bot.errors import BotError
from sweeps.storage.stored_trials import LEDGER, blocks_with
from sweeps.storage.tables import RUN_KEY_HEAD, RUN_KEY_TAIL
from sweeps.watch import TimeLimitError, Watch
from sweeps.work.chunk_buffer import ChunkBuffer
from sweeps.work.replay import WindowCache, runs_of
from sweeps.work.run_records import RunRecord, RunRecords
from sweeps.work.shared_runs import named_runs

log = structlog.get_logger()

PRICES_AT_ONCE = 300_000
"""Prices in the windows of the trials whose curves are worked out between two saves: less than a second."""

_Digests = tuple[Mapping[int, bytes], Mapping[int, bytes]]


class BestCurves:
    """Works out curves into a chunk's buffer, and holds the last ones: other trials may share their runs.

    `raised` are the exceptions that say nothing about a run.
    """

    def __init__(
        self, engine: sa.Engine, windows: WindowCache, watch: Watch, raised: tuple[type[BaseException], ...]
    ) -> None:
        self._engine = engine
        self._windows = windows
        self._watch = watch
        self._raised = raised
        self._records = RunRecords()

    def keep_sampled(self, buffer: ChunkBuffer) -> None:
        """Keep the curves of those among the best that have been replayed plainly as samples."""
        sampled = buffer.sampled.keys() & buffer.without_curves()
        for number, ledger in buffer.ledgers(sorted(sampled)).items():
            try:
                record = RunRecord.of(buffer.sampled[number])
            except BotError:
                continue  # it is tried again, and given up, once it is known to be among the best of all
            buffer.keep_curve({number: ledger}, record)

    def work_out_all(self, buffer: ChunkBuffer, limit_s: float) -> None:
        """Keep the curves of all trials that wait to be stored, but of those that take too long alone."""
        numbers = buffer.without_curves()
        if not numbers or self._kept(buffer, numbers, limit_s, numbers):
            return
        # The limit is that of one trial: of several, those done by then stay, and the others go alone.
        for number in buffer.without_curves():
            if number not in buffer.curves and not self._kept(buffer, [number], limit_s, [number]):
                buffer.best.discard(number)

    def work_out_some(self, buffer: ChunkBuffer, numbers: Sequence[int], limit_s: float) -> bool:
        """Keep the curves of the first of some trials among the best, as many as about a second is for.

        They wait to be stored, or are stored. Returns False if nobody is to try that again: the first takes
        too long, or cannot be done. Raises: KernelDifferenceError unless it is the run of their results.
        """
        known = len(buffer.curves)
        if self._kept(buffer, numbers, limit_s):
            return True
        # The limit is that of one trial: of several, those done by then stay, or the first is tried alone.
        alone = numbers[:1]
        return len(buffer.curves) > known or (len(numbers) > 1 and self._kept(buffer, alone, limit_s))

    def _kept(
        self, buffer: ChunkBuffer, numbers: Sequence[int], limit_s: float, shown: Sequence[int] = ()
    ) -> bool:
        try:
            # Trials that are stored are not shown: one that hangs here has its result, and must not fail.
            with self._watch.limited(limit_s, shown):
                some = numbers if shown else self._some(buffer, numbers)
                ledgers, keys = self._digests(buffer, some)
                there = [number for number in some if number in ledgers]  # unless the sweep was deleted
                self._keep_records(buffer, there, ledgers, keys)
        except self._raised:
            raise
        except TimeLimitError:
            log.info("curves take too long to be worked out again", trials=len(numbers))
            self._windows.forget()
            return False
        except Exception:
            if shown:
                raise
            log.exception("curves cannot be worked out", trials=len(numbers), first=numbers[0])
            self._windows.forget()
            return False
        return True

    def _some(self, buffer: ChunkBuffer, numbers: Sequence[int]) -> Sequence[int]:
        """Return the first of these trials, whose windows have about `PRICES_AT_ONCE`, one at least."""
        prices = 0
        for count, number in enumerate(numbers, 1):
            prices += self._windows.window(buffer.spec.config(number)).prices
            if prices >= PRICES_AT_ONCE:
                return numbers[:count]
        return numbers

    def _digests(self, buffer: ChunkBuffer, numbers: Sequence[int]) -> _Digests:
        """Return ledger digests and run keys of trials that wait to be stored, or of stored ones."""
        ledgers, keys = buffer.ledgers(numbers), buffer.run_keys(numbers)
        stored = [number for number in numbers if number not in ledgers]
        if not stored:
            return ledgers, keys
        ordered = np.array(sorted(stored), dtype=np.int64)
        with self._engine.connect() as connection:
            names = (LEDGER, RUN_KEY_HEAD, RUN_KEY_TAIL)
            for block in blocks_with(connection, buffer.sweep_id, stored, names):
                for row in block.rows(block.places(ordered)):
                    ledgers[row["number"]] = row[LEDGER]
                    keys[row["number"]] = bytes.fromhex(row["run_key"])
        return ledgers, keys

    def _keep_records(
        self,
        buffer: ChunkBuffer,
        numbers: Sequence[int],
        ledgers: Mapping[int, bytes],
        keys: Mapping[int, bytes],
    ) -> None:
        """Keep the record of each run for all trials that share it; replay those not known from before."""
        runs = named_runs(buffer.spec, numbers, ledgers, self._windows, keys)
        unknown = {}
        for name, alike in runs.items():
            sampled = (RunRecord.of(buffer.sampled[one]) for one in alike if one in buffer.sampled)
            if (record := self._records.find(name) or next(sampled, None)) is None:
                unknown[alike[0]] = name
            else:
                self._records.keep(name, record)
                buffer.keep_curve({number: ledgers[number] for number in alike}, record)
        for number, run in runs_of(buffer.spec, sorted(unknown), self._windows):
            name, record = unknown[number], RunRecord.of(run)
            self._records.keep(name, record)
            buffer.keep_curve({number: ledgers[number] for number in runs[name]}, record)
