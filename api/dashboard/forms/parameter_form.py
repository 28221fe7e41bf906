"""The parameters of a run as rows of a form, from the schemas of the installed strategies."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.config.hedge_rules import (
    BorrowParameters,
    ContractParameters,
    ImpactParameters,
    MarginParameters,
    StressParameters,
    StructureParameters,
    TransferParameters,
)
from bot.notation import text_of
from sweeps.spec.catalogue import strategies_document

_ELSEWHERE = frozenset({"exchange", "symbols", "start", "end", "strategy_mode", "instrument"})
"""Parameters with form fields of their own; `instrument` is set as JSON only."""

_GROUPS: Mapping[str, Sequence[str]] = {
    "Capital and sizing": (
        "initial_capital",
        "allocation",
        "sizing_base",
        "max_simultaneous_positions",
        "max_position_size",
        "max_portfolio_exposure",
    ),
    "Costs": ("spot_taker", "perp_taker", "slippage_bps"),
    "Recorded fees": ("fee_model", "fee_tier", "fee_base_volume"),
    "Maker orders": (
        "order_style",
        "maker_legs",
        "spot_maker",
        "perp_maker",
        "maker_slippage_bps",
        "long_maker",
        "long_taker",
        "short_maker",
        "short_taker",
    ),
    "Margin": (
        "perp_leverage",
        "margin_exit_ratio",
        "exit_liquidation_distance",
        *MarginParameters.model_fields,
    ),
    "Patience": (
        "min_hold_hours",
        "exit_confirmations",
        "exit_loss_horizon_hours",
        "basis_exit",
        "cooldown_hours",
        "max_round_trips",
    ),
    "Structure of hedges": tuple(StructureParameters.model_fields),
    "Borrowed spot": tuple(BorrowParameters.model_fields),
    "Transfers": tuple(TransferParameters.model_fields),
    "Forced closings": tuple(StressParameters.model_fields),
    "Impact and lag": tuple(ImpactParameters.model_fields),
    "Contracts": tuple(ContractParameters.model_fields),
}
_REST = "Data"
_BOUNDS = (
    ("minimum", "at least"),
    ("exclusiveMinimum", "above"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "below"),
)


@dataclass(frozen=True, slots=True)
class ParameterField:
    """One parameter: how it is entered, its default as text, and what is allowed in words.

    `kind` is number, integer, boolean, choice, json or text; `strategies` read it, none named means all.
    """

    name: str
    kind: str
    default: str
    description: str
    allowed: str
    choices: tuple[str, ...]
    strategies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters under one heading."""

    title: str
    strategies: tuple[str, ...]
    fields: tuple[ParameterField, ...]


def parameter_groups(catalogue: Mapping[str, Any] | None = None) -> list[ParameterGroup]:
    """Return every parameter that can be set, those of strategies first, each once."""
    catalogue = catalogue or strategies_document()
    account = catalogue["account"]
    shared = account["parameters"]["properties"].keys()
    return [*_strategy_groups(catalogue["strategies"], shared), *_account_groups(account)]


def parameter_kinds() -> dict[str, str]:
    """Return the kind of form field of each parameter, by name."""
    return {field.name: field.kind for group in parameter_groups() for field in group.fields}


def _strategy_groups(
    strategies: Sequence[Mapping[str, Any]], shared: Collection[str]
) -> Iterator[ParameterGroup]:
    """Yield a group for each set of strategies that read the same parameters, but those `shared` by all."""
    readers: dict[str, list[str]] = {}
    for strategy in strategies:
        for name in strategy["parameters"].get("properties", {}):
            readers.setdefault(name, []).append(strategy["name"])
    titles = {strategy["name"]: strategy["title"] for strategy in strategies}
    groups: dict[tuple[str, ...], list[ParameterField]] = {}
    for strategy in strategies:
        for field in _fields(strategy, readers):
            if strategy["name"] == field.strategies[0] and field.name not in shared:
                groups.setdefault(field.strategies, []).append(field)
    for names, fields in groups.items():
        title = f"{names[0]}: {titles[names[0]]}" if len(names) == 1 else " and ".join(names)
        yield ParameterGroup(title, names, tuple(fields))


def _account_groups(account: Mapping[str, Any]) -> Iterator[ParameterGroup]:
    fields = {field.name: field for field in _fields(account, {}) if field.name not in _ELSEWHERE}
    for title, names in _GROUPS.items():
        yield ParameterGroup(title, (), tuple(fields.pop(name) for name in names))
    yield ParameterGroup(_REST, (), tuple(fields.values()))


def _fields(owner: Mapping[str, Any], readers: Mapping[str, Sequence[str]]) -> Iterator[ParameterField]:
    for name, schema in owner["parameters"].get("properties", {}).items():
        yield ParameterField(
            name=name,
            kind=_kind(schema),
            default=_default_text(owner["defaults"], name),
            description=schema.get("description", ""),
            allowed=_allowed(schema),
            choices=tuple(str(choice) for choice in schema.get("enum", ())),
            strategies=tuple(readers.get(name, ())),
        )


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "choice"
    types = {part.get("type") for part in (schema, *schema.get("anyOf", ()))}
    for kind in ("boolean", "integer", "number"):
        if kind in types:
            return kind
    return "json" if types & {"array", "object"} else "text"


def _default_text(defaults: Mapping[str, Any], name: str) -> str:
    return text_of(defaults[name]) if name in defaults else "required"


def _allowed(schema: Mapping[str, Any]) -> str:
    """Return type and bounds in words."""
    words = [f"{word} {schema[keyword]:,}" for keyword, word in _BOUNDS if keyword in schema]
    if {"minimum", "maximum"} <= schema.keys():
        words = [f"{schema['minimum']:,} to {schema['maximum']:,}"]
    if _kind(schema) == "integer":
        words.insert(0, "whole number")
    if any(part.get("type") == "null" for part in schema.get("anyOf", ())):
        words.append("or none")
    return ", ".join(words)
