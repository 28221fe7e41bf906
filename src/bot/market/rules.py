"""Rules that every recorded row must satisfy, whatever format it came in."""

from decimal import Decimal

from bot.errors import InvalidNumberError
from bot.models import HOUR_MS
from bot.notation import quoted
from bot.numbers.money import ZERO, dec, plain
from bot.timestamps import iso

MINUTE_MS = 60_000
TIMEFRAMES_MS = {
    **{f"{n}m": n * MINUTE_MS for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * HOUR_MS for n in (1, 2, 4, 6, 8, 12)},
    "1d": 24 * HOUR_MS,
}
SETTLEMENT_JITTER_MS = 60_000
MAX_DIGITS = 34
_LOWEST_PLACE, _HIGHEST_PLACE = -30, 18
_EARLIEST_MS, _LATEST_MS = 1_230_768_000_000, 4_102_444_800_000
_SHORT = 18


class RowRefusedError(ValueError):
    """A row that breaks a rule; the message names the value."""


class RowDamagedError(RowRefusedError):
    """A row that cannot be read at all, which no exchange ever wrote."""


def market_number(text: str, name: str) -> Decimal:
    """Return a recorded number exactly: at most 34 digits, between 1e-30 and 1e18 in size.

    Raises: RowRefusedError; RowDamagedError for what is no number, NaN and infinities included.
    """
    try:
        number = dec(text)
    except InvalidNumberError:
        raise RowDamagedError(f"{name} {quoted(text)} is not a finite decimal number") from None
    if not number:
        return ZERO
    if not _LOWEST_PLACE <= number.adjusted() < _HIGHEST_PLACE:
        raise RowRefusedError(f"{name} {quoted(text)} is out of range (1e-30 to 1e18)")
    if len(text) > MAX_DIGITS and _significant_digits(number) > MAX_DIGITS:
        raise RowRefusedError(f"{name} {quoted(text)} has more than {MAX_DIGITS} digits")
    return number


def whole_number(text: str, name: str) -> int:
    """Return a recorded whole number; raises RowDamagedError."""
    if len(text) > _SHORT or not (text.isascii() and text.isdigit()):
        raise RowDamagedError(f"{name} {quoted(text)} is not a whole number")
    return int(text)


def time_ms(text: str) -> int:
    """Return a recorded time in ms UTC between 2009 and 2099; raises RowRefusedError."""
    moment_ms = whole_number(text, "timestamp_ms")
    if not _EARLIEST_MS <= moment_ms < _LATEST_MS:
        raise RowRefusedError(f"timestamp_ms {moment_ms} is not in milliseconds, or not in 2009 to 2099")
    return moment_ms


def check_candle(open_ms: int, timeframe_ms: int, values: tuple[Decimal, ...]) -> None:
    """Check one candle (open, high, low, close, volume); raises RowRefusedError."""
    opening, high, low, close, volume = values
    if open_ms % min(timeframe_ms, HOUR_MS):
        raise RowRefusedError(f"timestamp_ms {open_ms} ({iso(open_ms)}) is no open time of this interval")
    if low <= 0:
        raise RowRefusedError(f"low {low} is not positive")
    if high < opening or high < close or high < low:
        raise RowRefusedError(f"high {high} is below open {opening}, low {low} or close {close}")
    if low > opening or low > close:
        raise RowRefusedError(f"low {low} is above open {opening} or close {close}")
    if volume < 0:
        raise RowRefusedError(f"volume {volume} is negative")


def settlement_ms(recorded_ms: int) -> int:
    """Return the full hour that a settlement belongs to; raises RowRefusedError if it is over 60 s away."""
    hour = (recorded_ms + HOUR_MS // 2) // HOUR_MS * HOUR_MS
    if abs(recorded_ms - hour) > SETTLEMENT_JITTER_MS:
        raise RowRefusedError(f"settlement {recorded_ms} ({iso(recorded_ms)}) is over 60 s from a full hour")
    return hour


def check_funding(rate: Decimal, interval_hours: int | None, mark: Decimal | None) -> None:
    """Check one settlement, its interval only where it is stated; raises RowRefusedError."""
    if abs(rate) > 1:
        raise RowRefusedError(f"funding_rate {plain(rate)} is beyond 1, that is 100 % an interval")
    if interval_hours is not None and not 1 <= interval_hours <= 24:
        raise RowRefusedError(f"interval_hours {interval_hours} is not in 1 to 24")
    if mark is not None and mark <= 0:
        raise RowRefusedError(f"mark_price {mark} is not positive")


def _significant_digits(number: Decimal) -> int:
    return len("".join(map(str, number.as_tuple().digits)).rstrip("0"))
