"""Hedges that held markets make up under a structure: names to choose from, and coverage of each leg."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.errors import FieldError, InvalidInputError, UnknownExchangeError
from bot.hedge_names import Hedge, HedgeStructure, hedges_of, leg_kinds, quotes_fit, spot_alternative
from bot.market.rows import SeriesKind
from bot.market_names import Market, MarketKind, market_order, spot_symbol
from bot.market_store import sql
from bot.market_store.loading import resolve_exchange
from bot.market_store.records import held_records
from bot.timestamps import iso

MOST_CHOICES = 500
"""Most names that are offered; any other can be written."""
MOST_NAMED = 100

_CANDLES_OF: Mapping[MarketKind, SeriesKind] = {
    "spot": SeriesKind.SPOT,
    "linear": SeriesKind.PERP,
    "inverse": SeriesKind.PERP,
}
Extent = tuple[int, int]


@dataclass(frozen=True, slots=True)
class HeldLeg:
    """Market of a leg: from when to when it can be traded (ms UTC), and the kinds recorded beside it.

    `lacks` says in words what is not held of it; then there may be no extent.
    """

    market: Market
    extent: Extent | None
    lacks: str
    records: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the leg as JSON values, its extent as dates."""
        return {
            "exchange": self.market.exchange,
            "symbol": self.market.symbol,
            **_dates(self.extent),
            "lacks": self.lacks,
            "records": list(self.records),
        }


@dataclass(frozen=True, slots=True)
class HedgeChoice:
    """A name as `symbols` has it, its legs, the long one first, and what it cannot be replayed without.

    A name of two hedges, `A<>B`, has the legs of the first. One that is refused has none.
    """

    name: str
    legs: tuple[HeldLeg, ...]
    lacks: str

    @property
    def extent(self) -> Extent | None:
        """Return from when to when both legs are held."""
        known = [leg.extent for leg in self.legs if leg.extent is not None]
        if not known or len(known) < len(self.legs):
            return None
        first_ms, last_ms = max(first for first, _ in known), min(last for _, last in known)
        return (first_ms, last_ms) if first_ms < last_ms else None

    def document(self) -> dict[str, Any]:
        """Return the choice as JSON values."""
        legs = [leg.document() for leg in self.legs]
        return {"name": self.name, **_dates(self.extent), "lacks": self.lacks, "legs": legs}


@dataclass(frozen=True, slots=True)
class HedgesRequest:
    """Structure and exchanges of hedges to choose from; `named` are told beside those that are offered."""

    structure: HedgeStructure = "spot_perp"
    exchange: str | None = None
    long_exchange: str | None = None
    short_exchange: str | None = None
    named: tuple[str, ...] = ()

    def document(self, connection: sa.Connection) -> dict[str, Any]:
        """Return the hedges, and the markets that can be legs on any exchange, as JSON values.

        Raises: InvalidInputError naming `structure`; UnknownExchangeError naming the field.
        """
        leg_kinds(self.structure)
        exchange = resolve_exchange(connection, self.exchange)
        long, short = (
            self._checked(connection, name, exchange) for name in ("long_exchange", "short_exchange")
        )
        held = _HeldMarkets.of(connection)
        offered = [*_offered(held, self.structure, long, short)]
        names = list(dict.fromkeys((*offered[:MOST_CHOICES], *self.named)))
        choices = [held.choice(name, self.structure, (long, short)) for name in names]
        return {
            "structure": self.structure,
            "exchange": exchange,
            "hedges": [choice.document() for choice in choices],
            **{
                f"{side}_markets": [market._asdict() for market in held.markets(kind)]
                for side, kind in zip(("long", "short"), leg_kinds(self.structure), strict=True)
            },
        }

    def _checked(self, connection: sa.Connection, name: str, usual: str) -> str:
        value = getattr(self, name)
        if value is None:
            return usual
        try:
            return resolve_exchange(connection, value)
        except UnknownExchangeError as error:
            raise error.renamed(lambda item: FieldError(name, item.message)) from None


class _HeldMarkets:
    """Markets of all data sets with their series and recorded kinds."""

    def __init__(
        self, extents: dict[tuple[str, str, SeriesKind], Extent], records: dict[tuple[str, str], set[str]]
    ) -> None:
        self._extents = extents
        self._records = records

    @classmethod
    def of(cls, connection: sa.Connection) -> "_HeldMarkets":
        series = sql.held_series(connection)
        outermost = sql.extents(connection, series)
        extents: dict[tuple[str, str, SeriesKind], Extent] = {}
        for one in series:
            if one.id in outermost:
                place = one.key.exchange, one.key.symbol, one.key.kind
                first_ms, last_ms = outermost[one.id]
                known = extents.get(place, (first_ms, last_ms))
                extents[place] = min(known[0], first_ms), max(known[1], last_ms + one.key.timeframe_ms)
        records: dict[tuple[str, str], set[str]] = {}
        for held in held_records(connection):
            records.setdefault((held.key.exchange, held.key.symbol), set()).add(held.key.kind.value)
        return cls(extents, records)

    def markets(self, kind: MarketKind, exchange: str | None = None) -> list[Market]:
        """Return the markets of a kind with candles, on one exchange or on all, in the order of lists."""
        wanted = _CANDLES_OF[kind]
        pairs = [
            Market(of, symbol)
            for of, symbol, series in self._extents
            if series is wanted and exchange in {None, of}
        ]
        pairs.sort(key=lambda pair: (pair.exchange, market_order(pair.symbol)))
        if kind == "spot":
            return [Market(pair.exchange, spot_symbol(pair.symbol)) for pair in pairs]
        return [pair for pair in pairs if pair.kind == kind]

    def choice(self, name: str, structure: HedgeStructure, exchanges: tuple[str, str]) -> HedgeChoice:
        """Return a name with its legs; `lacks` says why it is refused, or what of it is not held."""
        try:
            hedge = hedges_of([name], structure, "", *exchanges)[0]
        except InvalidInputError as error:
            return HedgeChoice(name, (), error.errors[0].message)
        legs = tuple(self.leg(leg) for leg in self._traded(hedge).legs)
        found = HedgeChoice(name, legs, "; ".join(filter(None, (leg.lacks for leg in legs))))
        if not found.lacks and found.extent is None:
            return HedgeChoice(name, legs, "no time is held of both legs")
        return found

    def leg(self, market: Market) -> HeldLeg:
        """Return what is held of a market."""
        kinds = [_CANDLES_OF[market.kind], *([] if market.kind == "spot" else [SeriesKind.FUNDING])]
        found = {kind: self._extents.get((market.exchange, market.pair, kind)) for kind in kinds}
        missing = [
            "settlements" if kind is SeriesKind.FUNDING else f"{kind.value} candles"
            for kind, extent in found.items()
            if extent is None
        ]
        known = [extent for extent in found.values() if extent is not None]
        extent = (max(first for first, _ in known), min(last for _, last in known)) if known else None
        lacks = f"no {' and no '.join(missing)} of {market.symbol} are held for {market.exchange}"
        records = self._records.get((market.exchange, market.pair), set())
        of_exchange = self._records.get((market.exchange, ""), set())
        of_leg = {kind for kind in records if (kind != "brackets" or market.kind != "spot")}
        of_leg -= set() if market.kind == "spot" else {"borrow"}
        return HeldLeg(market, extent, lacks if missing else "", tuple(sorted(of_leg | of_exchange)))

    def _traded(self, hedge: Hedge) -> Hedge:
        """Return a hedge with the coin's own spot market where that is what is held."""
        spot, other = hedge.spot, spot_alternative(hedge)
        if spot is None or other is None or self.leg(spot).extent or not self.leg(other).extent:
            return hedge
        return hedge.with_spot(other)


def _offered(held: _HeldMarkets, structure: HedgeStructure, long: str, short: str) -> Iterator[str]:
    """Yield names of hedges of the markets on the exchanges of both legs."""
    kinds = leg_kinds(structure)
    if "spot" in kinds:
        perp = 1 - kinds.index("spot")
        yield from (market.symbol for market in held.markets(kinds[perp], (long, short)[perp]))
        return
    pairs = [*_of_one_coin(held.markets(kinds[0], long), held.markets(kinds[1], short))]
    if long != short:
        yield from (one.symbol for one, other in pairs if one.symbol == other.symbol)
        yield from (f"{one.symbol}@{long}<>{other.symbol}@{short}" for one, other in pairs)
    else:
        yield from (
            f"{one.symbol}<>{other.symbol}"
            for one, other in pairs
            if market_order(one.symbol) < market_order(other.symbol)
        )


def _of_one_coin(longs: Iterable[Market], shorts: Iterable[Market]) -> Iterator[tuple[Market, Market]]:
    """Yield two markets of one coin whose quotes go together."""
    by_coin: dict[str, list[Market]] = {}
    for market in shorts:
        by_coin.setdefault(market.coin, []).append(market)
    for one in longs:
        yield from ((one, other) for other in by_coin.get(one.coin, ()) if quotes_fit(one, other))


def _dates(extent: Extent | None) -> dict[str, str | None]:
    first, last = (None, None) if extent is None else (iso(moment_ms)[:10] for moment_ms in extent)
    return {"first": first, "last": last}
