"""UTC times as integers of milliseconds, and their one textual form."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from bot.notation import quoted

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 253_402_300_799_999
_DIGITS = re.compile(r"\d+\Z", re.ASCII)
_MS_DIGITS = range(12, 16)
_SECONDS_DIGITS = range(9, 12)
_FINER_DIGITS = range(16, 21)
_HOW = "write 2024-01-31, 2024-01-31T16:00:00Z, or milliseconds since 1970 such as 1706716800000"


def parse_time_ms(value: object) -> int:
    """Return ms UTC from ISO text or ms since 1970; a bare date is its midnight, no zone means UTC.

    Digits alone are told by their number: 8 are a date, 12 and more milliseconds (1973 and later; 0 as well).
    Raises: ValueError with a sentence for anything else: a year, a month, seconds, finer units, times outside
    1970 to 9999.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{quoted(value)} is no time: {_HOW}")
    text = str(value).strip()
    moment_ms = _of_digits(value, text) if _DIGITS.match(text) else _parse_iso(value, text)
    if not 0 <= moment_ms <= _LATEST_MS:
        raise ValueError(f"{quoted(value)} is outside 1970-01-01 to 9999-12-31")
    return moment_ms


def _of_digits(value: object, text: str) -> int:
    if len(text) in _MS_DIGITS or value in {0, "0"}:
        return int(text)
    if len(text) in _SECONDS_DIGITS:
        raise ValueError(f"{quoted(value)} looks like seconds since 1970; {_HOW}")
    if len(text) in _FINER_DIGITS:
        raise ValueError(f"{quoted(value)} looks like micro- or nanoseconds since 1970; {_HOW}")
    return _parse_iso(value, text)


def _parse_iso(value: object, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{quoted(value)} is no time: {_HOW}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=1_000)
def iso(moment_ms: int) -> str:
    """Return ISO 8601 in UTC: `2024-01-31T16:00:00Z`, with milliseconds only if there are any."""
    moment = _EPOCH + timedelta(milliseconds=moment_ms)
    precision = "milliseconds" if moment_ms % 1000 else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")
