"""Hedges over recorded markets of two exchanges: the engine and the reference give the same documents."""

import csv
import gzip
from pathlib import Path
from typing import Any

import pytest
from hedge_files import hedge_data
from reference.hedges.replay import run as reference_run

from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges

HOUR_MS = 3_600_000
END = 1_747_699_200_000
START = END - 15 * 24 * HOUR_MS
SYMBOLS = ("SOL/USDT:USDT", "ETH/USDT:USDT")


def files_of(folder: Path) -> dict[str, str]:
    """Return the files of both exchanges from 25 days before the end on, settlements on full hours."""
    files = {}
    for exchange in ("binance", "bybit"):
        for stem in ("SOLUSDT", "ETHUSDT"):
            for kind in ("funding", "spot-1h", "perp-1h", "mark-1h"):
                name = f"{exchange}/{stem}-{kind}.csv"
                files[name] = _recent(folder / name, snapped=kind == "funding")
    return files


def _recent(path: Path, *, snapped: bool) -> str:
    packed = path.with_name(f"{path.name}.gz")
    text = gzip.decompress(packed.read_bytes()).decode() if packed.exists() else path.read_text()
    header, *rows = csv.reader(text.splitlines())
    kept = [header]
    for t, *values in rows:
        at = (int(t) + HOUR_MS // 2) // HOUR_MS * HOUR_MS if snapped else int(t)
        if START - 10 * 24 * HOUR_MS <= at <= END:
            kept.append([str(at), *values])
    return "".join(f"{','.join(row)}\n" for row in kept)


@pytest.mark.real_data
@pytest.mark.parametrize(
    "asked",
    [
        {
            "structure": "perp_perp",
            "symbols": [f"{symbol}@binance<>{symbol}@bybit" for symbol in SYMBOLS],
            "min_funding_rate": "0.00002",
            "exit_funding_rate": "-0.00001",
            "perp_leverage": "5",
            "margin_policy": "top_up",
            "margin_trigger": "0.05",
            "wallet_trigger": "0.02",
            "transfer_fee": "1",
            "transfer_delay_minutes": 45,
            "impact_bps": "10",
            "fill_lag_candles": 1,
            "order_style": "maker_entry",
        },
        {
            "structure": "reverse",
            "symbols": list(SYMBOLS),
            "min_funding_rate": "0.00001",
            "exit_funding_rate": "-0.00005",
            "min_holding_periods": 3000,
            "borrow_rate_hourly": "0.0000005",
            "borrow_leverage": "3",
            "perp_leverage": "10",
            "margin_policy": "rebalance",
            "margin_trigger": "0.45",
            "instrument": {"qty_step": "0.001"},
        },
        {
            "structure": "spot_perp",
            "symbols": list(SYMBOLS),
            "short_exchange": "bybit",
            "strategy_mode": "composite",
            "entry_threshold": "0.2",
            "exit_threshold": "0.1",
            "perp_leverage": "3",
            "dynamic_sizing": True,
            "sizing_base": "equity",
            "max_simultaneous_positions": 2,
            "basis_exit": "0.001",
        },
    ],
    ids=lambda asked: asked["structure"],
)
def test_recorded_markets_of_two_exchanges_agree_to_the_last_digit(
    real_data: Path, asked: dict[str, Any]
) -> None:
    files = files_of(real_data)
    defaults = {"exchange": "binance", "min_volume_24h": "0", "min_holding_periods": 300, "min_coverage": "0"}
    values = {**defaults, **asked, "start": START, "end": END}
    expected = reference_run(files, values)
    document = run_hedges(RunConfig.parse(values), hedge_data(files, values)).document()
    assert len(document["trades"]) > 1
    assert document["trades"] == expected["trades"]
    assert [list(point) for point in document["equity"]] == expected["equity"]
    for name, value in expected["metrics"].items():
        told = pytest.approx(value, rel=1e-9, abs=0) if isinstance(value, float) else value
        assert document["metrics"][name] == told, name
