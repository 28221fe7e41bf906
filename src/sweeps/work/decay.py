"""Decay of a promoted trial: are the days after its promotion consistent with those before."""

from bot.errors import InvalidInputError
from bot.hedges.runs import load_window, replay_run
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import iso
from sweeps.errors import SweepStateError
from sweeps.lifecycle.promotions import PromotedTrial, get_promotion, keep_decay
from sweeps.lifecycle.run_looks import LookKind, note_run
from sweeps.work.later_days import held_until, judged_from


def decay_of(store: HistoricalDataStore, promotion_id: int) -> PromotedTrial:
    """Replay a promoted trial from its start to the newest data, judge it from its promotion on.

    The look is written down before it is shown. Days under a seal are not read.
    Raises: UnknownPromotionError; SweepStateError if no later day is held yet; BotError as the replay does.
    """
    with store.engine.connect() as connection:
        promoted = get_promotion(connection, promotion_id)
        config = promoted.config
        try:
            end_ms = held_until(connection, config)
        except InvalidInputError as error:  # the data were deleted since
            raise SweepStateError(error.message) from None
    from_day = iso(promoted.from_ms)[:10]
    if end_ms is None or end_ms < promoted.from_ms:
        said = f"no data of its symbols can be read from {from_day} on, the day after its promotion"
        raise SweepStateError(said)
    extended = config.varied({"end": end_ms})
    try:
        run = replay_run(extended, load_window(extended, store))
    except InvalidInputError as error:
        raise SweepStateError(error.message) from None
    with write_transaction(store.engine, durable=True) as connection:
        note_run(connection, LookKind.DECAY, run.config, run.run_key, run.data_fingerprint)
        return keep_decay(connection, promotion_id, judged_from(run, promoted.from_ms, promoted.run_key))
