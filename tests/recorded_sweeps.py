"""Sweeps over recorded markets."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from builders import market_data, run_config
from recorded import recorded_market

from bot.backtest import ReplayWindow
from bot.config.run_config import RunConfig
from bot.models import DAY_MS
from bot.timestamps import parse_time_ms

_WARM_UP_MS = 20 * DAY_MS


def recorded_sweep(
    real_data: Path,
    stems: Iterable[str],
    enters: Iterable[int],
    leaves: Iterable[int],
    *,
    start: str,
    end: str,
    slipping: bool = False,
    **values: Any,
) -> tuple[list[RunConfig], ReplayWindow]:
    """Return trials over recorded pairs; thresholds, and slippage if it varies, follow two ranges."""
    symbols = {f"{stem[:-4]}/USDT:USDT": stem for stem in stems}
    from_ms = parse_time_ms(start) - _WARM_UP_MS
    market = recorded_market(real_data / "binance", symbols, from_ms=from_ms)
    account = {"symbols": list(symbols), "start": start, "end": end}
    base = run_config(**account, min_volume_24h=0, min_holding_periods=300, **values)
    shown = ReplayWindow.build(base, market_data(market, base.end))
    leaves = list(leaves)
    trials = [
        base.varied(
            {
                "min_funding_rate": Decimal(enter) / 50_000,
                "exit_funding_rate": Decimal(leave) / 100_000,
                "entry_threshold": Decimal(enter) / 40,
                "exit_threshold": Decimal(leave) / 60,
                **({"slippage_bps": Decimal(enter)} if slipping else {}),
            }
        )
        for enter in enters
        for leave in leaves
    ]
    return trials, shown
