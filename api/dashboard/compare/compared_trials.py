"""Trials compared side by side: parsed from the address, read, and replayed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api.dashboard.trial.run_context import RunContext, study_or_refusal, trial_context
from api.presentation.presenters import SweepCard
from api.work.replays import Replays, Study
from bot.backtest.findings import RunFinding
from bot.errors import InvalidInputError
from bot.models import Trade
from sweeps.analysis.progress import get_sweep

LEAST, MOST = 2, 10
MOST_PRICES = 400_000
_NAME = re.compile(r"(\d{1,10}):(\d{1,10})\Z", re.ASCII)
_SWEEP = re.compile(r"\d{1,10}\Z", re.ASCII)
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ChosenTrial:
    """A stored trial in a comparison, with the sweep it belongs to."""

    key: Key
    sweep: SweepCard
    context: RunContext

    @property
    def name(self) -> str:
        """Name in the address and on the page: sweep:trial."""
        return name_of(self.key)


@dataclass(frozen=True, slots=True)
class ComparedTrial:
    """A chosen trial, replayed; `refused` is the reason if it cannot be replayed any more."""

    chosen: ChosenTrial
    study: Study | None
    refused: str | None

    @property
    def findings(self) -> Sequence[RunFinding]:
        """Its findings, those of the replay where there is one."""
        return self.chosen.context.findings if self.study is None else self.study.result.findings

    @property
    def trades(self) -> Sequence[Trade]:
        """Its round trips, none where it cannot be replayed."""
        return () if self.study is None else self.study.result.trades


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
        raise InvalidInputError.of("trials", f"{part[:40]!r} is no trial: write sweep:trial, such as 1:5")
    return int(match[1]), int(match[2])


def parse_sweeps(text: str) -> list[int]:
    """Return the sweeps that an address names as `1,2`; raises InvalidInputError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if not _SWEEP.match(part):
            raise InvalidInputError.of("sweeps", f"{part[:40]!r} is no number of a sweep")
    distinct = list(dict.fromkeys(map(int, parts)))
    _refuse_counts("sweeps", len(distinct), text)
    return distinct


def _refuse_counts(field: str, count: int, text: str) -> None:
    if not LEAST <= count <= MOST:
        raise InvalidInputError.of(
            field, f"{text[:80]!r} names {count} of them; {LEAST} to {MOST} can be compared"
        )


def best_trials(connection: sa.Connection, sweep_ids: Sequence[int]) -> list[Key]:
    """Return the best trial of each sweep; raises InvalidInputError if one has none yet."""
    keys = []
    for sweep_id in sweep_ids:
        best = get_sweep(connection, sweep_id).best
        if best is None:
            raise InvalidInputError.of(
                "sweeps", f"{sweep_id} has no best trial yet: none completed with a value of its objective"
            )
        keys.append((sweep_id, best.number))
    return keys


def chosen_trials(connection: sa.Connection, keys: Sequence[Key]) -> list[ChosenTrial]:
    """Return stored trials; raises UnknownSweepError, InvalidInputError for one without a result."""
    sweeps = {sweep_id: SweepCard(get_sweep(connection, sweep_id)) for sweep_id in {key[0] for key in keys}}
    found = [ChosenTrial(key, sweeps[key[0]], trial_context(connection, *key)) for key in keys]
    for one in found:
        if not one.context.figures:
            raise InvalidInputError.of("trials", f"{one.name} has not been replayed yet")
    return found


def replayed(replays: Replays, chosen: Sequence[ChosenTrial]) -> list[ComparedTrial]:
    """Return the trials with their replays; raises InvalidInputError for more work than a page waits for."""
    compared, windows = dict[Key, ComparedTrial](), dict[int, int]()
    for one in sorted(chosen, key=lambda one: one.key):
        study, refused = study_or_refusal(replays, one.context.run)
        compared[one.key] = ComparedTrial(one, study, refused)
        if study is not None:
            windows[id(study.window)] = study.prices
        if sum(windows.values()) > MOST_PRICES:
            raise InvalidInputError.of("trials", f"their windows hold more than {MOST_PRICES:,} prices")
    return [compared[one.key] for one in chosen]


def differing_parameters(chosen: Sequence[ChosenTrial]) -> tuple[list[tuple[str, list[Any]]], int]:
    """Return (name, value of each) of the parameters that differ, and how many are equal."""
    documents = [one.context.run.config.document() for one in chosen]
    names = dict.fromkeys(name for document in documents for name in document)
    rows = [(name, [document.get(name) for document in documents]) for name in names]
    differing = [(name, values) for name, values in rows if any(value != values[0] for value in values)]
    return differing, len(rows) - len(differing)
