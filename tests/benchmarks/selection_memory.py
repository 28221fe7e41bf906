"""Memory of the report on a search, by how many distinct trials left their sums in a database.

`python -m benchmarks.selection_memory FILE SWEEP TRIALS` makes one such report, in a process of its own.
"""

import sys
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from judging import judged, lifetime_of

from benchmarks.commands import environment
from benchmarks.measure import run_command
from benchmarks.million_trials import spec_of
from benchmarks.selection import CHUNK, DAYS, drawn
from bot.kernel.comparing import fastest_comparing
from bot.market_store.database import open_engine, write_transaction
from bot.selection.days.digests import WORDS, Digests
from bot.selection.judging import judge
from bot.selection.luck import LuckSums
from bot.selection.panel import Panel
from bot.selection.trial_sums import TrialSums
from sweeps.lifecycle.repository import create_sweep
from sweeps.migrations import migrate
from sweeps.storage.selection import HeldSums, PackedSums, keep_sums

PANEL = "bench"
_SPEC_TRIALS = 100_000


def measured(counts: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return the peak memory and the processor seconds of the report on so many trials, imports included.

    The first line is of the sums of one chunk, which any report has to hold.
    """
    with tempfile.TemporaryDirectory() as folder:
        return [_row(Path(folder) / f"{trials}.db", trials) for trials in (CHUNK, *counts)]


def _row(path: Path, trials: int) -> dict[str, Any]:
    sweep_id = _filled(path, trials)
    command = [sys.executable, "-m", "benchmarks.selection_memory", str(path), str(sweep_id), str(trials)]
    found = run_command(command, {**environment(path.parent), "PYTHONPATH": ":".join(sys.path)})
    path.unlink()
    return {"trials": trials, "cpu_s": found.cpu_s, "peak_mib": found.peak_mib}


def _filled(path: Path, trials: int) -> int:
    """Store the sums of so many trials, no two equal: those of one chunk again and again, named anew."""
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    with write_transaction(engine) as connection:
        sweep_id = create_sweep(connection, spec_of(_SPEC_TRIALS), size=CHUNK).sweep_id
    sums = TrialSums.of(_panel(), drawn(0, CHUNK)).condensed(_panel())
    for first in range(0, trials, CHUNK):
        numbers = np.arange(first, first + CHUNK)
        with write_transaction(engine) as connection:
            keep_sums(connection, sweep_id, [PackedSums.of(PANEL, numbers, _named(sums, first))])
    engine.dispose()
    return sweep_id


def _named(sums: TrialSums, first: int) -> TrialSums:
    """Return sums as if they were of other trials, `first` places further, with digests of their own."""
    digests = _digests(first)

    def luck(found: LuckSums | None) -> LuckSums | None:
        if found is None:
            return None
        mine = digests[np.searchsorted(sums.distinct, found.numbers)]
        return replace(found, numbers=found.numbers + first, digests=mine)

    return replace(
        sums,
        rows=replace(sums.rows, numbers=sums.rows.numbers + first),
        blocks=replace(sums.blocks, numbers=sums.blocks.numbers + first),
        eligible=sums.eligible + first,
        distinct=sums.distinct + first,
        digests=digests,
        cash=luck(sums.cash),
        hold=luck(sums.hold),
        best=sums.best and replace(sums.best, number=sums.best.number + first),
    )


def _digests(first: int) -> Digests:
    return np.random.default_rng(first).integers(0, 2**63, (CHUNK, WORDS), dtype=np.uint64)


@cache
def _panel() -> Panel:
    return judged(drawn(0, 20)).panel


def _report(path: str, sweep_id: int, trials: int) -> None:
    engine = open_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        parts = HeldSums(connection, sweep_id, PANEL)
        found = judge(_panel(), parts, lifetime_of(DAYS, trials), fastest_comparing())
    if found.distinct != trials:
        raise SystemExit(f"{found.distinct} of {trials} trials are distinct")
    engine.dispose()


if __name__ == "__main__":
    _report(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
