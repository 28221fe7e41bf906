"""Recorded exchange data as rows of text numbers, read without the code under test."""

import csv
import gzip
from pathlib import Path
from typing import Any

from bot.models import HOUR_MS

END_OF_TIME_MS = 2**53
DEFAULT_RULES = {
    "qty_step": "0.00001",
    "min_qty": "0.00001",
    "min_notional": "5",
    "mmr": "0.005",
    "spot_active": True,
}


def recorded_market(
    folder: Path,
    symbols: dict[str, str],
    timeframe: str = "1h",
    from_ms: int = 0,
    until_ms: int = END_OF_TIME_MS,
) -> dict[str, dict[str, Any]]:
    """Return the rows of `symbols` (unified symbol to file stem) in one exchange's folder.

    They are those from `from_ms` up to, not including, `until_ms`.
    """
    within = range(from_ms, until_ms)
    hours = int(timeframe.removesuffix("h"))
    timeframes = dict.fromkeys(("spot", "perp", "mark"), hours * HOUR_MS)
    return {
        symbol: {
            "funding": [
                (t_ms, rate, int(hours), mark or None)
                for t_ms, rate, hours, mark in _rows(folder, f"{stem}-funding", within)
            ],
            "timeframe_ms": timeframes,
            "instrument": DEFAULT_RULES,
            "spot": _rows(folder, f"{stem}-spot-{timeframe}", within),
            "perp": _rows(folder, f"{stem}-perp-{timeframe}", within),
            "mark": _rows(folder, f"{stem}-mark-{timeframe}", within) or None,
        }
        for symbol, stem in symbols.items()
    }


def _rows(folder: Path, stem: str, within: range) -> list[tuple[Any, ...]]:
    plain, packed = folder / f"{stem}.csv", folder / f"{stem}.csv.gz"
    if plain.exists():
        text = plain.read_text()
    elif packed.exists():
        text = gzip.decompress(packed.read_bytes()).decode()
    else:
        return []
    rows = csv.reader(text.splitlines()[1:])
    return [(int(row[0]), *row[1:]) for row in rows if int(row[0]) in within]
