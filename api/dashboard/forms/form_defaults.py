"""Markets offered by the forms for sweeps and runs, and their first values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api.dashboard.forms.compare_form import FIRST_PARAMETERS, CompareForm, held_pairs
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import compared_strategies
from bot.errors import InvalidInputError, UnknownSymbolError
from bot.market.rows import SeriesKind
from bot.market.symbols import is_generated, multiplied
from bot.market_store import sql
from bot.market_store.series_selection import Extents, chosen_series
from bot.models import DAY_MS
from bot.notation import quoted
from bot.timestamps import iso
from sweeps.lifecycle.extend_clone import flattened
from sweeps.lifecycle.suggestions import SuggestionRequest
from sweeps.spec.spec import SweepSpec

_FIRST_DAYS = 365
_FIRST_STRATEGY = RunConfig.model_fields["strategy_mode"].default


@dataclass(frozen=True, slots=True)
class Market:
    """A symbol, and from when to when settlements and candles of both legs are held.

    `lacks` says in words what it cannot be replayed without; then the extent is that of its settlements.
    """

    exchange: str
    symbol: str
    first_ms: int
    last_ms: int
    lacks: str = ""

    @property
    def synthetic(self) -> bool:
        """True if it was generated."""
        return is_generated(self.exchange)

    def document(self) -> dict[str, Any]:
        """Return the market as JSON values, its extent as dates."""
        first, last = iso(self.first_ms)[:10], iso(self.last_ms)[:10]
        return {
            "exchange": self.exchange,
            "symbol": self.symbol,
            "first": first,
            "last": last,
            "lacks": self.lacks,
        }


def held_markets(connection: sa.Connection) -> list[Market]:
    """Return every symbol with settlements and perp candles, recorded ones before generated ones."""
    of_place: dict[tuple[str, str], list[sql.HeldSeries]] = {}
    held = sql.held_series(connection)
    for one in held:
        of_place.setdefault((one.key.exchange, one.key.symbol), []).append(one)
    extents = sql.extents(connection, held)
    markets = []
    for exchange, symbols in held_pairs(connection).items():
        for symbol in symbols:
            contract = multiplied(symbol)
            coin = of_place.get((exchange, contract[1]), []) if contract else []
            mine = chosen_series([*of_place[exchange, symbol], *coin], extents, symbol, None)
            market = _market(exchange, symbol, {one.key.kind: one for one in mine}, extents)
            if market is not None:
                markets.append(market)
    return markets


def _market(
    exchange: str, symbol: str, chosen: Mapping[SeriesKind, sql.HeldSeries], extents: Extents
) -> Market | None:
    ranges = {
        kind: (extents[one.id][0], extents[one.id][1] + one.key.timeframe_ms)
        for kind, one in chosen.items()
        if one.id in extents
    }
    if SeriesKind.FUNDING not in ranges:
        return None
    legs = [ranges[kind] for kind in (SeriesKind.FUNDING, SeriesKind.SPOT, SeriesKind.PERP) if kind in ranges]
    first_ms, last_ms = max(first for first, _ in legs), min(last for _, last in legs)
    if SeriesKind.SPOT not in ranges:
        return Market(exchange, symbol, *ranges[SeriesKind.FUNDING], lacks="no spot candles are held")
    if first_ms >= last_ms:
        return Market(exchange, symbol, *ranges[SeriesKind.FUNDING], lacks="no time is held of both legs")
    return Market(exchange, symbol, first_ms, last_ms)


def pair_first(markets: list[Market], exchange: str | None, symbol: str | None) -> list[Market]:
    """Return the markets with the pair that is asked for first; raises UnknownSymbolError if it is none."""
    if exchange is None and symbol is None:
        return markets
    found = [one for one in markets if (one.exchange, one.symbol) == (exchange, symbol)]
    if not found:
        raise UnknownSymbolError.of(
            "symbol", f"{quoted(symbol)} of {quoted(exchange)} is not held well enough to run on"
        )
    return found + [one for one in markets if one is not found[0]]


def first_suggestions(connection: sa.Connection, markets: list[Market]) -> dict[str, Any]:
    """Return the suggestions of the first run's window, by strategy; nothing where it cannot be read."""
    run = first_run(markets, {})
    if "symbols" not in run:
        return {}
    try:
        asked = SuggestionRequest(run["exchange"], tuple(run["symbols"]), run["start"], run["end"])
        found: dict[str, Any] = asked.document(connection)["strategies"]
    except InvalidInputError:
        return {}
    return found


def first_run(markets: list[Market], suggested: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run over the last year of the first market that can be run on, as written in JSON."""
    if not markets:
        return {"strategy_mode": _FIRST_STRATEGY}
    usable = [market for market in markets if not market.lacks] or markets
    ours = [market for market in usable if market.exchange == usable[0].exchange]
    market = next((one for one in ours if one.symbol.startswith("BTC/")), ours[0])
    start_ms = max(market.first_ms, market.last_ms - _FIRST_DAYS * DAY_MS)
    return {
        "exchange": market.exchange,
        "symbols": [market.symbol],
        "start": iso(start_ms)[:10],
        "end": iso(market.last_ms)[:10],
        "strategy_mode": _FIRST_STRATEGY,
        **FIRST_PARAMETERS,
        **suggested.get(_FIRST_STRATEGY, {}).get("parameters", {}),
    }


def first_sweep(
    markets: list[Market], catalogue: Mapping[str, Any], suggested: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a sweep of the grid that the first window suggests, else the strategy's own, as written."""
    grids = {one["name"]: one["default_grid"] for one in catalogue["strategies"]}
    grid = suggested.get(_FIRST_STRATEGY, {}).get("grid") or grids.get(_FIRST_STRATEGY, {})
    run = first_run(markets, suggested)
    return {
        "name": "",
        "base": {name: value for name, value in run.items() if name not in grid},
        "grid": dict(grid),
        "objective": {"metric": "sharpe", "direction": "maximize"},
        "curves": {"top": 50},
    }


def first_comparison(markets: list[Market], suggested: Mapping[str, Any]) -> CompareForm:
    """Return the compare page's form before anything was asked: a first run with suggestions."""
    if not markets:
        return CompareForm("", (), "", "", json.dumps(FIRST_PARAMETERS, indent=1))
    run = first_run(markets, {})
    parameters: dict[str, Any] = dict(FIRST_PARAMETERS)
    for name in compared_strategies():
        parameters |= suggested.get(name, {}).get("parameters", {})
    text = json.dumps(parameters, indent=1, ensure_ascii=False)
    return CompareForm(run["exchange"], tuple(run["symbols"]), run["start"], run["end"], text)


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
