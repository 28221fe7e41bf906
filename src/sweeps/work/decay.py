"""Decay of a promoted trial: are the days after its promotion as those before were."""

from bot.backtest import ReplayWindow, replay
from bot.errors import InvalidInputError
from bot.market.records.recorded_fees import kinds_read
from bot.market_store.database import write_transaction
from bot.market_store.held_history import HeldHistory
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import iso
from sweeps.errors import SweepStateError
from sweeps.lifecycle.looks import LookKind, note_run
from sweeps.lifecycle.promotions import PromotedTrial, get_promotion, keep_decay
from sweeps.work.later_days import judged_from


def decay_of(store: HistoricalDataStore, promotion_id: int) -> PromotedTrial:
    """Replay a promoted trial from its start to the newest data, judge it from its promotion on.

    The look is written down before it is shown. Days under a seal are not read.
    Raises: UnknownPromotionError; SweepStateError if no later day is held yet; BotError as the replay does.
    """
    with store.engine.connect() as connection:
        promoted = get_promotion(connection, promotion_id)
        config = promoted.config
        try:
            history = HeldHistory(connection, config.exchange, config.symbols)
            common = history.common(config.symbols, (config.start, config.end))
        except InvalidInputError as error:  # the data were deleted since
            raise SweepStateError(error.message) from None
    from_day = iso(promoted.from_ms)[:10]
    if common is None or common[1] < promoted.from_ms:
        said = f"no data of its symbols can be read from {from_day} on, the day after its promotion"
        raise SweepStateError(said)
    extended = config.varied({"end": common[1]})
    try:
        data = store.load(
            extended.exchange, extended.symbols, extended.end, extended.start, reads=kinds_read(extended)
        )
        run = replay(extended, ReplayWindow.build(extended, data))
    except InvalidInputError as error:
        raise SweepStateError(error.message) from None
    with write_transaction(store.engine, durable=True) as connection:
        note_run(connection, LookKind.DECAY, run.config, run.run_key, run.data_fingerprint)
        return keep_decay(connection, promotion_id, judged_from(run, promoted.from_ms, promoted.run_key))
