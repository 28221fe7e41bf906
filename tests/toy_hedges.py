"""Markets of hedges small enough to follow by eye: prices close at the hours 1, 2, 3, ... after START."""

from collections.abc import Mapping
from typing import Any

from builders import run_config
from hedge_files import hedge_data
from toy_market import FREE, RULES, START

from bot.config.run_config import RunConfig
from bot.hedges.window import HedgeWindow
from bot.models import HOUR_MS

LAST_HOUR = 100
PRICES = ["100"] * LAST_HOUR


def market(rates: Mapping[int, str], prices: list[str] = PRICES, **extra: str) -> dict[str, str]:
    """Return the files of AAA on one exchange, by kind: it settles at the hours of `rates`, marks blank."""
    funding = "timestamp_ms,funding_rate,interval_hours,mark_price\n" + "".join(
        f"{START + hour * HOUR_MS},{rate},8,\n" for hour, rate in rates.items()
    )
    return {"funding": funding, "perp-1h": rows(prices), "spot-1h": rows(prices), **extra}


def rows(prices: list[str]) -> str:
    """Return hourly candles that close at the hours 1, 2, 3, ... after START with `prices`."""
    return "timestamp_ms,open,high,low,close,volume\n" + "".join(
        f"{START + hour * HOUR_MS},{price},{price},{price},{price},1\n" for hour, price in enumerate(prices)
    )


def files(**exchanges: Mapping[str, str]) -> dict[str, str]:
    """Return the files of AAA on exchanges."""
    return {
        f"{exchange}/AAAUSDT-{kind}.csv": text
        for exchange, kinds in exchanges.items()
        for kind, text in kinds.items()
    }


def configured(**values: Any) -> RunConfig:
    """Return a run of AAA without costs, its own exchange alpha, with other `values`."""
    always = {
        "exchange": "alpha",
        "symbols": ["AAA/USDT:USDT"],
        "start": START,
        "end": START + LAST_HOUR * HOUR_MS,
        "allocation": 1,
        "initial_capital": 10000,
        "instrument": RULES,
        "min_funding_rate": "0.00001",
        "exit_funding_rate": -1,
        "min_holding_periods": 1000,
    }
    return run_config(**{**always, **FREE, **values})


def window(held: Mapping[str, str], config: RunConfig) -> HedgeWindow:
    """Return the window of a run over files."""
    return HedgeWindow.build(config, hedge_data(held, {"exchange": "alpha", "end": config.end}))
