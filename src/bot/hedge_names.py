"""Names of hedges: two legs by a full name or a short one, under a structure, checked to fit each other.

Stands below parameters, which are checked by it, and below market data: it knows names, not what is held.
Source: docs/domain.md, section 14.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

from bot.errors import InvalidInputError
from bot.market_names import DOLLARS, Market, MarketKind, is_exchange_name, market_of, spot_symbol
from bot.notation import quoted

HedgeStructure = Literal["spot_perp", "reverse", "perp_perp", "inverse"]
STRUCTURES: tuple[HedgeStructure, ...] = get_args(HedgeStructure)

_KINDS: dict[HedgeStructure, tuple[MarketKind, MarketKind]] = {
    "spot_perp": ("spot", "linear"),
    "reverse": ("linear", "spot"),
    "perp_perp": ("linear", "linear"),
    "inverse": ("spot", "inverse"),
}
"""Kinds of the long and the short leg; the spot leg of `reverse` is borrowed."""

_WORDS: dict[MarketKind, str] = {
    "spot": "a spot market",
    "linear": "a linear perpetual",
    "inverse": "an inverse perpetual",
}


class Hedge(NamedTuple):
    """Hedge of a long and a short leg; `name` is the one that trades have."""

    name: str
    long: Market
    short: Market
    is_short_name: bool = False

    @property
    def legs(self) -> tuple[Market, Market]:
        """Return the long leg and the short one."""
        return self.long, self.short

    @property
    def spot(self) -> Market | None:
        """Return the spot market among its legs, None where both are perpetuals."""
        return next((leg for leg in self.legs if leg.kind == "spot"), None)

    @property
    def perps(self) -> tuple[Market, ...]:
        """Return its perpetuals, the long leg first."""
        return tuple(leg for leg in self.legs if leg.kind != "spot")

    @property
    def named_units(self) -> tuple[int, int]:
        """Return the coins in one unit of each leg where the legs name their coin differently, else 1."""
        if self.long.base == self.short.base:
            return 1, 1
        return self.long.named_units, self.short.named_units

    def with_spot(self, spot: Market) -> "Hedge":
        """Return the hedge with another spot market in the place of its own."""
        return self._replace(long=spot) if self.long.kind == "spot" else self._replace(short=spot)


def hedges_of(
    symbols: Sequence[str],
    structure: HedgeStructure,
    exchange: str,
    long_exchange: str | None = None,
    short_exchange: str | None = None,
) -> tuple[Hedge, ...]:
    """Return the hedges that names stand for, in their order; `A<>B` stands for `A>B` and `B>A`.

    Legs without `@exchange` are on `long_exchange` and `short_exchange`, by default both on `exchange`.
    Raises: InvalidInputError naming `structure` if it is unknown, else `symbols` and the first name refused.
    """
    leg_kinds(structure)
    exchanges = (
        exchange if long_exchange is None else long_exchange,
        exchange if short_exchange is None else short_exchange,
    )
    found: dict[tuple[Market, Market], Hedge] = {}
    for written in symbols:
        for hedge in _named(written, structure, exchanges):
            _check_fit(written, hedge, structure)
            known = found.get(hedge.legs)
            if known is not None:
                raise _refused(written, f"the hedge {quoted(known.name)} is named twice")
            found[hedge.legs] = hedge
    return tuple(found.values())


def leg_kinds(structure: HedgeStructure) -> tuple[MarketKind, MarketKind]:
    """Return the kinds of the long and the short leg; raises InvalidInputError naming `structure`."""
    if structure not in STRUCTURES:
        raise InvalidInputError.of("structure", f"{quoted(structure)} is none of {', '.join(STRUCTURES)}")
    return _KINDS[structure]


def quotes_fit(long: Market, short: Market) -> bool:
    """Return whether prices in the quotes of two markets can be compared."""
    return long.quote == short.quote or {long.quote, short.quote} <= DOLLARS


def spot_alternative(hedge: Hedge) -> Market | None:
    """Return the spot market of a short name to take where its own is not held, None if there is none.

    `1000PEPE/USDT:USDT` is hedged by `PEPE/USDT` where `1000PEPE/USDT` is not held.
    """
    spot = hedge.spot
    if spot is None or not hedge.is_short_name or spot.coin == spot.base:
        return None
    return Market(spot.exchange, f"{spot.coin}/{spot.quote}")


def is_full_name(symbol: str) -> bool:
    """Return whether a name says both legs."""
    return ">" in symbol


def is_hedge_name(symbol: str) -> bool:
    """Return whether a name says legs or an exchange, as names of hedges alone do."""
    return is_full_name(symbol) or "@" in symbol


def _named(written: str, structure: HedgeStructure, exchanges: tuple[str, str]) -> Iterator[Hedge]:
    if not is_full_name(written):
        yield _by_short_name(written, structure, exchanges)
        return
    one, sign, other = written.partition("<>")
    if not sign:
        one, _, other = written.partition(">")
    for long, short in [(one, other), (other, one)] if sign else [(one, other)]:
        legs = (_leg(written, long, exchanges[0]), _leg(written, short, exchanges[1]))
        yield Hedge(f"{long}>{short}", *legs)


def _leg(written: str, text: str, default: str) -> Market:
    symbol, at, exchange = text.partition("@")
    if at and not is_exchange_name(exchange):
        raise _refused(written, f"{quoted(exchange)} after @ is no name of an exchange such as binance")
    try:
        return market_of(exchange if at else default, symbol)
    except InvalidInputError as error:
        raise _refused(written, error.errors[0].message) from None


def _by_short_name(written: str, structure: HedgeStructure, exchanges: tuple[str, str]) -> Hedge:
    if "@" in written:
        raise _refused(written, "a short name has no exchange, write LONG@exchange>SHORT@exchange")
    long, short = market_of(exchanges[0], written), market_of(exchanges[1], written)
    kind: MarketKind = "inverse" if structure == "inverse" else "linear"
    if long.kind != kind:
        raise _refused(written, f"{_WORDS[long.kind]}, but a short name under {structure} is {_WORDS[kind]}")
    spot = spot_symbol(written)
    if structure == "inverse" and long.quote == "USD":
        spot = f"{long.base}/USDT"
    if structure == "reverse":
        short = Market(exchanges[1], spot)
    elif structure != "perp_perp":
        long = Market(exchanges[0], spot)
    elif long.exchange == short.exchange:
        raise _refused(
            written, "one market on one exchange: name long_exchange and short_exchange, or both legs"
        )
    return Hedge(written, long, short, is_short_name=True)


def _check_fit(written: str, hedge: Hedge, structure: HedgeStructure) -> None:
    for word, leg, kind in zip(("long", "short"), hedge.legs, _KINDS[structure], strict=True):
        if leg.kind != kind:
            raise _refused(
                written,
                f"{leg.symbol} is {_WORDS[leg.kind]}, but the {word} leg under {structure} is {_WORDS[kind]}",
            )
    long, short = hedge.legs
    if long == short:
        raise _refused(written, "one market as both legs")
    if long.coin != short.coin:
        raise _refused(written, f"its legs are of two coins, {long.coin} and {short.coin}")
    if not quotes_fit(long, short):
        raise _refused(written, f"its legs are quoted in {long.quote} and {short.quote}")


def _refused(written: str, said: str) -> InvalidInputError:
    return InvalidInputError.of("symbols", f"{quoted(written)}: {said}")
