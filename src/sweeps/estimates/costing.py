"""Time that the trials of a sweep take on this machine, measured on the sweep's own windows.

A few of its trials are replayed as a worker would, on a stretch of their window where the whole of it would
take too long; the rest is arithmetic. Strategies that decide event by event alone are not run here: workers
alone know their speed.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
import structlog

from bot.config.parameter_columns import ParameterColumns
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.errors import BotError
from bot.market.rows import SeriesKind
from bot.market_store import sql
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.findings import WINDOW_PARAMETERS
from sweeps.queue.rates import settlements, settlements_between
from sweeps.spec.spec import SweepSpec
from sweeps.work.kernel_replay import replay_fast
from sweeps.work.replay import HeldWindow, WindowCache

log = structlog.get_logger()

SAVE_SECONDS = 150e-6
"""Seconds of a trial besides its replay: reading its parameters, its row, its share of what is written."""

_MEASURED_TICKERS = 12_000
_MOST_SETTLEMENTS_BEFORE = 150_000
_LOOKED_AT = 20_000
_FEW, _MANY = 12, 300
"""Trials that are replayed plainly, and in the kernel."""
_STRETCH = 1_000
_REMEMBERED = 64
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of all trials of a sweep, without saving them, and in words how that is known."""

    seconds: float
    basis: str


class CostMeter:
    """Measures sweeps, one at a time, and remembers the last ones."""

    def __init__(self, store: HistoricalDataStore) -> None:
        self._store = store
        self._known: OrderedDict[str, Cost | None] = OrderedDict()
        self._lock = Lock()

    def cost(self, spec: SweepSpec, slots: int) -> Cost | None:
        """Return the cost of a sweep on `slots` processes; None where it cannot be measured in a moment."""
        if any(strategy_plugin(name).decide_columns is None for name in set(spec.strategies())):
            return None
        key = json.dumps([spec.document() | {"name": ""}, slots])
        with self._lock:
            if key not in self._known:
                self._known[key] = self._measured(spec, max(slots, 1))
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
            return self._known[key]

    def _measured(self, spec: SweepSpec, slots: int) -> Cost | None:
        found = []
        try:
            for strategy in dict.fromkeys(spec.strategies()):
                sample = _sample(spec, strategy)
                found.append(None if sample is None else _cost(spec, sample, self._store, slots))
        except BotError:
            return None
        except Exception:
            log.exception("a sweep cannot be measured", name=spec.name)  # a plug-in may raise anything
            return None
        known = [cost for cost in found if cost is not None]
        if not known or len(known) < len(found):
            return None
        return Cost(sum(cost.seconds for cost in known), known[0].basis)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Trials of one strategy and window, from all over the sweep; `trials` are all there are."""

    configs: list[RunConfig]
    trials: int


def _sample(spec: SweepSpec, strategy: str) -> _Sample | None:
    """Return trials of a strategy from all over the sweep."""
    numbers = _looked_at(spec.trial_count)
    numbers = numbers[_codes(spec, numbers, ("strategy_mode",)) == _code_of(spec, strategy)]
    if not len(numbers):
        return None
    windows = _codes(spec, numbers, WINDOW_PARAMETERS)
    numbers = numbers[windows == windows[len(windows) // 2]]
    places = np.linspace(0, len(numbers) - 1, min(len(numbers), _MANY)).astype(np.int64)
    trials = max(spec.trial_count // len(dict.fromkeys(spec.strategies())), 1)
    return _Sample([spec.config(number) for number in numbers[places].tolist()], trials)


def _looked_at(count: int) -> Any:
    """Return the numbers of all trials, or of some stretches of many, each as long as a batch."""
    if count <= _LOOKED_AT:
        return np.arange(count)
    starts = np.linspace(0, count - _STRETCH, _LOOKED_AT // _STRETCH).astype(np.int64)
    return np.unique((starts[:, None] + np.arange(_STRETCH)).ravel())


def _code_of(spec: SweepSpec, strategy: str) -> int:
    return list(spec.values_of("strategy_mode")).index(strategy)


def _codes(spec: SweepSpec, numbers: Any, names: tuple[str, ...]) -> Any:
    """Return a number for each trial that is equal for trials with equal values of these parameters."""
    cells, codes = spec.space.cells_of(numbers), np.zeros(len(numbers), dtype=np.int64)
    for name in names:
        if name in spec.space.by_name:
            codes = codes * len(spec.space.by_name[name].values) + spec.space.positions(cells, name)
    return codes


def _cost(spec: SweepSpec, sample: _Sample, store: HistoricalDataStore, slots: int) -> Cost | None:
    config = sample.configs[0]
    with store.engine.connect() as connection:
        tickers, before = held_tickers(connection, config)
    if not tickers or before > _MOST_SETTLEMENTS_BEFORE:
        return None
    share = min(1.0, _MEASURED_TICKERS / tickers)
    cut: dict[str, Any] = {}
    if share < 1:
        cut["end"] = config.start + int((config.end - config.start) * share)
    windows = WindowCache(store)
    held, reading = _timed(lambda: windows.held(config.varied(cut)))
    done = held.window.prices
    replaying = sample.trials * _trial_seconds(held, [one.varied(cut) for one in sample.configs])
    scale = max(tickers / done, 1.0) if share < 1 else 1.0
    mean = settlements(spec) / max(_usual_settlements(config), 1.0)
    seconds = (reading * min(slots, sample.trials) + replaying) * scale * mean
    part = "its window" if share == 1 else f"the first {share:.0%} of its window"
    basis = f"measured on {part} ({tickers:,} events x symbols)"
    return Cost(seconds, basis)


def _trial_seconds(held: HeldWindow, configs: list[RunConfig]) -> float:
    """Return the seconds that one of these trials takes on the window that was read."""
    kernel = held.kernel
    parameters = ParameterColumns.of(configs)
    if kernel is None or kernel.replay(parameters).refused:  # its tables are made here
        parameters = ParameterColumns.of(configs[:: -(-len(configs) // _FEW)])
    return _timed(lambda: replay_fast(kernel, held.baselines, parameters))[1] / len(parameters)


def _timed(what: Callable[[], Found]) -> tuple[Found, float]:
    """Return the result and the processor time that this thread spent on it."""
    began = time.thread_time()
    found = what()
    return found, time.thread_time() - began


def held_tickers(connection: sa.Connection, config: RunConfig) -> tuple[int, int]:
    """Return about how many prices a run sees, events x symbols, and the settlements held before its window.

    Counted by the stored months of its pairs' funding, those at the ends of the window in proportion.
    """
    series = [
        one
        for one in sql.held_series(connection, config.exchange)
        if one.key.kind is SeriesKind.FUNDING and one.key.symbol in config.symbols
    ]
    inside, before = [0.0], 0.0
    for months in sql.outlines(connection, series=series, beyond_seals=True).values():
        inside.append(sum(month.rows * _overlap(month, config.start, config.end) for month in months))
        before += sum(month.rows * _overlap(month, 0, config.start) for month in months)
    return int(max(inside)) * len(config.symbols), int(before)


def _overlap(month: sql.Outline, start_ms: int, end_ms: int) -> float:
    length = max(month.last_ms - month.first_ms, 1)
    return max(0.0, min(month.last_ms, end_ms) - max(month.first_ms, start_ms)) / length


def _usual_settlements(config: RunConfig) -> float:
    return settlements_between(config.start, config.end) * len(config.symbols)
