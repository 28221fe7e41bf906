"""Sanitizers find no wrong access and no undefined operation in replays of drawn sweeps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.kernel.build import build, find_compiler

_REPLAYS = """
import sys
from collections import Counter
from datetime import date
from decimal import Decimal
import numpy as np
from hypothesis import HealthCheck, given, settings
from test_kernel_comparing import LARGEST, SEGMENTS, judged, rows_of
from test_kernel_planes import KINDS
from test_kernel_replay import by_strategy, sweeps
from test_kernel_run_keys import VALUES, columns
from test_kernel_sums import drawn
from toy_market import START, configured, pair, window
from bot.config.parameter_columns import ParameterColumns
from bot.kernel.comparing import comparing_by
from bot.kernel.loading import load
from bot.kernel.planes import split_by
from bot.kernel.replayer import KernelReplayer
from bot.kernel.run_keys import run_keys_by
from bot.kernel.sums import arithmetic_by
from bot.models import HOUR_MS
from bot.selection.days.calendar import Calendar
from bot.selection.days.segments import Segments
from bot.selection.days.ranking import Ranking, Windows
from bot.selection.return_sums import ReturnRows

library, counted = load(sys.argv[1]), Counter()

@settings(max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True)
@given(sweep=sweeps())
def run(sweep):
    for code in (library, library.in_plain_c()):
        for _, parameters in by_strategy(sweep[0]):
            counted["replayed"] += len(KernelReplayer(code, sweep[1]).replay(parameters).places)

run()
market = {"X": pair({hour: str(hour % 7 - 2) + "e-4" for hour in range(8, 4801, 8)}, ["100"] * 4801)}
base = configured(market, end=START + 4800 * HOUR_MS)
trials = ParameterColumns.of([base.varied({"slippage_bps": Decimal(bps)}) for bps in range(3)])
for code in (library, library.in_plain_c()):
    counted["replayed"] += len(KernelReplayer(code, window(market, base)).replay(trials).places)
    calendar, arithmetic = Calendar(date(2024, 1, 1), 200), arithmetic_by(code)
    arithmetic.shifts(calendar, np.ones((9, calendar.weeks)), np.ones(9))
    for rows in range(30):
        returns, places = drawn(rows, rows, 180 + rows, 0.2, 1.7e308), np.arange(rows)
        arithmetic.equal_rows(returns, returns[::-1], None)
        for of in (ReturnRows(returns, places), ReturnRows(returns, places, returns, places[::-1])):
            arithmetic.sums(Calendar(date(2024, 1, 1), 180 + rows), Segments.of(180 + rows, [rows + 1]), of)
    for length in range(130):
        split_by(code)([kind(np.random.default_rng(length), length) for kind in KINDS])
        run_keys_by(code)(columns(sorted(VALUES)[length % 7 :], 9, length), "f" * length)
    for length in range(1, 30):
        tried = [([(n * s % 5 - 2, 25 + n % 3) for s in range(SEGMENTS)], n % 3) for n in range(length)]
        tried.append(([(LARGEST[0] // SEGMENTS, LARGEST[1] // SEGMENTS)] * SEGMENTS, -70))
        own, rows = np.tri(SEGMENTS), rows_of(tried, range(length + 1))
        for by_money in (False, True):
            judged(Windows(Ranking(by_money), own, length % 3), 1 - own, [rows], comparing_by(code))
print(counted["replayed"])
"""


def _sanitizers() -> Path | None:
    """Return the runtime that has to be loaded first, None where the compiler has none."""
    compiler = find_compiler()
    if compiler is None:
        return None
    said = subprocess.run(
        [*compiler, "-print-file-name=libasan.so"], check=False, capture_output=True, text=True
    )
    runtime = Path(said.stdout.strip())
    return runtime if runtime.is_absolute() else None


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("runtime", [one for one in [_sanitizers()] if one], ids=["asan-ubsan"])
def test_drawn_sweeps_meet_no_sanitizer(runtime: Path, tmp_path: Path) -> None:
    made = build(tmp_path / "replay.so", sanitized=True)
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[3]), str(Path(__file__).parents[4])]
    env = {
        **os.environ,
        "LD_PRELOAD": str(runtime),
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONPATH": os.pathsep.join(paths),
    }
    done = subprocess.run(
        [sys.executable, "-c", _REPLAYS, str(made)], check=False, capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) > 100
