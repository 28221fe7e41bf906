"""Time that the trials of a sweep take on this machine, and how many of them differ, on its own windows.

A few of its trials are replayed as a worker would, on a stretch of their window where the whole of it would
take too long; the rest is arithmetic. Strategies that decide event by event alone are not run here: workers
alone know their speed.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import sqlalchemy as sa
import structlog

from bot.config.hedge_checks import needs_hedge_engine
from bot.config.parameter_columns import ParameterColumns
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.errors import BotError
from bot.market.rows import SeriesKind
from bot.market_store import sql
from bot.market_store.store import HistoricalDataStore
from bot.numbers.arrays import IntArray
from bot.numbers.money import ZERO
from bot.statistics.trial_columns import TrialColumns
from sweeps.estimates.space import population
from sweeps.queue.rates import settlements, settlements_between
from sweeps.spec.read_pairs import ReadPairs
from sweeps.spec.spec import SweepSpec
from sweeps.spec.spec_fields import TopCurves
from sweeps.storage.objective_ranks import trial_ranks
from sweeps.work.kernel_replay import replay_fast
from sweeps.work.replay import HeldWindow, WindowCache, window_groups

if TYPE_CHECKING:
    from sweeps.spec.trial_groups import TrialGroup

log = structlog.get_logger()

TRIAL_SECONDS, RESULT_SECONDS = 5e-6, 20e-6
"""Seconds of a trial besides its replay, its parameters and what is written of it, and of a result that no
other trial has, the sums that it is judged by."""

REPORT_REPLAYS = 6
"""Plain replays that a report takes about as long as: stitched run, random entries, and the window again."""

_MEASURED_TICKERS = 12_000
_MOST_SETTLEMENTS_BEFORE = 150_000
_LOOKED_AT = 20_000
_FEW, _MANY = 12, 300
"""Trials that are replayed plainly, and in the kernel."""
_KEPT = 4
"""Best trials of the kernel that are replayed plainly as well, as those are whose curves are kept."""
_BEST = 20
"""Best trials of a sample that are looked at, at least, to tell whether the best of all trade alike."""
_STRETCH = 1_000
_PARTS = 4
_REMEMBERED = 64
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of all trials of a sweep, without saving them, and in words how that is known.

    `process_s` are those that each process takes to read the windows, and for what their trials share.
    `distinct` is about how many trials book other results than all before them, `kept` how many plain replays
    their curves take: where they are not kept runs of trials that are replayed plainly, one for each that
    differs. `plain_s` are the seconds of a plain replay; `sampled` says that chunks make one to compare.
    """

    seconds: float
    process_s: float
    basis: str
    distinct: float
    kept: float
    plain_s: float
    sampled: bool = True

    def trial_s(self, spec: SweepSpec) -> float:
        """Return the processor seconds of one trial, with what is saved of it."""
        saving = spec.trial_count * TRIAL_SECONDS + self.distinct * RESULT_SECONDS
        return (self.seconds + saving) / spec.trial_count

    def besides(self, spec: SweepSpec, chunks: int, processes: int) -> float:
        """Return the processor seconds of a sweep in so many chunks by so many processes that go to no trial.

        These are windows, curves, the sample of each chunk, and the report.
        """
        replays = self.kept + chunks * self.sampled + (REPORT_REPLAYS if spec.validation else 0)
        return self.process_s * processes + replays * self.plain_s


class CostMeter:
    """Measures sweeps, one at a time, and remembers the last ones."""

    def __init__(self, store: HistoricalDataStore) -> None:
        self._store = store
        self._known: OrderedDict[str, Cost | None] = OrderedDict()
        self._lock = Lock()

    def cost(self, spec: SweepSpec) -> Cost | None:
        """Return the cost of a sweep; None where it cannot be measured in a moment."""
        if any(strategy_plugin(name).decide_columns is None for name in set(spec.strategies())):
            return None
        key = json.dumps(spec.document() | {"name": ""})
        with self._lock:
            if key not in self._known:
                self._known[key] = self._measured(spec)
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
            return self._known[key]

    def _measured(self, spec: SweepSpec) -> Cost | None:
        try:
            found = [_cost(spec, sample, self._store) for sample in _samples(spec)]
        except BotError:
            return None
        except Exception:
            log.exception("a sweep cannot be measured", name=spec.name)  # a plug-in may raise anything
            return None
        known = [cost for cost in found if cost is not None]
        if not known or len(known) < len(found):
            return None
        distinct = sum(cost.distinct for cost in known)
        return Cost(
            sum(cost.seconds for cost in known),
            sum(cost.process_s for cost in known),
            known[0].basis,
            min(distinct, spec.trial_count),
            max(cost.kept for cost in known),
            max(cost.plain_s for cost in known),
            any(cost.sampled for cost in known),
        )


@dataclass(frozen=True, slots=True)
class _Sample:
    """Trials of one strategy, window and engine, from all over the sweep; `trials` are all there are."""

    configs: list[RunConfig]
    trials: int


def _samples(spec: SweepSpec) -> Iterator[_Sample]:
    """Yield trials of each strategy from all over the sweep, those that are replayed as hedges apart."""
    looked_at = _looked_at(spec.trial_count)
    alike: dict[tuple[str, bool], list[TrialGroup]] = {}
    for group in window_groups(spec, looked_at):
        run = group.parameters.config(0)
        alike.setdefault((run.strategy_mode, needs_hedge_engine(run)), []).append(group)
    for groups in alike.values():
        numbers = groups[len(groups) // 2].numbers
        places = np.linspace(0, len(numbers) - 1, min(len(numbers), _MANY)).astype(np.int64)
        share = sum(len(group.numbers) for group in groups) / len(looked_at)
        configs = [spec.config(number) for number in numbers[places].tolist()]
        yield _Sample(configs, max(round(spec.trial_count * share), 1))


def _looked_at(count: int) -> Any:
    """Return the numbers of all trials, or of some stretches of many, each as long as a batch."""
    if count <= _LOOKED_AT:
        return np.arange(count)
    starts = np.linspace(0, count - _STRETCH, _LOOKED_AT // _STRETCH).astype(np.int64)
    return np.unique((starts[:, None] + np.arange(_STRETCH)).ravel())


def _cost(spec: SweepSpec, sample: _Sample, store: HistoricalDataStore) -> Cost | None:
    config = sample.configs[0]
    with store.engine.connect() as connection:
        tickers, before = held_tickers(connection, config)
    if not tickers or before > _MOST_SETTLEMENTS_BEFORE:
        return None
    share = min(1.0, _MEASURED_TICKERS / tickers)
    cuts = _stretches(config, share)
    parts = [_measured_part(spec, sample, cut, store) for cut in cuts]
    prices, reading, sharing, trial, plain, _, _, _ = (sum(values) for values in zip(*parts, strict=True))
    scale = max(tickers / prices, 1.0) if share < 1 else 1.0
    mean = settlements(spec) / max(_usual_settlements(config), 1.0)
    of_process = reading / len(parts) + sharing * scale
    if not needs_hedge_engine(config):
        of_process = (reading + sharing) * scale
    seconds = sample.trials * trial * scale * mean
    basis = f"measured on {_told(share, len(cuts))} ({tickers:,} events x symbols)"
    distinct, kept = max(part.distinct for part in parts), max(part.kept for part in parts)
    kept = _kept_throughout(kept, spec, share / len(cuts))
    sampled = all(part.sampled for part in parts)
    return Cost(seconds, of_process * mean, basis, distinct, kept, plain * scale * mean, sampled)


class _Part(NamedTuple):
    """Prices of a stretch, and the seconds to read it, for what its trials share, for one of them, and for a
    plain replay of one.

    `distinct` counts the different results that all trials of its kind have there, `kept` those among the
    trials whose curves are kept, unless that are the runs themselves; `sampled` as for a `Cost`.
    """

    prices: int
    reading: float
    sharing: float
    trial: float
    plain: float
    distinct: float
    kept: float
    sampled: bool


def _measured_part(
    spec: SweepSpec, sample: _Sample, cut: Mapping[str, Any], store: HistoricalDataStore
) -> _Part:
    configs = [one.varied(cut) for one in sample.configs]
    windows, sharing = WindowCache(store), 0.0
    held, reading = _timed(lambda: windows.held(configs[0]))
    if held.is_hedges:  # the first of them works out the carry that the others share
        sharing = _timed(lambda: replay_fast(None, held.baselines, ParameterColumns.of(configs[:1])))[1]
    return _Part(held.window.prices, reading, sharing, *_replayed(spec, sample.trials, held, configs))


def _stretches(config: RunConfig, share: float) -> list[Mapping[str, Any]]:
    """Return starts and ends that cover a share of a window: its beginning, of hedges parts spread over it.

    Replays of hedges take the longer the more they trade, which may be late in a window.
    """
    if share == 1:
        return [{}]
    length = (config.end - config.start) * share
    if not needs_hedge_engine(config):
        return [{"end": config.start + int(length)}]
    step, part = (config.end - config.start) / _PARTS, length / _PARTS
    starts = [config.start + int(step * (place + 0.5) - part / 2) for place in range(_PARTS)]
    return [{"start": start, "end": start + int(part), "min_coverage": ZERO} for start in starts]


def _told(share: float, parts: int) -> str:
    if share == 1:
        return "its window"
    measured = f"{share:.0%} of its window"
    return f"the first {measured}" if parts == 1 else f"{measured} in {parts} parts"


def _replayed(
    spec: SweepSpec, trials: int, held: HeldWindow, configs: list[RunConfig]
) -> tuple[float, float, float, float, bool]:
    """Return the seconds of one of these trials on a window, and those of a plain replay; how many results
    all `trials` have, and how many those have whose curves are kept; whether the kernel replays them.
    """
    kernel = held.kernel
    parameters = ParameterColumns.of(configs)
    is_plain = kernel is None or bool(kernel.replay(parameters).refused)  # its tables are made here
    if is_plain:
        parameters = _spread(configs, _FEW)
    done, seconds = _timed(lambda: replay_fast(kernel, held.baselines, parameters))
    trial = plain = seconds / len(parameters)
    best = _best(spec, trials, done.columns)
    if not is_plain:
        kept = parameters.take(best[:_KEPT])
        replay_fast(None, held.baselines, kept.take(np.arange(1)))  # what plain replays share is made here
        plain = _timed(lambda: replay_fast(None, held.baselines, kept))[1] / len(kept)
    distinct = population(trials, _counts(done.columns))
    curves = _kept(spec, trials, distinct, done.columns.take(best))
    if spec.curves == "all" and kernel is None:
        curves = 0.0  # each trial goes alone, and its run is its curve as well
    return trial, plain, distinct, curves, not is_plain


def _counts(columns: TrialColumns) -> IntArray:
    """Return how many trials have each of their results."""
    return np.unique(columns.ledgers, axis=0, return_counts=True)[1].astype(np.int64)


def _best(spec: SweepSpec, trials: int, sample: TrialColumns) -> IntArray:
    """Return the places of the best in a sample, as many as stand for those whose curves are kept."""
    count = len(sample.ledgers)
    top = min(spec.curves.top, trials) if isinstance(spec.curves, TopCurves) else trials
    ranks = trial_ranks(spec, sample.including(spec.objective.metric))
    return np.argsort(ranks, kind="stable")[: max(_BEST, round(count * top / trials))]


def _kept(spec: SweepSpec, trials: int, distinct: float, best: TrialColumns) -> float:
    """Return how many results the trials have whose curves are kept: the best ones often trade alike."""
    if not isinstance(spec.curves, TopCurves):
        return distinct if spec.curves == "all" else 0.0
    top = min(spec.curves.top, trials)
    return min(population(top, _counts(best)), top)


def _kept_throughout(kept: float, spec: SweepSpec, share: float) -> float:
    """Return how many results those trials have over a whole window that have so many on a `share` of it.

    Trials that trade alike there may part elsewhere, but where all of them do.
    """
    if not isinstance(spec.curves, TopCurves) or kept <= 1:
        return kept
    top = min(spec.curves.top, spec.trial_count)
    return float(top * (1 - (1 - kept / top) ** (1 / share)))


def _spread(configs: list[RunConfig], most: int) -> ParameterColumns:
    """Return some runs from all over these, at most so many."""
    return ParameterColumns.of(configs[:: -(-len(configs) // most)])


def _timed(what: Callable[[], Found]) -> tuple[Found, float]:
    """Return the result and the processor time that this thread spent on it."""
    began = time.thread_time()
    found = what()
    return found, time.thread_time() - began


def held_tickers(connection: sa.Connection, config: RunConfig) -> tuple[int, int]:
    """Return about how many prices a run sees, events x legs, and the settlements held before its window.

    Spot and perp of one exchange count as one. Counted by the stored months of funding, those at the ends of
    the window in proportion.
    """
    perps = ReadPairs.of([config]).perps
    series = [
        one
        for one in sql.held_series(connection)
        if one.key.kind is SeriesKind.FUNDING
        and not perps.isdisjoint({(one.key.exchange, one.key.symbol), (None, one.key.symbol)})
    ]
    inside, before = [0.0], 0.0
    for months in sql.outlines(connection, series=series, beyond_seals=True).values():
        inside.append(sum(month.rows * _overlap(month, config.start, config.end) for month in months))
        before += sum(month.rows * _overlap(month, 0, config.start) for month in months)
    legs = 2 * len(config.hedges) if needs_hedge_engine(config) else len(config.symbols)
    return int(max(inside)) * legs, int(before)


def _overlap(month: sql.Outline, start_ms: int, end_ms: int) -> float:
    length = max(month.last_ms - month.first_ms, 1)
    return max(0.0, min(month.last_ms, end_ms) - max(month.first_ms, start_ms)) / length


def _usual_settlements(config: RunConfig) -> float:
    return settlements_between(config.start, config.end) * len(config.symbols)
