"""Fields of a trade's document that are told leg by leg, from those that are kept of it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.accounting import formulas
from bot.models import SPOT_PERP, Leg
from bot.numbers.money import exact, plain

_LEGS = ("long", Leg.SPOT), ("short", Leg.PERP)
_OF_LATER_PARTS = {"borrow_cost": "0", "transfer_cost": "0", "top_ups": 0, "reductions": 0}
"""Fields of trades that borrow, move margin or are reduced; no trade does yet."""


def with_legs(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trade as in the result document, given what is kept of it, which is all of one of hedges.

    `long_pnl` and `short_pnl` sum to `price_pnl`.

    Source: docs/domain.md, section 9.
    """
    if "long_pnl" in record:
        return dict(record)
    prices = {f"{name}_{end}": record[f"{leg}_{end}"] for name, leg in _LEGS for end in ("entry", "exit")}
    with exact():
        quantity, price_pnl = Decimal(record["quantity"]), Decimal(record["price_pnl"])
        cost = formulas.notional(quantity, Decimal(record["spot_entry"]))
        long_pnl = formulas.spot_pnl(SPOT_PERP.spot, quantity, cost, Decimal(record["spot_exit"]))
        pnl = {"long_pnl": plain(long_pnl), "short_pnl": plain(price_pnl - long_pnl)}
    return {**record, **prices, **pnl, **_OF_LATER_PARTS}
