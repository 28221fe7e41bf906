"""Growth of cost: with settlements, trials, symbols and worker processes."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import endtoend, grids, market
from benchmarks.commands import CARRYGRID, environment
from benchmarks.kernels import own
from benchmarks.measure import cpu_seconds, run_command
from bot.backtest import replay
from bot.config.run_config import RunConfig
from bot.market_store.store import HistoricalDataStore

MONTHS = (3, 6, 12, 24, 48, 72)
SYMBOLS = (1, 2, 5, 10, 20, 50)
_PER_MONTH = 365 * 3 // 12
_SYMBOL_MONTHS = 12
_COMPARED = 100_000
_OF_GRIDS = 1_095
"""Settlements of the sweeps over other grids."""
_RUNS = 3
"""Runs of each sweep that numbers of workers are compared by, of which the median in seconds is told."""
_MEASURED = ("plain replay, result document", "sweep path, simple")


def by_settlements(store: HistoricalDataStore, passes: int) -> list[dict[str, Any]]:
    """Return milliseconds a trial of both ways to replay, windows of three months to six years."""
    found = []
    for months in MONTHS:
        chosen = [one for one in own(store, months * _PER_MONTH) if one.name in _MEASURED]
        took = {
            one.name: statistics.median(one.run() for _ in range(passes)) / one.trials * 1000
            for one in chosen
        }
        found.append({"months": months, "settlements": months * _PER_MONTH, "ms_per_trial": took})
    return found


def by_symbols(store: HistoricalDataStore, home: Path, passes: int) -> list[dict[str, Any]]:
    """Return what one run over many symbols takes: by parts here, and as a command with its memory."""
    return [_many_symbols(store, home, symbols, passes) for symbols in SYMBOLS]


def _many_symbols(store: HistoricalDataStore, home: Path, symbols: int, passes: int) -> dict[str, Any]:
    run = _run_of(symbols)
    config = home / f"{symbols}.json"
    config.write_text(json.dumps(run.model_dump(mode="json", exclude_none=True)))
    build_s = cpu_seconds(lambda: market.window_of(store, run))
    window = market.window_of(store, run)
    return {
        "symbols": symbols,
        "events": len(window.events),
        "build_s": build_s,
        "replay_s": statistics.median(cpu_seconds(lambda: replay(run, window)) for _ in range(passes)),
        "command": asdict(run_command([CARRYGRID, "backtest", str(config), "--json"], environment(home))),
    }


def _run_of(symbols: int) -> RunConfig:
    names = [market.named(number) for number in range(symbols)]
    places = {"max_simultaneous_positions": max(1, symbols // 5), "min_funding_rate": "0.0002"}
    return RunConfig.parse(market.base(_SYMBOL_MONTHS * _PER_MONTH, names) | places)


def end_to_end(store: Path, folder: Path, trials: Sequence[int], workers: Sequence[int]) -> dict[str, Any]:
    """Return sweeps of each size with the most workers, and the largest but one million with each number.

    So are `grids` of that many trials that users write besides those of two thresholds. The first sweep of a
    service is a small one that is not counted: its processes have just begun. What is compared is run several
    times.
    """
    found: dict[str, Any] = {"trials": [], "workers": [], "runs": _RUNS}
    written: dict[str, list[dict[str, Any]]] = {name: [] for name in grids.BODIES}
    compared = max(count for count in trials if count <= _COMPARED)
    for count in workers:
        with endtoend.serving(folder / f"workers-{count}", store, count) as service:
            endtoend.sweep_run(service, 10)
            sizes = trials if count == max(workers) else (compared,)
            largest = [size for size in sizes if size > compared]
            runs = [
                endtoend.sweep_run(service, size) | {"workers": count} for size in sizes if size < compared
            ]
            again = partial(endtoend.sweep_run, service, compared)
            runs.append(_median_run(again) | {"workers": count})
            for name, body in grids.BODIES.items():
                again = partial(endtoend.body_run, service, body(_OF_GRIDS, compared), compared, _OF_GRIDS)
                written[name].append(_median_run(again) | {"workers": count})
        # In a service of its own, since memory is the peak of a process since its start.
        for size in largest:
            with endtoend.serving(folder / f"{size}-trials", store, count) as service:
                endtoend.sweep_run(service, 10)
                runs.append(endtoend.sweep_run(service, size) | {"workers": count})
        found["workers"] += [one for one in runs if one["trials"] == compared]
        if count == max(workers):
            found["trials"] = runs
    found["speedup"] = speedups(found["workers"])
    found["grids"] = [
        {"name": name, "runs": runs, "speedup": speedups(runs)} for name, runs in written.items()
    ]
    return found


def _median_run(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return sorted((run() for _ in range(_RUNS)), key=lambda one: float(one["wall_s"]))[_RUNS // 2]


def speedups(runs: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return how much faster the most workers are than one: as seen, and had no process waited for a core.

    On a machine that others use as well, workers wait for processors; that wait is known and taken off.
    """
    few, many = (choose(runs, key=lambda run: run["workers"]) for choose in (min, max))
    return {
        "seen": few["wall_s"] / many["wall_s"],
        "without_waiting": unhindered_s(few) / unhindered_s(many),
        "workers": many["workers"] / few["workers"],
    }


def unhindered_s(run: dict[str, Any]) -> float:
    """Return the seconds of a sweep less what its workers, on average, waited for a processor."""
    return float(run["wall_s"] - run["waited_s"].get("worker", 0.0) / run["workers"])
