"""What the forms for sweeps and runs offer, and what they begin with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api.dashboard.compare_form import held_pairs
from bot.config import RunConfig
from bot.data import sql
from bot.data.rows import SeriesKind
from bot.data.symbols import SYNTHETIC_EXCHANGE
from bot.models import DAY_MS
from bot.timestamps import iso
from sweeps.growing import flattened
from sweeps.spec import SweepSpec

_FIRST_DAYS = 365
_FIRST_STRATEGY = RunConfig.model_fields["strategy_mode"].default


@dataclass(frozen=True, slots=True)
class Market:
    """A symbol that can be replayed, and from when to when its funding is held."""

    exchange: str
    symbol: str
    first_ms: int
    last_ms: int

    @property
    def synthetic(self) -> bool:
        """Whether it was generated."""
        return self.exchange == SYNTHETIC_EXCHANGE

    def document(self) -> dict[str, Any]:
        """Return the market as JSON values, its extent as dates."""
        first, last = iso(self.first_ms)[:10], iso(self.last_ms)[:10]
        return {"exchange": self.exchange, "symbol": self.symbol, "first": first, "last": last}


def held_markets(connection: sa.Connection) -> list[Market]:
    """Return every symbol that can be replayed, recorded ones before generated ones."""
    funding = {
        (one.key.exchange, one.key.symbol): one
        for one in sql.held_series(connection)
        if one.key.kind is SeriesKind.FUNDING
    }
    extents = sql.extents(connection, funding.values())
    return [
        Market(exchange, symbol, *extents[funding[exchange, symbol].id])
        for exchange, symbols in held_pairs(connection).items()
        for symbol in symbols
        if funding[exchange, symbol].id in extents
    ]


def first_run(markets: list[Market]) -> dict[str, Any]:
    """Return a run over the last year of the first market held, as written in JSON."""
    if not markets:
        return {"strategy_mode": _FIRST_STRATEGY}
    ours = [market for market in markets if market.exchange == markets[0].exchange]
    market = next((one for one in ours if one.symbol.startswith("BTC/")), ours[0])
    start_ms = max(market.first_ms, market.last_ms - _FIRST_DAYS * DAY_MS)
    return {
        "exchange": market.exchange,
        "symbols": [market.symbol],
        "start": iso(start_ms)[:10],
        "end": iso(market.last_ms)[:10],
        "strategy_mode": _FIRST_STRATEGY,
        "end_dead_markets": True,
    }


def first_sweep(markets: list[Market], catalogue: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sweep of the first strategy's own grid, as written in JSON."""
    grids = {one["name"]: one["default_grid"] for one in catalogue["strategies"]}
    return {
        "name": "",
        "base": first_run(markets),
        "grid": dict(grids.get(_FIRST_STRATEGY, {})),
        "objective": {"metric": "sharpe", "direction": "maximize"},
        "curves": {"top": 50},
    }


def written_sweep(spec: SweepSpec, catalogue: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sweep as a person would write it: without what the defaults say anyway."""
    document = {name: value for name, value in flattened(spec).items() if value not in ([], None)}
    if document.get("reuse") is True:
        del document["reuse"]
    return {**document, "base": written_run(document["base"], catalogue)}


def written_run(parameters: Mapping[str, Any], catalogue: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that differ from their defaults, those of the market always."""
    defaults = dict(catalogue["account"]["defaults"])
    for strategy in catalogue["strategies"]:
        defaults |= strategy["defaults"]
    asked = {"exchange", "symbols", "start", "end", "strategy_mode"}
    return {
        name: _short_time(value) if name in {"start", "end"} else value
        for name, value in parameters.items()
        if name in asked or name not in defaults or value != defaults[name]
    }


def _short_time(moment: str) -> str:
    return moment.removesuffix("T00:00:00Z")
