"""Trials, replayed: their windows loaded once per process, their results as columns."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Self

import numpy as np

from bot.backtest import Baselines
from bot.backtest.window_findings import WindowFinding, window_findings
from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.config.run_key import key_array, key_list
from bot.config.strategy_registry import strategy_plugin
from bot.errors import BotError
from bot.hedges.runs import AnyRun, AnyWindow, MarketStore, baselines_of, load_window, replay_run, replay_runs
from bot.hedges.window import HedgeWindow
from bot.kernel.replayer import KernelReplayer
from bot.kernel.run_keys import fastest_run_keys
from bot.kernel.unfit import Reason
from bot.market.records.recorded_fees import kinds_read
from bot.numbers.arrays import IntArray
from bot.statistics.daily_returns import DailyReturns
from bot.statistics.trial_columns import DigestArray, TrialColumns
from sweeps.analysis.findings import HEDGE_WINDOWS, WINDOW_PARAMETERS, Windows, window_name
from sweeps.spec.spec import SweepSpec
from sweeps.spec.trial_groups import TrialGroup
from sweeps.storage.columns import unstorable
from sweeps.storage.results import CompletedTrials
from sweeps.work.kernel_replay import kernel_replayer, replay_fast

_window_key = attrgetter(*WINDOW_PARAMETERS)
_hedge_key = attrgetter(*HEDGE_WINDOWS)
MAX_HELD_TICKERS = 120_000
_RUNS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class HeldWindow:
    """A window, the hold runs over it, and what replays many trials of it at once."""

    window: AnyWindow
    baselines: Baselines
    kernel: KernelReplayer | None

    @property
    def is_hedges(self) -> bool:
        """True for a window of hedges, which the kernel does not replay."""
        return isinstance(self.window, HedgeWindow)

    @classmethod
    def of(cls, window: AnyWindow) -> Self:
        """Return a window with what replays its trials."""
        kernel = None if isinstance(window, HedgeWindow) else kernel_replayer(window)
        return cls(window, baselines_of(window), kernel)


class WindowCache:
    """Windows that trials share, the least recently used dropped first; refusals are remembered as well.

    Bounded by the number of prices held (symbols x events), not by windows; the newest always stays.
    `built` counts the windows that had to be read; what was odd about their data waits until it is stored.
    Of the runs over them the one kept last is held: who ends a sweep makes its report, which takes the best.
    """

    def __init__(self, store: MarketStore, *, max_tickers: int = MAX_HELD_TICKERS) -> None:
        self._store = store
        self._max_tickers = max_tickers
        self._held: OrderedDict[tuple[Any, ...], HeldWindow | BotError] = OrderedDict()
        self._sweep_id: int | None = None
        self._history: tuple[Any, ...] | None = None
        self.built = 0
        self._noted: set[tuple[Any, ...]] = set()
        self._found: dict[str, tuple[WindowFinding, ...]] = {}
        self._check: Callable[[], None] = _accept
        self._run: AnyRun | None = None

    def enter(
        self,
        sweep_id: int,
        check: Callable[[], None] | None = None,
        *,
        pin: str | None = None,
        seals: Mapping[str, int] | None = None,
    ) -> None:
        """Turn to the windows of a sweep: each reads its own anew, those of equal `pin` share.

        What was read under other `seals` is not used again, so that a seal closes what is held as well.
        `check` is called after each reading, and raises if what was read may be another history.
        """
        self._check = check or _accept
        self._history = (sweep_id if pin is None else pin, *sorted((seals or {}).items()))
        if sweep_id != self._sweep_id:
            self._noted.clear()
            self._found.clear()
            self._sweep_id = sweep_id

    @property
    def unstored(self) -> Windows:
        """The findings of windows read since the last ones were stored."""
        return dict(self._found)

    def stored(self, found: Windows) -> None:
        """Forget findings that are stored."""
        for window in found:
            self._found.pop(window, None)

    def forget(self) -> None:
        """Forget every window: what was interrupted in the middle may have left one half worked out."""
        self._held.clear()
        self._run = None

    def window(self, config: RunConfig) -> AnyWindow:
        """Return the window `config` asks for; raises BotError where the store cannot give it."""
        return self.held(config).window

    def baselines(self, config: RunConfig) -> Baselines:
        """Return the hold runs over the window `config` asks for; raises BotError as `window` does."""
        return self.held(config).baselines

    def keep_run(self, run: AnyRun) -> None:
        """Hold a plain replay in place of the one kept before."""
        self._run = run

    def run(self, config: RunConfig) -> AnyRun:
        """Return the plain replay of `config`, the one kept if it is that; raises BotError as `window`."""
        return self.known_run(config) or replay_run(config, self.window(config))

    def known_run(self, config: RunConfig) -> AnyRun | None:
        """Return the run kept if it is that of `config`, None if not; raises BotError as `window`."""
        window, kept = self.window(config), self._run
        return kept if kept is not None and kept.window is window and kept.config == config else None

    def held(self, config: RunConfig) -> HeldWindow:
        """Return window, baselines and kernel; raises BotError as `window` does."""
        asks = needs_hedge_engine(config), *_hedge_key(config)
        key = (self._history, kinds_read(config), *asks, *_window_key(config))
        if key not in self._held:
            built = self._built(config)
            self.built += 1
            self._check()
            self._held[key] = built
            self._shrink()
        self._held.move_to_end(key)
        found = self._held[key]
        if key not in self._noted:
            self._noted.add(key)
            self._note(config, found)
        if isinstance(found, BotError):
            raise found.with_traceback(None)  # or each trial would hang its frames on the one error
        return found

    def _built(self, config: RunConfig) -> HeldWindow | BotError:
        try:
            return HeldWindow.of(load_window(config, self._store))
        except BotError as error:
            return error.with_traceback(None)

    def _note(self, config: RunConfig, built: HeldWindow | BotError) -> None:
        if isinstance(built, BotError):
            return
        if found := window_findings(built.window.coverage):
            self._found[window_name(config)] = found

    def _shrink(self) -> None:
        while len(self._held) > 1 and sum(map(_tickers, self._held.values())) > self._max_tickers:
            _, dropped = self._held.popitem(last=False)
            run = self._run
            if run is not None and isinstance(dropped, HeldWindow) and dropped.window is run.window:
                self._run = None  # or its window would stay


def _accept() -> None:
    """Take any history."""


def _tickers(held: HeldWindow | BotError) -> int:
    return 1 if isinstance(held, BotError) else held.window.prices


@dataclass(frozen=True, slots=True)
class Refusal:
    """Trial without a result, and the error that refused it."""

    number: int
    error: BotError


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """Trials that have been replayed: those with a result, and those whose result cannot be stored.

    `days` are the daily returns of the completed, in their order. `by_kernel` are the numbers of those that
    the compiled kernel replayed; `left` says why it left others.
    """

    completed: CompletedTrials
    days: DailyReturns
    refused: list[Refusal]
    by_kernel: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    left: Mapping[Reason, int] = field(default_factory=dict)

    @classmethod
    def of(cls, numbers: IntArray, run_keys: DigestArray, columns: TrialColumns, days: DailyReturns) -> Self:
        """Return replayed trials, those apart that have an amount which does not fit its column."""
        trials = CompletedTrials(numbers, run_keys, columns)
        unfit = columns.unfit
        if not unfit:
            return cls(trials, days, [])
        refused = [Refusal(int(numbers[at]), unstorable(one.metric, one.amount)) for at, one in unfit.items()]
        fit = np.array([at for at in range(len(numbers)) if at not in unfit], dtype=np.int64)
        return cls(trials.take(fit), days.take(fit), refused)

    def take(self, places: IntArray) -> Self:
        """Return the completed trials at these places."""
        return replace(self, completed=self.completed.take(places), days=self.days.take(places), refused=[])


def trial_config(spec: SweepSpec, number: int) -> RunConfig:
    """Return the parameters of one trial; raises BotError if they are refused."""
    return spec.config(number)


def window_groups(spec: SweepSpec, numbers: Sequence[int], by: Collection[str] = ()) -> list[TrialGroup]:
    """Return the parameters of trials as columns, by strategy, window and engine, nothing of them checked.

    Those of a group agree in the parameters `by` as well.
    """
    found: list[TrialGroup] = []
    asked = np.fromiter(numbers, dtype=np.int64, count=len(numbers))
    for group in spec.groups(asked, (*WINDOW_PARAMETERS, *HEDGE_WINDOWS, *by)):
        asking = group.parameters.asking_for_hedges()
        if asking.all() or not asking.any():
            found.append(group)
        else:
            found += [group.take(np.flatnonzero(~asking)), group.take(np.flatnonzero(asking))]
    return found


def replay_trial(spec: SweepSpec, number: int, windows: WindowCache) -> AnyRun:
    """Return the run of one trial; raises BotError if its parameters or its window are refused."""
    config = trial_config(spec, number)
    return replay_run(config, windows.window(config))


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Trials of one window that can run: their parameters, their identities, and what replays them."""

    group: TrialGroup
    run_keys: DigestArray
    held: HeldWindow

    def __len__(self) -> int:
        return len(self.run_keys)

    @property
    def is_covered(self) -> bool:
        """True if there is a kernel, and a strategy that decides for it."""
        strategy = strategy_plugin(self.group.parameters.config(0).strategy_mode)
        return self.held.kernel is not None and strategy.decide_columns is not None

    def numbers(self) -> list[int]:
        """Return the trials by number."""
        found: list[int] = self.group.numbers.tolist()
        return found

    def numbers_by_key(self) -> dict[bytes, int]:
        """Return the trials by run key; of several with one, the first."""
        return dict(zip(reversed(key_list(self.run_keys)), reversed(self.numbers()), strict=True))

    def without(self, numbers: Collection[int]) -> Self:
        """Return the trials that are not among `numbers`."""
        if not numbers:
            return self
        kept = np.flatnonzero(~np.isin(self.group.numbers, list(numbers)))
        group = self.group.take(kept)
        return replace(self, group=group, run_keys=self.run_keys[kept])


def prepare(
    spec: SweepSpec, numbers: Sequence[int], windows: WindowCache
) -> tuple[list[Prepared], list[Refusal]]:
    """Return the trials that can run, and the refusals of those whose parameters or window are refused."""
    ready: list[Prepared] = []
    refused: list[Refusal] = []
    for group in window_groups(spec, numbers):
        contradicting = group.parameters.refused()
        refused += [Refusal(int(group.numbers[place]), error) for place, error in contradicting.items()]
        sound = _without(group, contradicting)
        if not len(sound.numbers):
            continue
        try:
            held = windows.held(sound.parameters.config(0))
        except BotError as error:
            refused += [Refusal(number, error) for number in sound.numbers.tolist()]
            continue
        ready.append(_prepared(sound, held))
    return ready, sorted(refused, key=attrgetter("number"))


def _without(group: TrialGroup, places: Collection[int]) -> TrialGroup:
    """Return the trials of a group but for those at `places`."""
    if not places:
        return group
    kept = [place for place in range(len(group.numbers)) if place not in places]
    return group.take(np.array(kept, dtype=np.int64))


def _prepared(group: TrialGroup, held: HeldWindow) -> Prepared:
    """Return trials ready to run, the data set that they read named."""
    named = TrialGroup(group.numbers, group.parameters.sharing(exchange=held.window.exchange))
    keys = fastest_run_keys()(named.parameters, held.window.fingerprint)
    return Prepared(named, keys, held)


def replay_alone(trial: Prepared) -> AnyRun:
    """Return the run of one trial that has been prepared."""
    return replay_run(trial.group.parameters.config(0), trial.held.window)


def replay_batch(groups: Sequence[Prepared]) -> list[Replayed]:
    """Return the results of many trials; their common parts are computed once."""
    return [_replayed_together(group) for group in groups if len(group)]


def _replayed_together(trials: Prepared) -> Replayed:
    held, numbers = trials.held, trials.group.numbers
    missing = Reason.HEDGES if held.is_hedges else Reason.NO_LIBRARY
    done = replay_fast(held.kernel, held.baselines, trials.group.parameters, missing)
    found = Replayed.of(numbers, trials.run_keys, done.columns, done.days)
    return replace(found, by_kernel=numbers[done.by_kernel], left=done.left)


def runs_of(spec: SweepSpec, numbers: Sequence[int], windows: WindowCache) -> Iterator[tuple[int, AnyRun]]:
    """Yield the run of each trial, some replayed together; one that the windows keep is not replayed again.

    Raises BotError if the parameters or the window of one are refused.
    """
    for first in range(0, len(numbers), _RUNS_AT_ONCE):
        groups: dict[AnyWindow, list[tuple[int, RunConfig]]] = {}
        for number in numbers[first : first + _RUNS_AT_ONCE]:
            config = trial_config(spec, number)
            if (known := windows.known_run(config)) is not None:
                yield number, known
            else:
                groups.setdefault(windows.window(config), []).append((number, config))
        for window, group in groups.items():
            found = replay_runs([config for _, config in group], window)
            yield from zip((number for number, _ in group), found, strict=True)


def replayed_alone(number: int, result: AnyRun, windows: WindowCache) -> Replayed:
    """Return a trial by its finished run."""
    held = windows.held(result.config)
    baselines = held.baselines
    days = baselines.beside([result.config], result.daily_returns[np.newaxis])
    columns = TrialColumns.of([baselines.summary(result)])
    found = Replayed.of(np.array([number]), key_array([bytes.fromhex(result.run_key)]), columns, days)
    return replace(found, left={Reason.HEDGES: 1}) if held.is_hedges else found
