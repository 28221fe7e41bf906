"""History a paper session needs before it can decide as if it had always been running."""

from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.models import DAY_MS, HOUR_MS
from bot.signals.volume import CANDLES_PER_DAY
from bot.strategies.strategy import Strategy

_CANDLES_AT_LEAST = 30 * CANDLES_PER_DAY
_FUNDING_AT_LEAST_MS = 30 * DAY_MS
_LONGEST_INTERVAL_MS = 8 * HOUR_MS


def candles_needed(config: RunConfig) -> int:
    """Return the number of closed candles of each leg that decisions may reach back over."""
    return max(_CANDLES_AT_LEAST, _strategy(config).past_candles)


def funding_needed_ms(config: RunConfig) -> int:
    """Return the time span of past settlements that the strategy needs, in ms."""
    return max(_FUNDING_AT_LEAST_MS, _strategy(config).past_settlements * _LONGEST_INTERVAL_MS)


def _strategy(config: RunConfig) -> Strategy:
    strategy: Strategy = strategy_plugin(config.strategy_mode).build(config)
    return strategy
