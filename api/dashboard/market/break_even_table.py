"""The break-even calculator of a pair: a rate and a size asked for, at the fees of each tier known."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from api.schemas.pairs import Costs
from bot.accounting.break_even import BreakEven, break_even
from bot.config.fields import Number
from bot.config.parameters import Parameters
from bot.errors import InvalidInputError
from bot.numbers.money import exact, plain
from bot.validation import validated

_MOST_BPS = Decimal(10_000)
_HOURS = 8


class Asked(Parameters):
    """A hedge asked about: its rate in bp per 8 h and its size in quote currency."""

    rate_bps: Number = Decimal(1)
    size: Number = Decimal(10_000)

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> Self:
        """Return the hedge that an address names; raises InvalidInputError naming the field."""
        given = {name: query[name] for name in cls.model_fields if query.get(name, "").strip()}
        asked = validated(cls, given)
        if not -_MOST_BPS < asked.rate_bps < _MOST_BPS:
            raise InvalidInputError.of("rate_bps", f"{plain(asked.rate_bps)} is not between -10000 and 10000")
        if not 0 < asked.size <= Decimal(10) ** 15:
            raise InvalidInputError.of("size", f"{plain(asked.size)} is not above 0 and at most 10^15")
        return asked


@dataclass(frozen=True, slots=True)
class TierRow:
    """The break-even at the fees of one tier."""

    title: str
    costs: Costs
    found: BreakEven


def tier_rows(asked: Asked, interval_hours: int, costs: Costs, rules: Mapping[str, str]) -> list[TierRow]:
    """Return the break-even at the costs given, at the published fees, and without slippage."""
    tiers = {"These fees": costs}
    if {"spot_taker", "perp_taker"} <= rules.keys():
        fees = {"spot_taker": Decimal(rules["spot_taker"]), "perp_taker": Decimal(rules["perp_taker"])}
        tiers["Published by the exchange"] = costs.model_copy(update=fees)
    tiers["These fees, no slippage"] = costs.model_copy(update={"slippage_bps": Decimal(0)})
    with exact():
        rate = asked.rate_bps.scaleb(-4) * interval_hours / _HOURS
    return [
        TierRow(title, tier, break_even(asked.size, rate, interval_hours, tier.round_trip))
        for title, tier in tiers.items()
    ]
