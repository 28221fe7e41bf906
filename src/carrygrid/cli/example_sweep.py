"""The sweep that `demo` submits: entry threshold x exit threshold x leverage on the best-recorded symbol."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.config.parameters import AccountParameters
from bot.errors import InsufficientDataError
from bot.market_store.listing import ExchangeListing, SymbolListing
from bot.models import DAY_MS, HOUR_MS
from bot.notation import quoted
from bot.timestamps import iso

_WINDOW_MS = 730 * DAY_MS
_LEGS = frozenset({"funding", "spot", "perp"})


@dataclass(frozen=True, slots=True)
class BestRecorded:
    """The symbol with the longest common record of funding, spot and perp, and that record's ends.

    `candle_ms` is the longer one of the shortest candles of both legs.
    """

    exchange: str
    symbol: str
    first_ms: int
    last_ms: int
    missing: int
    candle_ms: int


def best_recorded(listing: Sequence[ExchangeListing], exchange: str) -> BestRecorded:
    """Return the symbol of `exchange` to show first: the longest record, then the fewest missing rows.

    Raises: InsufficientDataError if none has all three series.
    """
    symbols = [symbol for one in listing if one.exchange == exchange for symbol in one.symbols]
    found = [record for symbol in symbols if (record := _record(exchange, symbol)) is not None]
    if not found:
        raise InsufficientDataError.of(
            "data",
            f"{quoted(exchange)} holds no symbol with funding, spot and perp series over a common time",
        )
    return min(found, key=lambda one: (one.first_ms - one.last_ms, one.missing, one.symbol))


def _record(exchange: str, symbol: SymbolListing) -> BestRecorded | None:
    legs = [series for series in symbol.series if series.kind in _LEGS]
    if {series.kind for series in legs} != _LEGS:
        return None
    first_ms = max(series.first_ms for series in legs)
    last_ms = min(series.last_ms for series in legs)
    if last_ms - first_ms < DAY_MS:
        return None
    candle_ms = max(min(one.timeframe_ms for one in legs if one.kind == kind) for kind in ("spot", "perp"))
    missing = sum(series.missing for series in legs)
    return BestRecorded(exchange, symbol.symbol, first_ms, last_ms, missing, candle_ms)


def example_sweep(record: BestRecorded) -> dict[str, Any]:
    """Return the spec of several hundred trials over the last two years of `record`, from day to day."""
    end_ms = record.last_ms // DAY_MS * DAY_MS
    start_ms = max(end_ms - _WINDOW_MS, -(-record.first_ms // DAY_MS) * DAY_MS)
    usual_hours = AccountParameters.model_fields["max_price_age_hours"].default
    age_hours = -(-record.candle_ms // HOUR_MS)  # that of the last close just before the next one
    return {
        "name": f"{record.symbol.partition('/')[0]} entry x exit x leverage",
        "base": {
            "exchange": record.exchange,
            "symbols": [record.symbol],
            "start": iso(start_ms),
            "end": iso(end_ms),
            "min_holding_periods": 90,
            "end_dead_markets": True,
            **({"max_price_age_hours": age_hours} if age_hours > usual_hours else {}),
        },
        "grid": {
            "min_funding_rate": {"start": "0.00004", "stop": "0.0004", "step": "0.00002"},
            "exit_funding_rate": ["-0.0001", "-0.00005", "0", "0.00002", "0.00004", "0.00008"],
            "perp_leverage": [1, 2, 3, 5],
        },
        "constraints": ["exit_funding_rate <= min_funding_rate"],
        "objective": {"metric": "sharpe", "direction": "maximize"},
        "curves": {"top": 50},
    }


def example_json(record: BestRecorded) -> bytes:
    """Return the example as the body to submit."""
    return json.dumps(example_sweep(record)).encode()
