"""Valid values with fixed defaults, for tests."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from bot.config.run_config import RunConfig
from bot.market.series import CandleSeries, FundingSeries, MarketData, SymbolData
from bot.models import HOUR_MS, Instrument
from bot.numbers.columns import DecimalColumn

MarketRows = Mapping[str, Mapping[str, Any]]
"""Per symbol: rows of text numbers under funding, spot, perp and mark, with timeframe_ms and instrument."""


def run_config(**overrides: Any) -> RunConfig:
    """Return a run over 2024 of BTC, with `overrides`."""
    values = {"symbols": ["BTC/USDT:USDT"], "start": "2024-01-01", "end": "2024-12-31"}
    return RunConfig.parse({**values, **overrides})


def market_data(rows: MarketRows, end_ms: int, exchange: str = "test") -> MarketData:
    """Return histories of `rows`, cut at `end_ms` as the store would cut them."""
    symbols = tuple(symbol_data(symbol, held, end_ms) for symbol, held in rows.items())
    return MarketData(exchange, end_ms, symbols, _digest([item.fingerprint for item in symbols]))


def symbol_data(symbol: str, rows: Mapping[str, Any], end_ms: int) -> SymbolData:
    """Return one pair's history of `rows`, cut at `end_ms`."""
    timeframes = rows.get("timeframe_ms", {})
    legs = {
        leg: candle_series(rows[leg], timeframes.get(leg, HOUR_MS), end_ms)
        for leg in ("spot", "perp", "mark")
        if rows.get(leg)
    }
    empty = candle_series([], HOUR_MS, end_ms)
    return SymbolData(
        symbol=symbol,
        instrument=instrument(rows.get("instrument", {})),
        funding=funding_series(rows["funding"], end_ms),
        spot=legs.get("spot", empty),
        perp=legs.get("perp", empty),
        mark=legs.get("mark"),
        fingerprint=_digest([symbol, end_ms, rows]),
        synthetic=False,
    )


def instrument(values: Mapping[str, Any]) -> Instrument:
    """Return trading rules from text numbers, defaults where none are given."""
    exact = {name: Decimal(value) for name, value in values.items() if name != "spot_active"}
    return Instrument(**exact, spot_active=values.get("spot_active", True))


def candle_series(rows: Sequence[Sequence[Any]], timeframe_ms: int, end_ms: int) -> CandleSeries:
    """Return the candles of (open_ms, open, high, low, close, volume) that have closed by `end_ms`."""
    closed = [row for row in rows if row[0] + timeframe_ms <= end_ms]
    columns = [_column([row[place] for row in closed]) for place in range(1, 6)]
    return CandleSeries(timeframe_ms, np.array([row[0] for row in closed], dtype=np.int64), *columns)


def funding_series(rows: Sequence[Sequence[Any]], end_ms: int) -> FundingSeries:
    """Return the settlements of (t_ms, rate, interval_hours, mark or None) up to `end_ms`."""
    settled = [row for row in rows if row[0] <= end_ms]
    return FundingSeries(
        np.array([row[0] for row in settled], dtype=np.int64),
        _column([row[1] for row in settled]),
        np.array([row[2] for row in settled], dtype=np.int64),
        _column([row[3] or "0" for row in settled]),
        np.array([bool(row[3]) for row in settled], dtype=bool),
    )


class NoVolumes:
    """A volume history without candles."""

    def base_volume(self, newest: int, skip: int) -> Decimal | None:
        return None


def _column(texts: Sequence[Any]) -> DecimalColumn:
    return DecimalColumn.from_decimals([Decimal(text) for text in texts])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()
