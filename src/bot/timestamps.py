"""UTC times as integers of milliseconds, and their one textual form."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 253_402_300_799_999
_INTEGER = re.compile(r"-?\d{1,18}\Z", re.ASCII)


def parse_time_ms(value: object) -> int:
    """Return ms UTC from an integer of ms or ISO text; a bare date is its midnight, no zone means UTC.

    Raises: ValueError with a sentence for anything else, and for times outside 1970 to 9999.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{value!r} is neither an ISO date/time nor an integer of milliseconds")
    whole = isinstance(value, int) or _INTEGER.match(value)
    moment_ms = int(value) if whole else _parse_iso(str(value))
    if not 0 <= moment_ms <= _LATEST_MS:
        raise ValueError(f"{value!r} is outside 1970-01-01 to 9999-12-31")
    return moment_ms


def _parse_iso(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no ISO date or time (2024-01-31, 2024-01-31T16:00:00Z)") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=1_000)
def iso(moment_ms: int) -> str:
    """Return ISO 8601 in UTC: `2024-01-31T16:00:00Z`, with milliseconds only if there are any."""
    moment = _EPOCH + timedelta(milliseconds=moment_ms)
    precision = "milliseconds" if moment_ms % 1000 else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")
