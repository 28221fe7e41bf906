"""Window of hedges: what all runs of the same hedges over the same days share."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Self

from bot.config.run_config import RunConfig
from bot.errors import InsufficientDataError
from bot.hedges.arithmetic import exact_products
from bot.hedges.contracts import Contract, MarketRows, contracts_of
from bot.hedges.costs import OrderCosts
from bot.hedges.legs.kind import LegKind
from bot.hedges.legs.table import LONG_SIDE, SHORT_SIDE, STRUCTURES
from bot.hedges.maintenance import BracketMaintenance, FlatMaintenance, Maintenance
from bot.hedges.markets import Carries, HedgeMarket, LegMarket
from bot.hedges.positions import HeldPerp
from bot.hedges.settlements import Settlements
from bot.market.coverage import Coverage
from bot.market.hedge_coverage import hedge_coverage
from bot.market.hedge_data import HedgeData, PairKey
from bot.market.hedge_names import Hedge, Market, spot_alternative
from bot.market.records.bracket_history import BracketHistory, DatedBrackets
from bot.market.series import SymbolData
from bot.memo import Found, Memo
from bot.models import Instrument
from bot.statistics.metrics import Calendar
from bot.timestamps import iso

_MOST_BY_RATE = 12
"""Carries, settlements and columns that a window keeps: those of four borrow rates."""


@dataclass(frozen=True, eq=False)
class HedgeWindow:
    """The hedges of a run with their contracts, and the events of its days.

    `legs` has the contracts of the long and the short leg of each hedge, by name.
    """

    data: HedgeData
    hedges: tuple[Hedge, ...]
    legs: Mapping[str, tuple["_LegRows", "_LegRows"]]
    calendar: Calendar
    coverage: Mapping[str, Coverage]
    _by_borrow_rate: Memo = field(default_factory=lambda: Memo(_MOST_BY_RATE))
    _missing: dict[Contract, list[int]] = field(default_factory=dict)

    @classmethod
    def build(cls, config: RunConfig, data: HedgeData) -> Self:
        """Return the window that `config` asks for, from data that end no later than it does.

        Raises: InsufficientDataError naming a market of which nothing is held, or too little.
        """
        hedges, covered = covered_hedges(config, data)
        whole = cls._of(hedges, data)
        times = whole.settled_between(config.start, config.end)
        return replace(whole, calendar=Calendar.of(times), coverage=covered)

    @classmethod
    def received(cls, config: RunConfig, data: HedgeData, spots: Collection[PairKey]) -> Self:
        """Return the hedges of `config` over what is known so far, however little, and no event yet.

        `spots` are the pairs that have a spot market.
        Raises: InsufficientDataError naming a market that is not among the data.
        """
        return cls._of(_hedges(config, data, spots), data)

    @classmethod
    def _of(cls, hedges: tuple[Hedge, ...], data: HedgeData) -> Self:
        with exact_products():
            legs = {hedge.name: _leg_rows(data, hedge) for hedge in hedges}
        return cls(data, hedges, legs, Calendar.of([0]), {})

    def at(self, t_ms: int) -> Self:
        """Return the same hedges with one event."""
        memo: Memo = Memo(_MOST_BY_RATE)
        return replace(self, calendar=Calendar.of([t_ms]), _by_borrow_rate=memo, _missing={})

    @property
    def units(self) -> dict[str, Decimal]:
        """Coins in the unit that each hedge is counted in, by name."""
        return {hedge.name: _units(self.data, hedge) for hedge in self.hedges}

    def settled_between(self, first_ms: int, last_ms: int) -> list[int]:
        """Return the distinct times in [first_ms, last_ms] at which a perp leg settles, ascending."""
        times = {
            t_ms
            for hedge in self.hedges
            for market, rows in zip(hedge.legs, self.legs[hedge.name], strict=True)
            if market.kind != "spot"
            for contract in rows.contracts
            for t_ms in contract.settled_ms
            if first_ms <= t_ms <= last_ms
        }
        return sorted(times)

    @property
    def exchange(self) -> str:
        """The run's own exchange."""
        return self.data.exchange

    @property
    def fingerprint(self) -> str:
        """Hash of the rows that a run may read."""
        return self.data.fingerprint

    @property
    def synthetic(self) -> bool:
        """True if some of its rows were generated."""
        return any(pair.synthetic for pair in self.data.pairs.values())

    def missed_settlements(self, held: Iterable[HeldPerp], end_ms: int) -> int:
        """Return how many settlements were due to perp legs and are not recorded."""
        count = 0
        for contract, opened_ms, until_ms in held:
            due = self._missing.get(contract)
            if due is None:
                due = self._missing[contract] = contract.missing_settlements(end_ms)
            count += bisect_right(due, until_ms) - bisect_right(due, opened_ms)
        return count

    @cached_property
    def prices(self) -> int:
        """Number of prices it holds, roughly: one an event and leg."""
        return 2 * len(self.calendar.times_ms) * len(self.hedges)

    def markets(self, config: RunConfig) -> tuple[HedgeMarket, ...]:
        """Return the hedges that a run may open, in the order of its symbols.

        Raises: InsufficientDataError naming the brackets that it asks for and that are not held.
        """
        structure, found = STRUCTURES[config.structure], []
        carries: dict[str, Carries] = self.kept("carries", config, dict)
        for hedge in self.hedges:
            long, short = (
                self._market(config, hedge, place, kind)
                for place, kind in enumerate((structure.long, structure.short))
            )
            known = carries.setdefault(hedge.name, {})
            found.append(HedgeMarket(hedge.name, structure, long, short, known))
        return tuple(found)

    def settlements(self, config: RunConfig) -> Settlements:
        """Return the settlements of its hedges at its events, once for all runs at one borrow rate.

        Call inside `exact_products()`.
        """
        return self.kept(
            "settlements", config, lambda: Settlements(self.markets(config), self.calendar.moments)
        )

    def kept(self, what: str, config: RunConfig, make: Callable[[], Found]) -> Found:
        """Return what `make` gives, made once for all runs at one borrow rate."""
        return self._by_borrow_rate.get((what, config.borrow_rate_hourly), make)

    def costs(self, config: RunConfig) -> OrderCosts:
        """Return fees and fills of an account under `config`."""
        return OrderCosts(config, {name: rows.fees() for name, rows in self.data.exchanges.items()})

    def _market(self, config: RunConfig, hedge: Hedge, place: int, kind: LegKind) -> LegMarket:
        market, rows = hedge.legs[place], self.legs[hedge.name][place]
        held, given = rows.data, config.instrument
        rules = held.instrument if given is None else given.applied_to(held.instrument)
        return LegMarket(
            exchange=market.exchange,
            symbol=market.symbol,
            kind=kind,
            side=SHORT_SIDE if place else LONG_SIDE,
            contracts=rows.contracts,
            instrument=rules,
            leverage=config.borrow_leverage if kind.borrows else config.perp_leverage,
            maintenance=_maintenance(config, market, held, kind, rules),
            borrowing=held.recorded.borrow_rates(),
            borrow_rate=config.borrow_rate_hourly,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _LegRows:
    """Rows of the market of a leg, and its contracts."""

    data: SymbolData
    contracts: tuple[Contract, ...]


def covered_hedges(config: RunConfig, data: HedgeData) -> tuple[tuple[Hedge, ...], Mapping[str, Coverage]]:
    """Return the hedges that `config` names, and the coverage of its window by their markets.

    Raises: InsufficientDataError as `HedgeWindow.build` does.
    """
    spots = {key for key, pair in data.pairs.items() if len(pair.spot)}
    hedges = _hedges(config, data, spots)
    covered = hedge_coverage(hedges, data, config)
    if all(one.first_ms is None for one in covered.values()):
        raise InsufficientDataError.of(
            "start", f"no settlement is held from {iso(config.start)} to {iso(config.end)}"
        )
    return hedges, covered


def _hedges(config: RunConfig, data: HedgeData, spots: Collection[PairKey]) -> tuple[Hedge, ...]:
    """Return the hedges of a run, each with the spot market that there is of the two it may mean."""
    found = []
    for named in config.model_copy(update={"exchange": data.exchange}).hedges:
        spot, other = named.spot, spot_alternative(named)
        if spot is not None and other is not None and _pair(spot) not in spots and _pair(other) in spots:
            found.append(named.with_spot(other))
        else:
            found.append(named)
    return tuple(found)


def _pair(market: Market) -> PairKey:
    return market.exchange, market.pair


def _leg_rows(data: HedgeData, hedge: Hedge) -> tuple[_LegRows, _LegRows]:
    """Return the rows of both legs in units of the hedge: those of its perp, the short one of two."""
    units = _units(data, hedge)
    found: list[Any] = []
    for market, named in zip(hedge.legs, hedge.named_units, strict=True):
        held, is_perp = _held(data, market), market.kind != "spot"
        stems = {
            symbol: rows for (exchange, symbol), rows in data.pairs.items() if exchange == market.exchange
        }
        own_life = held.recorded.lives().get("perp" if is_perp else "spot")
        rows = MarketRows(held, stems, is_perp, own_life)
        found.append(_LegRows(held, contracts_of(rows, units, Decimal(named))))
    return found[0], found[1]


def _units(data: HedgeData, hedge: Hedge) -> Decimal:
    """Return the coins in one unit of a hedge: that of its perp, the short one of two, in its last epoch."""
    perp = 0 if hedge.short.kind == "spot" else 1
    life = _held(data, hedge.legs[perp]).recorded.lives().get("perp")
    recorded = None if life is None else life.epochs[-1].units
    return Decimal(hedge.named_units[perp]) if recorded is None else recorded


def _held(data: HedgeData, market: Market) -> SymbolData:
    held = data.pairs.get((market.exchange, market.pair))
    if held is None:
        raise InsufficientDataError.of("symbols", f"nothing of {market.symbol} is held for {market.exchange}")
    return held


def _maintenance(
    config: RunConfig, market: Market, held: SymbolData, kind: LegKind, rules: Instrument
) -> Maintenance:
    if kind.borrows:
        return FlatMaintenance(config.borrow_mmr)
    if config.margin_model == "flat" or not kind.is_perp:
        return FlatMaintenance(rules.mmr)
    given = None if config.instrument is None else config.instrument.margin_brackets
    history = held.recorded.brackets() if given is None else BracketHistory([DatedBrackets(0, given)])
    if not len(history):
        raise InsufficientDataError.of(
            "margin_model", f"no brackets of {market.symbol} are held for {market.exchange}"
        )
    return BracketMaintenance(history)
