"""Errors that only the HTTP edge knows, and the statuses of those that need one of their own."""

from collections.abc import Mapping
from http import HTTPStatus

from bot.errors import BotError
from bot.notation import quoted


class UnauthenticatedError(BotError):
    """A request without valid credentials."""

    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("this server asks for a token: send it as `Authorization: Bearer TOKEN`")


class ForbiddenError(BotError):
    """A change that the caller's token does not allow."""

    code = "forbidden"

    def __init__(self, name: str) -> None:
        super().__init__(f"the token {quoted(name)} may only read")


class UnknownLinkError(BotError):
    """An address below a link that is none, is none any more, or does not lead there."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("this link is unknown, has ended, or does not lead there")


class ReadOnlyLinkError(BotError):
    """A change asked for below a read-only link."""

    code = "forbidden"

    def __init__(self) -> None:
        super().__init__("this link only shows its sweep; nothing can be changed by it")


class UnknownHostError(BotError):
    """A request for a name that this server does not go by."""

    code = "unknown_host"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{quoted(host[:200])} is no name of this server: list it in CARRYGRID_ALLOWED_HOSTS, "
            "or set CARRYGRID_API_TOKEN"
        )


class HeadTooLargeError(BotError):
    """A request line and headers, or trailers, longer than any request here."""

    code = "head_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"address and headers are larger than the limit of {limit:,} bytes")


class TooManyRequestsError(BotError):
    """A client that asks too often."""

    code = "too_many_requests"

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many requests from this address; the next one is answered in {wait_s:.2g} s")
        self.wait_s = wait_s


class NoSpaceError(BotError):
    """Something for which the disk has no room."""

    code = "no_space"

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(
            f"this takes up to {needed:,} bytes of disk, {free:,} are free; `carrygrid prune` makes room"
        )


class CrossSiteError(BotError):
    """A write that a page of another site tried."""

    code = "cross_site"

    def __init__(self, origin: str) -> None:
        super().__init__(f"a page of {quoted(origin[:200])} may not change anything here")


class UnsupportedMediaTypeError(BotError):
    """A body that is not declared as what is asked for."""

    code = "unsupported_media_type"

    def __init__(self, declared: str, expected: str = "application/json") -> None:
        super().__init__(f"Content-Type is {quoted(declared[:100])}; send {expected}")


class HistoryChangedError(BotError):
    """A trial whose numbers can no longer be reproduced."""

    code = "history_changed"

    def __init__(self, run: str, *, stored: bool = False) -> None:
        """Take the name of the run, and whether its curve and trades are stored."""
        changed = f"{run} was replayed on other market data or by another engine version than there are now"
        rest = (
            "its stored curve and trades are shown, and what takes a replay is left out"
            if stored
            else "and its curve was not stored; clone the sweep to see it on the data held now"
        )
        super().__init__(f"{changed}; {rest}" if stored else f"{changed}, {rest}")


class CurveUnavailableError(BotError):
    """A curve that is neither stored nor available by a replay."""

    code = "curve_unavailable"


class TrialFailedError(BotError):
    """A trial without a result, because it failed."""

    code = "trial_failed"

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"trial {number} failed and has no curve: {reason}")


class BacktestUnfinishedError(BotError):
    """A backtest without a result: not yet, or never."""

    code = "backtest_unfinished"

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"backtest {number} has no result: {reason}")


class BusyError(BotError):
    """Work that others are ahead of."""

    code = "busy"


class NoBestTrialError(BotError):
    """A sweep asked for its best trial before it has one."""

    code = "state_conflict"

    def __init__(self, sweep_id: int) -> None:
        super().__init__(f"sweep {sweep_id} has no best trial yet; name a trial")


class BodyTooLargeError(BotError):
    """A body longer than any input here."""

    code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than the limit of {limit:,} bytes")


class BodyTooSlowError(BotError):
    """A body whose next piece does not come."""

    code = "body_too_slow"

    def __init__(self, patience_s: float) -> None:
        super().__init__(f"nothing more of the body came within {patience_s:g} s")


EDGE_STATUS: Mapping[type[BotError], HTTPStatus] = {
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    ReadOnlyLinkError: HTTPStatus.FORBIDDEN,
    UnknownLinkError: HTTPStatus.NOT_FOUND,
    UnknownHostError: HTTPStatus.MISDIRECTED_REQUEST,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    HeadTooLargeError: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    NoSpaceError: HTTPStatus.INSUFFICIENT_STORAGE,
    CrossSiteError: HTTPStatus.FORBIDDEN,
    BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BodyTooSlowError: HTTPStatus.REQUEST_TIMEOUT,
    UnsupportedMediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HistoryChangedError: HTTPStatus.CONFLICT,
    BacktestUnfinishedError: HTTPStatus.CONFLICT,
    TrialFailedError: HTTPStatus.CONFLICT,
    CurveUnavailableError: HTTPStatus.CONFLICT,
    NoBestTrialError: HTTPStatus.CONFLICT,
    BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
}
