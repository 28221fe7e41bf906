"""A market small enough to follow by eye: prices close at the hours 1, 2, 3, ... after START."""

from typing import Any

from builders import market_data, run_config

from bot.backtest import ReplayWindow
from bot.config.run_config import RunConfig
from bot.models import HOUR_MS

START = 1_704_067_200_000
FREE = {"spot_taker": 0, "perp_taker": 0, "slippage_bps": 0, "min_volume_24h": 0, "min_coverage": 0}
RULES = {"qty_step": "1", "min_qty": "1", "min_notional": "1", "mmr": "0"}


def candles(prices: list[str], highs: dict[int, str] | None = None) -> list[tuple[Any, ...]]:
    """Hourly candles that close at the hours 1, 2, 3, ... after START with `prices`."""
    tops = highs or {}
    return [
        (START + hour * HOUR_MS, price, tops.get(hour + 1, price), price, price, "1")
        for hour, price in enumerate(prices)
    ]


def pair(rates: dict[int, str], spot: list[str], **extra: Any) -> dict[str, Any]:
    """A pair that settles at the hours of `rates`, each worth one hour, marks blank."""
    funding = [(START + hour * HOUR_MS, rate, 8, None) for hour, rate in rates.items()]
    return {
        "funding": funding,
        "spot": candles(spot),
        "perp": candles(extra.pop("perp", spot)),
        "mark": None,
        "instrument": RULES,
        **extra,
    }


def configured(market: dict[str, Any], **overrides: Any) -> RunConfig:
    """Return a run without costs over `market`, with `overrides`."""
    values = {"symbols": list(market), "start": START, "end": START + 100 * HOUR_MS, "allocation": 1}
    return run_config(**{**values, **FREE, **overrides})


def window(market: dict[str, Any], config: RunConfig) -> ReplayWindow:
    """Return the replay window of `config` over `market`."""
    return ReplayWindow.build(config, market_data(market, config.end))
