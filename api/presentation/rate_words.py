"""Funding rates as traders say them: basis points per 8 hours and percent a year, beside the raw figure."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache

from bot.config.strategy_registry import usable_strategies
from bot.numbers.money import plain

_SETTLEMENTS_A_YEAR = 3 * 365
_SAID = "rate per 8 h"


@cache
def rate_parameters() -> frozenset[str]:
    """Return the parameters of installed strategies that are rates per 8 hours.

    They are those that the market's rate is compared with, and those whose description says so.
    """
    names: set[str] = set()
    for plugin in usable_strategies()[0]:
        if figure := plugin.figures.get("rate_8h"):
            names.update(figure.parameters)
        fields = plugin.parameters.model_fields.items()
        names.update(name for name, field in fields if _SAID in (field.description or ""))
    return frozenset(names)


def rate_words(name: str, value: object) -> str:
    """Return the value of a parameter in bp per 8 h and % a year, nothing where it is no rate."""
    if name not in rate_parameters():
        return ""
    try:
        rate = Decimal(str(value))
    except InvalidOperation:
        return ""
    if not rate.is_finite():
        return ""
    yearly = _rounded(rate * _SETTLEMENTS_A_YEAR * 100, 2)
    return f"{_rounded(rate * 10_000, 3)} bp per 8 h, {yearly} % a year"


def rate_span(name: str, low: object, high: object) -> str:
    """Return the values of a parameter between two in bp per 8 h, nothing where it is no rate."""
    said = [rate_words(name, value).partition(" bp")[0] for value in (low, high)]
    if not all(said):
        return ""
    return f"{said[0] if said[0] == said[1] else ' to '.join(said)} bp per 8 h"


def _rounded(value: Decimal, places: int) -> str:
    step = Decimal(1).scaleb(-places)
    return plain(value.quantize(step, rounding=ROUND_HALF_UP).normalize() + 0)
