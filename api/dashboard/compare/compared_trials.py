"""Trials compared side by side: parsed from the address, read, and given their windows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api.dashboard.compare.divergence_rows import ComparedRun
from api.dashboard.trial.run_context import RecordedRun, recorded_trial, trades_of
from api.presentation.presenters import LEAST_COMPARED, MOST_COMPARED, SweepCard
from api.work.replays import Replays
from bot.backtest.findings import RunFinding
from bot.config.run_config import RunConfig
from bot.errors import BotError, InvalidInputError
from bot.market_store.sql import seal_times
from bot.notation import quoted
from sweeps.analysis.progress import get_sweep
from sweeps.analysis.queries import TrialView, one_trial

MOST_PRICES = 400_000
_NAME = re.compile(r"(\d{1,10}):(\d{1,10})\Z", re.ASCII)
_SWEEP = re.compile(r"\d{1,10}\Z", re.ASCII)
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ChosenRun:
    """The run of a stored trial in a comparison."""

    key: Key
    recorded: RecordedRun

    @property
    def name(self) -> str:
        """Name in the address and on the page: sweep:trial."""
        return name_of(self.key)

    @property
    def config(self) -> RunConfig:
        """Its parameters."""
        return self.recorded.run.config


@dataclass(frozen=True, slots=True)
class ChosenTrial(ChosenRun):
    """A stored trial in a comparison, with the sweep it belongs to."""

    sweep: SweepCard
    trial: TrialView

    @property
    def figures(self) -> Mapping[str, Any]:
        """Its metrics by name, money Decimal."""
        return self.trial.metrics or {}


@dataclass(frozen=True, slots=True)
class ComparedTrial:
    """A chosen trial with its trades and window; `refused` is the reason if its data are no longer held."""

    chosen: ChosenTrial
    run: ComparedRun | None
    refused: str | None
    findings: Sequence[RunFinding]


def name_of(key: Key) -> str:
    """Return the name of a trial in an address."""
    return f"{key[0]}:{key[1]}"


def parse_trials(text: str) -> list[Key]:
    """Return the trials that an address names as `1:5,2:3`; raises InvalidInputError."""
    keys = [_key(part.strip()) for part in text.split(",") if part.strip()]
    distinct = list(dict.fromkeys(keys))
    _refuse_counts("trials", len(distinct), text)
    return distinct


def _key(part: str) -> Key:
    match = _NAME.match(part)
    if match is None:
        raise InvalidInputError.of(
            "trials", f"{quoted(part[:40])} is no trial: write sweep:trial, such as 1:5"
        )
    return int(match[1]), int(match[2])


def parse_sweeps(text: str) -> list[int]:
    """Return the sweeps that an address names as `1,2`; raises InvalidInputError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if not _SWEEP.match(part):
            raise InvalidInputError.of("sweeps", f"{quoted(part[:40])} is no number of a sweep")
    distinct = list(dict.fromkeys(map(int, parts)))
    _refuse_counts("sweeps", len(distinct), text)
    return distinct


def _refuse_counts(field: str, count: int, text: str) -> None:
    if not LEAST_COMPARED <= count <= MOST_COMPARED:
        raise InvalidInputError.of(
            field,
            f"{quoted(text[:80])} names {count} of them; {LEAST_COMPARED} to {MOST_COMPARED} can be compared",
        )


def best_trials(connection: sa.Connection, sweep_ids: Sequence[int]) -> list[Key]:
    """Return the best trial of each sweep; raises InvalidInputError if one has none yet."""
    keys = []
    for sweep_id in sweep_ids:
        best = get_sweep(connection, sweep_id).best
        if best is None:
            raise InvalidInputError.of(
                "sweeps",
                f"{sweep_id} has no best trial yet: no eligible one completed with a value of its objective",
            )
        keys.append((sweep_id, best.number))
    return keys


def chosen_runs(connection: sa.Connection, keys: Sequence[Key]) -> list[ChosenRun]:
    """Return the runs of trials; raises UnknownSweepError, InvalidInputError for one without a result."""
    seals = seal_times(connection)
    found = [ChosenRun(key, recorded_trial(connection, *key, seals)) for key in keys]
    for one in found:
        if one.recorded.run.run_key is None:
            raise InvalidInputError.of("trials", f"{one.name} has not been replayed yet")
    return found


def chosen_trials(connection: sa.Connection, keys: Sequence[Key]) -> list[ChosenTrial]:
    """Return stored trials with their sweeps; raises as `chosen_runs` does."""
    sweeps = {sweep_id: SweepCard(get_sweep(connection, sweep_id)) for sweep_id in {key[0] for key in keys}}
    return [
        ChosenTrial(one.key, one.recorded, sweeps[one.key[0]], one_trial(connection, *one.key))
        for one in chosen_runs(connection, keys)
    ]


def compared_trials(replays: Replays, chosen: Sequence[ChosenTrial]) -> list[ComparedTrial]:
    """Return the trials with their windows, those replayed whose trades are not stored.

    Raises: InvalidInputError for more work than a page waits for.
    """
    return [
        ComparedTrial(one, run, refused, _findings(replays, one, run))
        for one, (run, refused) in zip(chosen, compared_runs(replays, chosen), strict=True)
    ]


def compared_runs(
    replays: Replays, chosen: Sequence[ChosenRun]
) -> list[tuple[ComparedRun | None, str | None]]:
    """Return each run, or why its data are no longer held; raises as `compared_trials` does."""
    found, windows = dict[Key, tuple[ComparedRun | None, str | None]](), dict[int, int]()
    for one in sorted(chosen, key=lambda one: one.key):
        run, _ = found[one.key] = _run_or_refusal(replays, one)
        if run is not None:
            windows[id(run.window)] = run.window.prices
        if sum(windows.values()) > MOST_PRICES:
            raise InvalidInputError.of("trials", f"their windows hold more than {MOST_PRICES:,} prices")
    return [found[one.key] for one in chosen]


def compared_run(replays: Replays, chosen: ChosenRun) -> ComparedRun:
    """Return a trial with its trades, stored or replayed now; raises BotError if its data are not held."""
    run, record = chosen.recorded.run, chosen.recorded.record
    window = replays.window(run)
    trades = replays.result(run).trades if record is None else trades_of(run, record.trade_documents)
    return ComparedRun(chosen.name, run.config, trades, window)


def _findings(replays: Replays, chosen: ChosenTrial, run: ComparedRun | None) -> Sequence[RunFinding]:
    """Return what its numbers have to be read with; of a price jump, trades tell what came of it."""
    recorded = chosen.recorded
    if recorded.record is not None or run is None:
        return chosen.trial.findings
    return replays.result(recorded.run).findings


def _run_or_refusal(replays: Replays, chosen: ChosenRun) -> tuple[ComparedRun | None, str | None]:
    try:
        return compared_run(replays, chosen), None
    except BotError as error:
        return None, error.message


def differing_parameters(chosen: Sequence[ChosenTrial]) -> tuple[list[tuple[str, list[Any]]], int]:
    """Return (name, value of each) of the parameters that differ, and how many are equal."""
    documents = [one.config.document() for one in chosen]
    names = dict.fromkeys(name for document in documents for name in document)
    rows = [(name, [document.get(name) for document in documents]) for name in names]
    differing = [(name, values) for name, values in rows if any(value != values[0] for value in values)]
    return differing, len(rows) - len(differing)
