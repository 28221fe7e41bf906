"""Trials a second of one process: the replays beside the loops and the known backtesters, in one run."""

import json
import os
import statistics
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks import grids, loops, market
from benchmarks.measure import cpu_seconds
from bot.backtest import Baselines, ReplayWindow, replay, replays
from bot.config.parameter_columns import ParameterColumns
from bot.config.run_config import RunConfig
from bot.market_store.store import HistoricalDataStore
from sweeps.spec.spec import SweepSpec
from sweeps.storage.results import Results
from sweeps.work.chunk_buffer import ChunkLimits
from sweeps.work.kernel_replay import kernel_replayer, replay_fast
from sweeps.work.replay import WindowCache, prepare, replay_batch
from workers.malloc import keep_freed_memory

REFERENCE = "vectorbt"
SETTLEMENTS = (1_095, 5_475)
_MALLOC = {
    f"MALLOC_{name}_": str(size)
    for name, size in (("MMAP_THRESHOLD", 2**25), ("TRIM_THRESHOLD", 2**27), ("TOP_PAD", 2**24))
}
"""Allocator settings of the workers (`workers.malloc`), for the others as well."""
_PLAIN_DECIMAL, _BACKTESTING, _PLAIN_OF_PAIRS = 100, 20, 3


@dataclass(frozen=True, slots=True)
class Contender:
    """Contender of a measurement; `run` replays `trials` once and returns the processor seconds it took."""

    name: str
    trials: int
    run: Callable[[], float]


class References:
    """Other backtesters, in a process of another interpreter if need be."""

    def __init__(self, asked: IO[str], answered: IO[str], errors: Path) -> None:
        self._asked = asked
        self._answered = answered
        self._errors = errors
        self.net: dict[str, list[float]] = {}
        self.versions: dict[str, str] = {}
        self.absent: dict[str, str] = {}
        self._answer("the references")

    def run(self, name: str, places: Sequence[int] = ()) -> float | None:
        """Return the processor seconds of one run, None if it is not installed."""
        self._asked.write(" ".join([name, *map(str, places)]) + "\n")
        self._asked.flush()
        told = self._answer(name)
        if "absent" in told:
            self.absent[name] = told["absent"]
            return None
        self.net[name], self.versions[name] = told["net"], told["version"]
        return float(told["cpu_s"])

    def _answer(self, name: str) -> dict[str, Any]:
        line = self._answered.readline()
        if not line:
            raise RuntimeError(f"{name} failed: {self._errors.read_text()[-2000:]}")
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def references(
    python: str, folder: Path, series: loops.Series, trials: list[loops.Trial]
) -> Iterator[References]:
    """Give the other backtesters of the interpreter `python`, on this market."""
    (folder / "series.json").write_text(json.dumps({"series": series, "trials": trials}))
    errors = folder / "references.log"
    command = [python, "-m", "benchmarks.references", str(folder)]
    with (
        errors.open("w") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | _MALLOC,
            cwd=Path(__file__).parents[1],
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        yield References(process.stdin, process.stdout, errors)
        process.stdin.close()


def own(store: HistoricalDataStore, settlements: int) -> list[Contender]:
    """Return the ways to replay trials of two thresholds here; a window is held, its tables are not."""
    simple = market.simple_sweep(settlements)
    runs = market.configs(simple)
    window = market.window_of(store, runs[0])
    keep_freed_memory()  # as workers do
    return [
        _plain_replay("plain replay", runs, window),
        Contender(
            "plain replay, result document", len(runs), lambda: cpu_seconds(lambda: _told(runs, window))
        ),
        Contender("the same, one by one", len(runs), lambda: cpu_seconds(lambda: _one_by_one(runs, window))),
        _sweep_path("sweep path, simple", runs, window),
        _with_rows("sweep path, simple, rows", store, simple),
    ]


def on_grids(store: HistoricalDataStore, settlements: int) -> Iterator[Contender]:
    """Yield the sweep path on every grid, and the plain replay where several pairs share an account."""
    for grid in grids.grids(settlements):
        runs = grid.runs
        window = market.window_of(store, runs[0])
        yield _sweep_path(f"sweep path, {grid.name}", runs, window)
        yield _with_rows(f"sweep path, {grid.name}, rows", store, grid.spec)
        if len(window.instruments) > 1:
            few = [runs[place] for place in market.spread(len(runs), _PLAIN_OF_PAIRS)]
            yield _plain_replay(f"plain replay, {grid.name}", few, window)


def _plain(runs: list[RunConfig], window: ReplayWindow) -> None:
    for _ in replays(runs, window):
        pass


def _told(runs: list[RunConfig], window: ReplayWindow) -> None:
    for result in replays(runs, window):
        result.document()


def _one_by_one(runs: list[RunConfig], window: ReplayWindow) -> None:
    for run in runs:
        replay(run, window).document()


def _plain_replay(name: str, runs: list[RunConfig], window: ReplayWindow) -> Contender:
    return Contender(name, len(runs), lambda: cpu_seconds(lambda: _plain(runs, window)))


def _sweep_path(name: str, runs: list[RunConfig], window: ReplayWindow) -> Contender:
    """Return what workers do with trials of one window; what is derived from it is derived again."""

    parameters = ParameterColumns.of(runs)

    def once() -> object:
        return replay_fast(kernel_replayer(window), Baselines(window), parameters)

    return Contender(name, len(runs), lambda: cpu_seconds(once))


def _with_rows(name: str, store: HistoricalDataStore, spec: SweepSpec) -> Contender:
    """Return the way from trial numbers to the rows of the table, parameters and identities included.

    The trials, as many as a worker stores together at most, go in batches of its size.
    """
    size, numbers = ChunkLimits().max_batch, range(spec.trial_count)

    def run() -> float:
        windows = WindowCache(store)
        windows.window(spec.config(0))
        return cpu_seconds(lambda: once(windows))

    def once(windows: WindowCache) -> None:
        completed = []
        for at in range(0, len(numbers), size):
            ready, _ = prepare(spec, numbers[at : at + size], windows)
            completed += [some.completed for some in replay_batch(ready)]
        Results.of(1, completed)

    return Contender(name, spec.trial_count, run)


def own_loops(series: loops.Series, trials: list[loops.Trial]) -> list[Contender]:
    """Return the loops of this folder."""
    few = [trials[number] for number in market.spread(len(trials), _PLAIN_DECIMAL)]
    chosen = (
        ("plain Decimal loop", loops.plain_decimal, few),
        ("tight Decimal loop", loops.tight_decimal, trials),
        ("whole-number loop", loops.whole_numbers, trials),
        ("float loop", loops.floats, trials),
    )
    return [
        Contender(name, len(some), lambda loop=loop, some=some: cpu_seconds(lambda: loop(series, some)))
        for name, loop, some in chosen
    ]


def others(asked: References, trials: int) -> list[Contender]:
    """Return the backtesters that are installed, each warmed up by a first run."""
    few = market.spread(trials, _BACKTESTING)
    known = ((REFERENCE, trials, ()), ("backtesting", len(few), few))
    return [
        Contender(name, count, lambda name=name, places=places: asked.run(name, places) or 0.0)
        for name, count, places in known
        if asked.run(name, places) is not None
    ]


def compete(contenders: Sequence[Contender], passes: int) -> list[dict[str, Any]]:
    """Return trials a second of each, by turns so that all see the same machine, and ratios of a pass."""
    rates: dict[str, list[float]] = {one.name: [] for one in contenders}
    for _ in range(passes):
        for one in contenders:
            rates[one.name].append(one.trials / one.run())
    return [
        {
            "name": name,
            "per_second": statistics.median(seen),
            "lowest": min(seen),
            "highest": max(seen),
            "ratios": {other: _ratio(seen, rates[other]) for other in _yardsticks(rates)},
        }
        for name, seen in rates.items()
    ]


def _yardsticks(rates: dict[str, list[float]]) -> list[str]:
    return [name for name in (REFERENCE, "tight Decimal loop") if name in rates]


def _ratio(seen: list[float], yardstick: list[float]) -> float:
    return statistics.median(mine / other for mine, other in zip(seen, yardstick, strict=True))


def measured(store: HistoricalDataStore, folder: Path, python: str, passes: int) -> dict[str, Any]:
    """Return the rates at each number of settlements."""
    found: dict[str, Any] = {"settlements": {}}
    for settlements in SETTLEMENTS:
        runs = market.configs(market.simple_sweep(settlements))
        series = market.series_of(market.window_of(store, runs[0]))
        trials = market.trials_of(runs)
        with references(python, folder, series, trials) as asked:
            field = [
                *own(store, settlements),
                *on_grids(store, settlements),
                *own_loops(series, trials),
                *others(asked, len(trials)),
            ]
            rates = compete(field, passes)
        exact = loops.whole_numbers(series, trials)
        found["settlements"][str(settlements)] = {
            "rates": rates,
            "trades": sum(outcome.trades for outcome in exact),
            "distinct_results": len(set(exact)),
            "largest_difference": _differences(asked, exact),
        }
        found |= {"versions": asked.versions, "absent": asked.absent}
    return found


def _differences(asked: References, exact: list[loops.Outcome]) -> dict[str, float]:
    """Return how far the net results of others lie from the exact ones, quote currency."""
    return {
        name: max(
            abs(mine - float(exact[place].net))
            for mine, place in zip(net, market.spread(len(exact), len(net)), strict=True)
        )
        for name, net in asked.net.items()
    }
