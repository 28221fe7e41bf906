"""What one hedge is worth at many prices at once, in exact integers of 1e-8."""

from decimal import Decimal
from typing import cast

import numpy as np
import numpy.typing as npt

from bot.data.columns import DecimalColumn
from bot.money import EXACT, MONEY_PLACES
from bot.pnl import formulas

Units = npt.NDArray[np.int64]
_LIMIT = 2**62


def hedge_values(quantity: Decimal, perp_entry: Decimal, spots: DecimalColumn, perps: DecimalColumn) -> Units:
    """Return `formulas.hedge_value` at each pair of prices, in units of 1e-8.

    Sixty-four bits suffice for what exchanges quote; where they do not, each value is booked by itself.
    """
    try:
        spot_value = _booked(quantity, spots.mantissas, spots.exponent)
        return cast("Units", spot_value + _booked(quantity, *_gains(perp_entry, perps)))
    except OverflowError:
        pairs = zip(spots.decimals(), perps.decimals(), strict=True)
        values = (formulas.hedge_value(quantity, spot, perp_entry, perp) for spot, perp in pairs)
        return np.array([int(value.scaleb(MONEY_PLACES, context=EXACT)) for value in values], dtype=np.int64)


def _gains(entry: Decimal, prices: DecimalColumn) -> tuple[Units, int]:
    """Return `entry` minus each price as mantissas over an exponent."""
    exponent = min(int(entry.as_tuple().exponent), prices.exponent)
    start = int(entry.scaleb(-exponent, context=EXACT))
    scaled = _checked(prices.mantissas, 10 ** (prices.exponent - exponent)) * 10 ** (
        prices.exponent - exponent
    )
    if abs(start) >= _LIMIT:
        raise OverflowError
    return start - scaled, exponent


def _booked(
    quantity: Decimal, mantissas: npt.NDArray[np.int64] | npt.NDArray[np.object_], exponent: int
) -> Units:
    """Return quantity times each value, rounded half-even to 8 places."""
    parts = quantity.as_tuple()
    whole = int(quantity.scaleb(-int(parts.exponent), context=EXACT))
    surplus = -(int(parts.exponent) + exponent) - MONEY_PLACES
    if surplus <= 0:
        factor = whole * 10**-surplus
        return cast("Units", _checked(mantissas, factor) * factor)
    unit = 10**surplus
    if unit >= _LIMIT:
        raise OverflowError
    floor, rest = np.divmod(_checked(mantissas, whole) * whole, unit)
    twice = 2 * rest
    return cast("Units", floor + ((twice > unit) | ((twice == unit) & (floor % 2 == 1))))


def _checked(mantissas: npt.NDArray[np.int64] | npt.NDArray[np.object_], factor: int) -> Units:
    """Return the mantissas if their products with `factor` fit; raises OverflowError."""
    if mantissas.dtype == object or factor >= _LIMIT:
        raise OverflowError
    largest = int(np.abs(mantissas).max(initial=0))
    if largest * factor >= _LIMIT:
        raise OverflowError
    return mantissas  # type: ignore[return-value]
