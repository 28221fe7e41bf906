"""Form of the compare page, in its fields and its address."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from starlette.datastructures import QueryParams

from api.presentation.presenters import without_nulls
from bot.config.run_config import RunConfig, load_json, run_model
from bot.config.strategy_registry import compared_strategies
from bot.errors import InvalidInputError
from bot.market.rows import SeriesKind
from bot.market.symbols import inverse_symbol, is_generated
from bot.market_names import market_order
from bot.market_store import sql
from bot.models import DAY_MS
from bot.timestamps import iso

PATH = "/dashboard/compare"
_OWN_FIELDS = ("exchange", "symbols", "start", "end")
FIRST_PARAMETERS: Mapping[str, Any] = {"end_dead_markets": True}
"""Parameters that forms begin with beside the defaults."""

_NEEDED = {SeriesKind.FUNDING, SeriesKind.PERP}


@dataclass(frozen=True, slots=True)
class CompareForm:
    """The fields as text; `parameters` is a JSON object of what differs from the defaults."""

    exchange: str
    symbols: tuple[str, ...]
    start: str
    end: str
    parameters: str

    @classmethod
    def of_query(cls, query: QueryParams) -> "CompareForm":
        """Return the form that an address describes."""
        fields = {name: query.get(name, "").strip() for name in ("exchange", "start", "end")}
        return cls(symbols=tuple(query.getlist("symbols")), parameters=query.get("parameters", ""), **fields)

    @classmethod
    def of_config(cls, config: RunConfig) -> "CompareForm":
        """Return the form that asks for `config` under the strategies that are compared."""
        text = json.dumps(changed_parameters(config), indent=1, ensure_ascii=False)
        return cls(config.exchange or "", config.symbols, _short(config.start), _short(config.end), text)

    def over(self, start: str, end: str) -> "CompareForm":
        """Return the form for another window."""
        return replace(self, start=start, end=end)

    @property
    def address(self) -> str:
        """The page that shows this comparison."""
        fields: list[tuple[str, str]] = [("exchange", self.exchange)]
        fields += [("symbols", symbol) for symbol in self.symbols]
        fields += [("start", self.start), ("end", self.end)]
        return f"{PATH}?{urlencode([*fields, ('parameters', self.parameters)])}"

    def config(self) -> RunConfig:
        """Return the run that the fields describe; raises InvalidInputError naming field and value."""
        own = {"symbols": list(self.symbols), "start": self.start, "end": self.end}
        if self.exchange:
            own["exchange"] = self.exchange
        return RunConfig.parse({**own, **self._parameters()}, compared_strategies())

    def _parameters(self) -> Mapping[str, object]:
        given = load_json(self.parameters or "{}")
        if not isinstance(given, dict):
            raise InvalidInputError.of(
                "parameters", 'is no JSON object such as {"min_funding_rate": "0.0003"}'
            )
        for name in (*_OWN_FIELDS, "strategy_mode"):
            if name in given:
                reason = "all of them run" if name == "strategy_mode" else "it has a field of its own"
                raise InvalidInputError.of(name, f"does not belong into the parameters: {reason}")
        return given


def changed_parameters(config: RunConfig) -> dict[str, Any]:
    """Return the parameters of a comparison that differ from the defaults in `config`, as JSON values."""
    fields = run_model(*compared_strategies()).model_fields
    return {
        name: without_nulls(value)
        for name, value in config.document().items()
        if name in fields
        and name not in (*_OWN_FIELDS, "strategy_mode")
        and getattr(config, name) != fields[name].default
    }


def _short(moment_ms: int) -> str:
    return iso(moment_ms)[:10] if moment_ms % DAY_MS == 0 else iso(moment_ms)


def held_pairs(connection: sa.Connection) -> dict[str, list[str]]:
    """Return the pairs that can be replayed, by data set; recorded ones before generated ones.

    An inverse market is none: its spot market is that of another pair.
    """
    kinds: dict[tuple[str, str], set[SeriesKind]] = {}
    for one in sql.held_series(connection):
        kinds.setdefault((one.key.exchange, one.key.symbol), set()).add(one.key.kind)
    pairs: dict[str, list[str]] = {}
    for (exchange, symbol), held in kinds.items():
        if held >= _NEEDED and inverse_symbol(symbol) is None:
            pairs.setdefault(exchange, []).append(symbol)
    ordered = sorted(pairs.items(), key=lambda item: is_generated(item[0]))
    return {exchange: sorted(symbols, key=market_order) for exchange, symbols in ordered}
