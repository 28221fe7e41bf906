"""Refusals of the sweep service."""

from collections.abc import Sequence

from bot.errors import BotError


class UnknownSweepError(BotError):
    """A sweep or trial that does not exist."""

    code = "not_found"


class UnknownJobError(BotError):
    """A job that does not exist."""

    code = "not_found"


class NotValidatedError(BotError):
    """A promotion, while its exchange is sealed, of a trial that too little speaks for."""

    code = "not_validated"


class UnknownSealError(BotError):
    """A seal that does not exist."""

    code = "not_found"


class SealsChangedError(Exception):
    """Days were sealed or opened after a chunk had read its windows."""


class UnknownPromotionError(BotError):
    """A promotion that does not exist."""

    code = "not_found"


class SealStateError(BotError):
    """A request that the state of a seal does not allow."""

    code = "state_conflict"


class AlreadyReadError(BotError):
    """A seal over days that runs have read already."""

    code = "already_read"


class SweepStateError(BotError):
    """A request that the sweep's state does not allow."""

    code = "state_conflict"


class UnreadableSweepError(BotError):
    """A stored sweep that this installation cannot read, as when the strategy it names was uninstalled."""

    code = "unreadable_sweep"


class DataChangedError(Exception):
    """Market data that are no longer those a sweep was submitted on: the end of the sweep, not of a trial."""


class KernelDifferenceError(Exception):
    """A trial whose plain replay gives another result than the compiled kernel: the end of its sweep."""

    def __init__(self, number: int, names: Sequence[str]) -> None:
        what = f"trial {number:,} gives another {', '.join(names)} when it is replayed plainly"
        super().__init__(f"the replay kernel is wrong: {what}")


class NotificationError(BotError):
    """A notification that its receiver did not take."""

    code = "not_delivered"


class IdempotencyConflictError(BotError):
    """A key that was used for another sweep."""

    code = "idempotency_conflict"


class ResultRangeError(BotError):
    """A result too large for the result table."""

    code = "out_of_range"


class QueueUnavailableError(BotError):
    """A broker that takes no messages at the moment."""

    code = "broker_unavailable"


class QueueFullError(BotError):
    """A sweep for which there is no room beside those that have not ended."""

    code = "queue_full"

    def __init__(self, held: int, most: int) -> None:
        super().__init__(
            f"with it, sweeps that have not ended would hold {held:,} trials, at most {most:,} may wait; "
            "wait for some to end, or cancel one"
        )
