"""Contradictions between parameters of hedges, and whether a run asks for more than spot against a perp."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from bot.config.hedge_rules import HedgeParameters
from bot.config.parameters import AccountParameters
from bot.errors import InvalidInputError
from bot.hedge_names import Hedge, is_hedge_name
from bot.notation import plain, quoted

_DEFAULTS: Mapping[str, Any] = {name: field.default for name, field in HedgeParameters.model_fields.items()}
_READ = itemgetter(*_DEFAULTS)
_USUAL = tuple(_DEFAULTS.values())

HEDGE_PARAMETERS = (*_DEFAULTS, "symbols", "instrument")
"""Parameters by which a run can ask for the replay of hedges."""
_ASKING = frozenset(HEDGE_PARAMETERS)

READ_BY_RULES = frozenset(
    (
        *("symbols", "exchange", "structure", "long_exchange", "short_exchange", "capital_shares", "stress"),
        *("margin_policy", "margin_trigger", "margin_exit_ratio", "slippage_bps", "impact_bps"),
        "end_dead_markets",
    )
)
"""Parameters that `refuse_hedge_contradictions` reads."""


def needs_hedge_engine(config: AccountParameters) -> bool:
    """Return whether a run asks for what only the replay of hedges models."""
    values = vars(config)
    if _READ(values) != _USUAL:
        return True
    return asks_for_hedges("symbols", values["symbols"]) or asks_for_hedges(
        "instrument", values["instrument"]
    )


def asks_for_hedges(name: str, value: Any) -> bool:
    """Return whether a value of one of `HEDGE_PARAMETERS` asks for what only the replay of hedges models."""
    if name == "symbols":
        return any(map(is_hedge_name, value))
    if name == "instrument":
        return value is not None and value.brackets is not None
    return bool(value != _DEFAULTS[name])


def any_asks_for_hedges(shared: AccountParameters, varied: Mapping[str, Sequence[Any]]) -> bool:
    """Return whether some of the runs that share parameters and vary in others asks for hedges."""
    if not can_ask_for_hedges(varied):
        return needs_hedge_engine(shared)
    return any(
        asks_for_hedges(name, value)
        for name in HEDGE_PARAMETERS
        for value in varied.get(name, (getattr(shared, name),))
    )


def can_ask_for_hedges(names: Iterable[str]) -> bool:
    """Return whether a run can ask by one of the parameters `names`."""
    return not _ASKING.isdisjoint(names)


def refuse_hedges(config: AccountParameters) -> None:
    """Do nothing where the replay of spot against a perp models the whole run.

    Raises: InvalidInputError naming the first parameter that it does not model, and its value.
    """
    if needs_hedge_engine(config):
        name = next(name for name in HEDGE_PARAMETERS if asks_for_hedges(name, getattr(config, name)))
        raise not_replayed(name, name, config.model_dump(mode="json", include={name})[name])


def not_replayed(name: str, path: str, document: object) -> InvalidInputError:
    """Return the refusal of a parameter at `path` whose value, as JSON, only the replay of hedges models."""
    if name == "symbols":
        usual = "name perpetuals such as BTC/USDT:USDT"
    elif name == "instrument":
        usual = "leave out brackets"
    else:
        usual = f"leave it at {_usual(_DEFAULTS[name])}"
    return InvalidInputError.of(path, f"{quoted(document)} is read by single runs alone: {usual}")


def _usual(default: object) -> str:
    if default is None or isinstance(default, bool):
        return "none" if default is None else str(default).lower()
    return str(list(default)) if isinstance(default, tuple) else str(default)


def refuse_hedge_contradictions(config: AccountParameters) -> None:
    """Check the rules between parameters of hedges; raises ValueError that begins with a field."""
    try:
        hedges = config.hedges
    except InvalidInputError as error:
        raise ValueError(error.message) from None
    if config.end_dead_markets:
        raise ValueError(
            "end_dead_markets: true is read by runs of spot against a perp alone; contracts of hedges end as "
            "their recorded lives say"
        )
    _check_margin(config)
    _check_shares(config, hedges)
    _check_stress(config, hedges)
    if config.impact_bps and config.slippage_bps + config.impact_bps >= 10000:
        raise ValueError(
            f"impact_bps: {plain(config.impact_bps)} and slippage_bps {plain(config.slippage_bps)} "
            "are together not below 10000, so that a sale could earn nothing"
        )


def _check_margin(config: AccountParameters) -> None:
    if config.margin_policy == "none":
        return
    if config.margin_trigger >= config.margin_exit_ratio:
        raise ValueError(
            f"margin_trigger: {plain(config.margin_trigger)} is not below "
            f"margin_exit_ratio {plain(config.margin_exit_ratio)}, so that {config.margin_policy} never acts"
        )


def _check_shares(config: AccountParameters, hedges: Sequence[Hedge]) -> None:
    if config.capital_shares is None:
        return
    shares = dict(config.capital_shares)
    told = quoted({name: plain(share) for name, share in shares.items()})
    used = list(_exchanges(hedges))
    if "" in used:
        raise ValueError(f"capital_shares: {told} needs exchange to be named, which some legs are on")
    for name in shares:
        if name not in used:
            raise ValueError(
                f"capital_shares: {quoted(name)} is no exchange of the run's hedges ({', '.join(used)})"
            )
    for name in used:
        if name not in shares:
            raise ValueError(
                f"capital_shares: {told} has no share for {quoted(name)}, which some legs are on"
            )


def _check_stress(config: AccountParameters, hedges: Sequence[Hedge]) -> None:
    names = {hedge.name for hedge in hedges}
    for place, entry in enumerate(config.stress):
        if entry.symbol is not None and entry.symbol not in names:
            known = ", ".join(hedge.name for hedge in hedges)
            raise ValueError(
                f"stress[{place}].symbol: {quoted(entry.symbol)} is no hedge of the run ({known})"
            )


def _exchanges(hedges: Sequence[Hedge]) -> Iterator[str]:
    """Yield the exchanges of hedges in order of appearance, each once."""
    yield from dict.fromkeys(market.exchange for hedge in hedges for market in hedge.legs)
