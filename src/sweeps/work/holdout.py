"""Look at a holdout: one trial replayed to the newest data, and judged from the seal on."""

import sqlalchemy as sa

from bot.config.run_config import RunConfig
from bot.errors import InsufficientDataError, InvalidInputError
from bot.hedges.runs import load_window, replay_run
from bot.market_store.database import write_transaction
from bot.market_store.sql import seal_times
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import iso
from sweeps.analysis.queries import trial_with_spec
from sweeps.errors import SweepStateError
from sweeps.lifecycle.run_looks import LookKind, note_run
from sweeps.lifecycle.seals import HoldoutLook, SealView, get_seal, keep_look
from sweeps.lifecycle.trial_digests import trial_digest
from sweeps.spec.read_pairs import exchanges_read
from sweeps.work.later_days import held_until, judged_from


def look_at_holdout(store: HistoricalDataStore, seal_id: int, sweep_id: int, number: int) -> HoldoutLook:
    """Return the look of a trial at sealed days, written down before anybody sees it.

    A trial that has looked already gets the same answer. Raises: UnknownSealError, UnknownSweepError;
    SweepStateError for a trial without a result; InvalidInputError for another exchange or a trial that
    starts too late; BotError as the replay does.
    """
    with store.engine.connect() as connection:
        held = get_seal(connection, seal_id)
        spec, trial = trial_with_spec(connection, sweep_id, number)
        if trial.run_key is None or trial.metrics is None:
            raise SweepStateError(f"trial {number} of sweep {sweep_id} is {trial.state}: it has no result")
        config = spec.config(number)
        _refuse_unfit(held, config)
        digest = trial_digest(config)
        known = next((one for one in held.looks if one.digest == digest), None)
        if known is not None:
            return known
        end_ms = _newest(connection, held, config)
    extended = config.varied({"end": end_ms})
    beyond_seals = held.opened_ms is None
    window = load_window(extended, store, beyond_seals=beyond_seals)
    run = replay_run(extended, window)
    result = judged_from(run, held.from_ms, trial.run_key)
    with write_transaction(store.engine, durable=True) as connection:
        kept = keep_look(connection, seal_id, digest=digest, sweep_id=sweep_id, number=number, result=result)
        note_run(connection, LookKind.HOLDOUT, run.config, f"{seal_id} {digest}", run.data_fingerprint)
    return kept


def _refuse_unfit(held: SealView, config: RunConfig) -> None:
    if held.exchange not in exchanges_read(config):
        raise InvalidInputError.of(
            "sweep", f"its trials run on {config.exchange}, the seal is of {held.exchange}"
        )
    if config.start >= held.from_ms:
        raise InvalidInputError.of(
            "trial", f"starts at {iso(config.start)}, not before the sealed days from {held.day} on"
        )


def _newest(connection: sa.Connection, held: SealView, config: RunConfig) -> int:
    """Return the last moment (ms UTC) at which all of a trial's data are held; a later seal still holds."""
    end_ms = held_until(connection, config, beyond_seals=held.opened_ms is None) or 0
    seals = dict(seal_times(connection))
    if held.opened_ms is None:
        seals.pop(held.exchange, None)
    end_ms = min([end_ms, *(seals[str(one)] - 1 for one in exchanges_read(config) if one in seals)])
    if end_ms < held.from_ms:
        raise InsufficientDataError.of("trial", f"no data of its symbols are held from {held.day} on")
    return end_ms
