"""Verdicts on sweeps, their candidates replayed; and badges of single trials."""

from dataclasses import dataclass, replace

import sqlalchemy as sa

from api.presentation.verdict_sentence import verdict_sentence
from api.work.database_threads import Database
from api.work.replays import Replays, StoredRun, trial_run
from bot.backtest.periods.yearly_figures import Yearly, best_regime
from bot.errors import BotError
from bot.numbers.arrays import IntArray
from bot.numbers.money import ONE
from bot.plurals import counted
from bot.selection.badges import Badge, CandidateFacts, badges
from sweeps.analysis.queries import trial_with_spec
from sweeps.analysis.verdicts.candidate_facts import trial_facts
from sweeps.analysis.verdicts.replayed_verdict import ReplayedVerdict
from sweeps.analysis.verdicts.verdict import SweepVerdict, funnel_end, sweep_verdict
from sweeps.work.verifying import RowCompatibility, row_compatibility

MOST_BY_YEAR = 20_000
"""Most trials whose years are told: of a window of five years they take a processor some twenty seconds."""


async def verdict_on(database: Database, replays: Replays, sweep_id: int) -> ReplayedVerdict:
    """Return the verdict on a sweep; its candidate is replayed if its data are still held.

    Raises: UnknownSweepError.
    """
    found = await database.analyze(sweep_verdict, sweep_id)
    if found.trial is None:
        return _told(found, None, "there is no candidate")
    run = trial_run(sweep_id, found.spec, found.trial.number, found.trial.run_key)
    try:
        return _told(found, await replays.work.run(lambda: _yearly(replays, run)), None)
    except BotError as error:
        return _told(found, None, str(error))


async def trial_badges(database: Database, replays: Replays, sweep_id: int, number: int) -> list[Badge]:
    """Return the badges of a trial, none without a result; the share of its best regime takes a replay.

    Raises: UnknownSweepError.
    """

    def query(connection: sa.Connection) -> tuple[CandidateFacts, StoredRun] | None:
        facts = trial_facts(connection, sweep_id, number)
        spec, trial = trial_with_spec(connection, sweep_id, number)
        return None if facts is None else (facts, trial_run(sweep_id, spec, number, trial.run_key))

    found = await database.analyze(query)
    if found is None:
        return []
    facts, run = found
    try:
        regime = await replays.work.run(lambda: _best_regime(replays, run))
    except BotError:
        regime = None
    return badges(replace(facts, best_regime=regime))


@dataclass(frozen=True, slots=True)
class PositiveYears:
    """Count of the trials at the end of a sweep's funnel that rose in every UTC year.

    `among` is how many there are; `count` is None where `missing` says why.
    """

    among: int
    count: int | None
    missing: str | None


async def positive_years(database: Database, replays: Replays, sweep_id: int) -> PositiveYears:
    """Return how many trials rose in every year; they are replayed together. Raises UnknownSweepError."""

    def query(connection: sa.Connection) -> tuple[IntArray, RowCompatibility]:
        return funnel_end(connection, sweep_id), row_compatibility(connection, sweep_id)

    numbers, compatible = await database.analyze(query)
    among = len(numbers)
    if compatible.obstacle is not None:
        return PositiveYears(among, None, compatible.obstacle)
    if among > MOST_BY_YEAR:
        return PositiveYears(among, None, f"told of up to {counted(MOST_BY_YEAR, 'trial')}")
    try:
        count = await replays.work.run(lambda: replays.rising(sweep_id, compatible.spec, numbers))
    except BotError as error:
        return PositiveYears(among, None, str(error))
    return PositiveYears(among, count, None)


def _told(found: SweepVerdict, yearly: Yearly | None, missing: str | None) -> ReplayedVerdict:
    return ReplayedVerdict(found, yearly, missing, verdict_sentence(found, yearly))


def _best_regime(replays: Replays, run: StoredRun) -> float | None:
    study = replays.study(run)
    return best_regime(study.result, study.settled)


def _yearly(replays: Replays, run: StoredRun) -> Yearly:
    study = replays.study(run)
    unlevered = study.baselines.of(run.config.varied({"perp_leverage": ONE}))
    return Yearly.of(study.result, study.hold, unlevered, study.settled)
