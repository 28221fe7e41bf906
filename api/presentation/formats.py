"""Numbers and times as text; amounts stay Decimal to the last step."""

import re
from decimal import ROUND_HALF_EVEN, Decimal

from markupsafe import Markup, escape

from bot.notation import ABSENT
from bot.numbers.money import plain
from bot.timestamps import iso

_PLACES = {"money": 2, "booked": 8, "ratio": 3, "count": 0, "share": 2, "percent": 0, "hours": 2, "days": 1}
_SUFFIX = {"share": " %", "percent": " %", "hours": " h", "days": " d"}
_UNIT = re.compile(r"(?<=\d) (?=(?:%|bp|h)(?!\w))|(?<=bp) (?=per 8 h)|(?<=bp per) (?=8 h)")
_SIGNIFICANT = {"price": 7, "quantity": 8}


def shown(value: Decimal | float | None, kind: str) -> str:
    """Return `value` in the format of `kind`; shares are fractions and shown in percent."""
    if value is None:
        return ABSENT
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if kind in _SIGNIFICANT:
        return _significant(number, _SIGNIFICANT[kind])
    if kind in {"share", "percent"}:
        number *= 100
    step = Decimal(1).scaleb(-_PLACES[kind])
    rounded = number.quantize(step, rounding=ROUND_HALF_EVEN) if abs(number) < 10**20 else number
    return f"{rounded + 0 if rounded else abs(rounded):,f}{_SUFFIX.get(kind, '')}"


def _significant(number: Decimal, digits: int) -> str:
    places = max(0, digits - 1 - number.adjusted()) if number else 0
    text = f"{number.quantize(Decimal(1).scaleb(-min(places, 12)), rounding=ROUND_HALF_EVEN):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def fixed(value: float | None, places: int) -> str:
    """Return a number with so many decimal places."""
    return ABSENT if value is None else f"{round(value, places) + 0.0:,.{places}f}"


def bps(fraction: float | None) -> str:
    """Return a fraction in basis points."""
    return ABSENT if fraction is None else fixed(fraction * 10_000, 2)


def percent(fraction: Decimal) -> str:
    """Return a rate in percent with all its digits."""
    return f"{plain(fraction.scaleb(2))} %"


def duration(seconds: float | None) -> str:
    """Return a length of time in its two largest units."""
    if seconds is None:
        return ABSENT
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def rate(per_second: float | None) -> str:
    """Return a throughput with three significant digits or whole numbers."""
    if per_second is None:
        return ABSENT
    return f"{per_second:,.0f}" if per_second >= 100 else f"{per_second:.3g}"


def utc(moment_ms: int | None) -> str:
    """Return a time to the minute, in UTC."""
    return ABSENT if moment_ms is None else iso(moment_ms)[:16].replace("T", " ")


def unbroken(text: str) -> str:
    """Return a sentence whose numbers stand in one line with their percent, basis points and hours."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", text)


def lower_first(text: str) -> str:
    """Return `text` for the middle of a sentence; acronyms and names keep their capitals."""
    return text if text in {"Sharpe", "Sortino", "Calmar"} else text[:1].lower() + text[1:]


def breakable(name: str) -> Markup:
    """Return a parameter name or value that may wrap after its underscores and commas."""
    parts = (Markup(",<wbr>").join(escape(part) for part in piece.split(",")) for piece in name.split("_"))
    return Markup("_<wbr>").join(parts)
