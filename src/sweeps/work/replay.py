"""One trial, replayed: its window loaded once per process, its result as a row."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Protocol

from bot.backtest import Baselines, ReplayWindow, RunResult, replay
from bot.backtest.batch import BatchReplayer, RunRecord, TrialSummary
from bot.backtest.window_findings import WindowFinding, window_findings
from bot.config.run_config import RunConfig
from bot.config.run_key import run_key
from bot.errors import BotError
from bot.market.series import MarketData
from sweeps.analysis.findings import WINDOW_PARAMETERS, Windows, window_name
from sweeps.errors import ResultRangeError
from sweeps.spec.metrics import METRICS, MetricKind, metric_values
from sweeps.spec.spec import SweepSpec
from sweeps.storage.columns import money_units
from sweeps.storage.states import TrialState

_window_key = attrgetter(*WINDOW_PARAMETERS)
MAX_HELD_TICKERS = 120_000
_MAX_ERROR_LENGTH = 2_000
_MAX_CODE_LENGTH = 32  # of its column; a strategy may bring errors with codes of its own
_OPTIONAL = ("error_code", "error", "run_key", "run_hash", "ledger", "reused_sweep", "reused_number")
_EMPTY: Mapping[str, Any] = MappingProxyType(dict.fromkeys((*_OPTIONAL, *METRICS)))
_HASH_DIGITS = 15
_RECORDS_AT_ONCE = 64


class MarketStore(Protocol):
    """Source of recorded history."""

    def load(
        self, exchange: str | None, symbols: tuple[str, ...], end_ms: int, start_ms: int | None = None
    ) -> MarketData:
        """Return the history of `symbols` visible at `end_ms`, in timeframes that suit the window."""


@dataclass(frozen=True, slots=True)
class HeldWindow:
    """A window, the hold runs over it, and what replays many trials of it at once."""

    window: ReplayWindow
    baselines: Baselines
    replayer: BatchReplayer


class WindowCache:
    """Windows that trials share, the least recently used dropped first; refusals are remembered as well.

    Bounded by the number of prices held (symbols x events), not by windows; the newest always stays.
    `built` counts the windows that had to be read; what was odd about their data waits until it is stored.
    """

    def __init__(self, store: MarketStore, *, max_tickers: int = MAX_HELD_TICKERS) -> None:
        self._store = store
        self._max_tickers = max_tickers
        self._held: OrderedDict[tuple[Any, ...], HeldWindow | BotError] = OrderedDict()
        self._sweep_id: int | None = None
        self.built = 0
        self._found: dict[str, tuple[WindowFinding, ...]] = {}
        self._check: Callable[[], None] = _accept

    def enter(self, sweep_id: int, check: Callable[[], None] | None = None) -> None:
        """Forget the windows of another sweep, so that each reads the history anew.

        `check` is called after each reading, and raises if what was read may be another history.
        """
        self._check = check or _accept
        if sweep_id != self._sweep_id:
            self._held.clear()
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

    def window(self, config: RunConfig) -> ReplayWindow:
        """Return the window `config` asks for; raises BotError where the store cannot give it."""
        return self.held(config).window

    def baselines(self, config: RunConfig) -> Baselines:
        """Return the hold runs over the window `config` asks for; raises BotError as `window` does."""
        return self.held(config).baselines

    def replayer(self, config: RunConfig) -> BatchReplayer:
        """Return the batch replayer of that window; raises BotError as `window` does."""
        return self.held(config).replayer

    def held(self, config: RunConfig) -> HeldWindow:
        """Return window, baselines and replayer; raises BotError as `window` does."""
        key = _window_key(config)
        if key not in self._held:
            built = self._built(config)
            self.built += 1
            self._check()
            self._held[key] = built
            self._note(config, built)
            self._shrink()
        self._held.move_to_end(key)
        found = self._held[key]
        if isinstance(found, BotError):
            raise found.with_traceback(None)  # or each trial would hang its frames on the one error
        return found

    def _built(self, config: RunConfig) -> HeldWindow | BotError:
        try:
            data = self._store.load(config.exchange, config.symbols, config.end, config.start)
            window = ReplayWindow.build(config, data)
            baselines = Baselines(window)
            return HeldWindow(window, baselines, BatchReplayer(window, baselines))
        except BotError as error:
            return error.with_traceback(None)

    def _note(self, config: RunConfig, built: HeldWindow | BotError) -> None:
        if isinstance(built, BotError):
            return
        if found := window_findings(built.window.coverage):
            self._found[window_name(config)] = found

    def _shrink(self) -> None:
        while len(self._held) > 1 and sum(map(_tickers, self._held.values())) > self._max_tickers:
            self._held.popitem(last=False)


def _accept() -> None:
    """Take any history."""


def _tickers(held: HeldWindow | BotError) -> int:
    return 1 if isinstance(held, BotError) else len(held.window.events) * len(held.window.instruments)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a trial: its identity and metrics, or the error that refused it."""

    number: int
    run_key: str | None = None
    metrics: dict[str, Any] | None = None
    error: BotError | None = None


def trial_config(spec: SweepSpec, number: int) -> RunConfig:
    """Return the parameters of one trial; raises BotError if they are refused."""
    return spec.config(number)


def replay_trial(spec: SweepSpec, number: int, windows: WindowCache) -> RunResult:
    """Return the run of one trial; raises BotError if its parameters or its window are refused."""
    config = trial_config(spec, number)
    return replay(config, windows.window(config))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A trial that can run: its parameters, its identity, and what replays it beside others."""

    number: int
    config: RunConfig
    run_key: str
    replayer: BatchReplayer

    @property
    def is_covered(self) -> bool:
        """True if it can be replayed in a batch with others."""
        return self.replayer.covers(self.config)


def prepare(
    spec: SweepSpec, numbers: Sequence[int], windows: WindowCache
) -> tuple[list[Prepared], list[Outcome]]:
    """Return the trials that can run, and the outcomes of those whose parameters or window are refused."""
    ready, refused = [], []
    for number in numbers:
        try:
            config = trial_config(spec, number)
            held = windows.held(config)
        except BotError as error:
            refused.append(Outcome(number, error=error))
            continue
        window = held.window
        if config.exchange != window.exchange:
            config = config.varied({"exchange": window.exchange})
        ready.append(Prepared(number, config, run_key(config, window.fingerprint), held.replayer))
    return ready, refused


def replay_alone(trial: Prepared, windows: WindowCache) -> RunResult:
    """Return the run of one trial that has been prepared."""
    return replay(trial.config, windows.window(trial.config))


def replay_batch(trials: Sequence[Prepared]) -> list[Outcome]:
    """Return the outcomes of many trials; their common parts are computed once."""
    groups: dict[int, list[Prepared]] = {}
    for trial in trials:
        groups.setdefault(id(trial.replayer), []).append(trial)
    outcomes = []
    for group in groups.values():
        summaries = group[0].replayer.summaries([trial.config for trial in group])
        told = {id(summary): _told(summary) for summary in {id(one): one for one in summaries}.values()}
        for trial, summary in zip(group, summaries, strict=True):
            metrics, error = told[id(summary)]
            outcomes.append(Outcome(trial.number, trial.run_key, metrics, error))
    return outcomes


def _told(summary: TrialSummary) -> tuple[dict[str, Any] | None, BotError | None]:
    """Return the metrics that many trials may share, or the error if they cannot be stored."""
    metrics = metric_values(summary.metrics, summary.hold, summary.carry)
    metrics["ledger"] = summary.ledger
    try:
        check_range(metrics)
    except ResultRangeError as error:
        return None, error
    return metrics, None


def run_records(
    spec: SweepSpec, numbers: Sequence[int], windows: WindowCache
) -> Iterator[tuple[int, RunRecord]]:
    """Yield equity curve and round trips of each trial, replaying some in one batch.

    Raises BotError if the parameters or the window of one are refused.
    """
    for first in range(0, len(numbers), _RECORDS_AT_ONCE):
        some = numbers[first : first + _RECORDS_AT_ONCE]
        configs = [trial_config(spec, number) for number in some]
        groups: dict[BatchReplayer, list[tuple[int, RunConfig]]] = {}
        for number, config in zip(some, configs, strict=True):
            groups.setdefault(windows.replayer(config), []).append((number, config))
        for replayer, group in groups.items():
            found = replayer.run_records([config for _, config in group])
            yield from zip((number for number, _ in group), found, strict=True)


def trial_metrics(result: RunResult, windows: WindowCache) -> dict[str, Any]:
    """Return every metric of a replayed trial by name, and the digest of its `ledger`."""
    baselines = windows.baselines(result.config)
    hold, carry = baselines.of(result.config), baselines.compare(result)
    return metric_values(result.metrics, hold.metrics, carry) | {"ledger": result.ledger}


def completed_row(sweep_id: int, number: int, run_key: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the trial's row; raises ResultRangeError if a result does not fit it."""
    check_range(metrics)
    return row_of(sweep_id, Outcome(number, run_key, metrics))


def check_range(metrics: dict[str, Any]) -> None:
    """Raise ResultRangeError if one of a trial's metrics does not fit its row."""
    for name, kind in METRICS.items():
        if kind is MetricKind.MONEY and metrics[name] is not None:
            money_units(metrics[name], name)


def row_of(sweep_id: int, outcome: Outcome) -> dict[str, Any]:
    """Return the row of a trial whose metrics have been found to fit."""
    assert outcome.run_key is not None and outcome.metrics is not None  # noqa: S101, PT018
    return {
        **_EMPTY,
        **outcome.metrics,
        "sweep_id": sweep_id,
        "number": outcome.number,
        "state": TrialState.COMPLETED,
        "run_key": outcome.run_key,
        "run_hash": run_hash(outcome.run_key),
    }


def run_hash(run_key: str) -> int:
    """Return the first 60 bits of a run key: enough to find it by, small enough for an index."""
    return int(run_key[:_HASH_DIGITS], 16)


def failed_row(sweep_id: int, number: int, code: str, message: str) -> dict[str, Any]:
    """Return the row of a trial without a result."""
    return {
        **_EMPTY,
        "sweep_id": sweep_id,
        "number": number,
        "state": TrialState.FAILED,
        "error_code": code[:_MAX_CODE_LENGTH],
        "error": _storable(message)[:_MAX_ERROR_LENGTH],
    }


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
