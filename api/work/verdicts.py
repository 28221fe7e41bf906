"""Verdicts on sweeps, their candidates replayed."""

from api.work.database_threads import Database
from api.work.replays import Replays, StoredRun, trial_run
from bot.backtest.yearly_figures import Yearly
from bot.errors import BotError
from bot.numbers.money import ONE
from sweeps.analysis.replayed_verdict import ReplayedVerdict
from sweeps.analysis.verdict import sweep_verdict


async def verdict_on(database: Database, replays: Replays, sweep_id: int) -> ReplayedVerdict:
    """Return the verdict on a sweep; its candidate is replayed if its data are still held.

    Raises: UnknownSweepError.
    """
    found = await database.analyze(sweep_verdict, sweep_id)
    if found.trial is None:
        return ReplayedVerdict(found, None, "there is no candidate")
    run = trial_run(sweep_id, found.spec, found.trial.number, found.trial.run_key)
    try:
        return ReplayedVerdict(found, await replays.work.run(lambda: _yearly(replays, run)), None)
    except BotError as error:
        return ReplayedVerdict(found, None, str(error))


def _yearly(replays: Replays, run: StoredRun) -> Yearly:
    study = replays.study(run)
    unlevered = study.baselines.of(run.config.varied({"perp_leverage": ONE}))
    return Yearly.of(study.result, study.hold, unlevered, study.window)
