"""How far does the perp trade above spot?"""

from decimal import Decimal

from bot.money import ONE, ZERO


def basis_score(spot: Decimal, perp: Decimal, cap: Decimal) -> Decimal:
    """Return the perp's premium over spot as a share of `cap`, from 0 (discount) to 1."""
    return min(max((perp - spot) / spot / cap, ZERO), ONE)
