"""History a paper session needs before it can decide as if it had always been running."""

from bot.config.run_config import RunConfig
from bot.models import DAY_MS, HOUR_MS
from bot.signals.volume import CANDLES_PER_DAY

_CANDLES_AT_LEAST = 30 * CANDLES_PER_DAY
_FUNDING_AT_LEAST_MS = 30 * DAY_MS
_LONGEST_INTERVAL_MS = 8 * HOUR_MS
_SPANS_TO_FORGET = 15


def candles_needed(config: RunConfig) -> int:
    """Return the number of closed candles of each leg that decisions may reach back over."""
    return max(_CANDLES_AT_LEAST, 2 * config.volume_lookback_days * CANDLES_PER_DAY)


def funding_needed_ms(config: RunConfig) -> int:
    """Return the time span of past settlements that the signals need, in ms.

    After that many spans the moving average has forgotten, to its last place, where it began.
    """
    settlements = max(_SPANS_TO_FORGET * (config.trend_ema_span + 1), config.persistence_max_periods)
    return max(_FUNDING_AT_LEAST_MS, settlements * _LONGEST_INTERVAL_MS)
