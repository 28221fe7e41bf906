"""Time zones as people write them."""

import re
from datetime import timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from bot.errors import InvalidInputError
from bot.notation import quoted

_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d?):?(?P<minutes>[0-5]\d)?\Z", re.ASCII)


def parse_zone(text: str) -> tzinfo:
    """Return the zone of `+08:00`, `UTC` or `Asia/Shanghai`; raises InvalidInputError."""
    offset = _OFFSET.match(text)
    if offset and int(offset["hours"]) <= 14:
        size = timedelta(hours=int(offset["hours"]), minutes=int(offset["minutes"] or 0))
        return timezone(size if offset["sign"] == "+" else -size)
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        raise InvalidInputError.of(
            "time_zone", f"{quoted(text)} is no time zone such as +08:00 or Asia/Shanghai"
        ) from None
