"""Recorded markets with something wrong, as folders of canonical CSV: three symbols over March 2024.

JUMP was redenominated a thousandfold, DEAD stopped trading while its archive goes on, FINE is in order.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sweeping import EVERYONE

from bot.market_store.importing import import_path
from bot.market_store.store import HistoricalDataStore
from bot.models import HOUR_MS
from bot.timestamps import parse_time_ms

EXCHANGE = "odd"
START = parse_time_ms("2024-03-01")
END = parse_time_ms("2024-03-31")
JUMP_MS = parse_time_ms("2024-03-11T12:00:00Z")
"""From this candle on JUMP has prices of another unit; the day before it is not recorded."""
DEAD_MS = parse_time_ms("2024-03-12T05:00:00Z")
"""From this candle on DEAD has no volume; its spot goes on."""

Candle = tuple[str, str]
"""Close and volume."""


def run(symbol: str, **values: Any) -> dict[str, Any]:
    """Return the configuration of a run that holds `symbol` throughout."""
    base = {
        "exchange": EXCHANGE,
        "symbols": [f"{symbol}/USDT:USDT"],
        "start": "2024-03-02",
        "end": "2024-03-30",
    }
    return {**base, "min_volume_24h": "0", "min_funding_rate": "0.0001", "exit_funding_rate": "0", **values}


def sweep(*symbols: str, **changes: Any) -> dict[str, Any]:
    """Return a sweep of two trials for each of `symbols`, the first of which trades and holds throughout."""
    base, grid = run(symbols[0]), {"min_funding_rate": ["0.0001", "0.9"]}
    if symbols[1:]:
        grid = {"symbols": [[f"{symbol}/USDT:USDT"] for symbol in symbols], **grid}
    shared = {name: value for name, value in base.items() if name not in grid}
    return {"name": "odd", "base": shared, "grid": grid, "reuse": False, "validation": EVERYONE, **changes}


def fill(engine: sa.Engine, folder: Path) -> None:
    """Import the markets, written into `folder`, beside what a database holds."""
    import_path(HistoricalDataStore(engine), write(folder), EXCHANGE)


def write(folder: Path) -> Path:
    """Write the markets into a folder that is not there yet, and return it."""
    folder.mkdir()
    for name, spot, perp in (("JUMP", _jump, _jump), ("DEAD", _fine, _dead), ("FINE", _fine, _fine)):
        _candles(folder / f"{name}USDT-spot-1h.csv", spot)
        _candles(folder / f"{name}USDT-perp-1h.csv", perp)
        rates = (f"{t_ms},0.0003,8," for t_ms in range(START, END, 8 * HOUR_MS))
        header = "timestamp_ms,funding_rate,interval_hours,mark_price"
        (folder / f"{name}USDT-funding.csv").write_text("\n".join([header, *rates, ""]))
    return folder


def _candles(path: Path, of: Callable[[int], Candle | None]) -> None:
    path.write_text("\n".join(["timestamp_ms,open,high,low,close,volume", *_rows(of), ""]))


def _rows(of: Callable[[int], Candle | None]) -> Iterator[str]:
    for t_ms in range(START, END, HOUR_MS):
        candle = of(t_ms)
        if candle is not None:
            close, volume = candle
            high = close if volume == "0" else f"{close}9"
            yield f"{t_ms},{close},{high},{close},{close},{volume}"


def _fine(t_ms: int) -> Candle:
    return f"1{(t_ms // HOUR_MS) % 5}.5", "100000"


def _jump(t_ms: int) -> Candle | None:
    close, volume = _fine(t_ms)
    if t_ms < JUMP_MS:
        return None if t_ms >= JUMP_MS - 24 * HOUR_MS else (close, volume)
    return close.replace(".", "000."), volume


def _dead(t_ms: int) -> Candle:
    return _fine(t_ms) if t_ms < DEAD_MS else ("13.5", "0")
