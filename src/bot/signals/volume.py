"""Volume condition: the perp is still traded as much as before."""

from decimal import Decimal

from bot.models import VolumeHistory

CANDLES_PER_DAY = 24


def volume_holds(volumes: VolumeHistory, lookback_days: int, decline_ratio: Decimal) -> bool:
    """Return whether the newer half of twice `lookback_days` has at least its share of the older half.

    True where fewer candles are known.
    """
    half = lookback_days * CANDLES_PER_DAY
    older = volumes.base_volume(half, skip=half)
    newer = volumes.base_volume(half, skip=0)
    return older is None or newer is None or newer >= decline_ratio * older
