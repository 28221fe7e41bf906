"""Window of hedges: what all runs of the same hedges over the same days share."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
from bot.market.hedge_data import HedgeData
from bot.market.hedge_names import Hedge, Market, spot_alternative
from bot.market.records.bracket_history import BracketHistory, DatedBrackets
from bot.market.series import SymbolData
from bot.memo import Memo
from bot.models import Instrument
from bot.statistics.metrics import Calendar
from bot.timestamps import iso

_MOST_BY_RATE = 8
"""Carries and settlements that a window keeps: those of four borrow rates."""


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
    _missing: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def build(cls, config: RunConfig, data: HedgeData) -> Self:
        """Return the window that `config` asks for, from data that end no later than it does.

        Raises: InsufficientDataError naming a market of which nothing is held, or too little.
        """
        hedges, covered = covered_hedges(config, data)
        with exact_products():
            legs = {hedge.name: _leg_rows(data, hedge) for hedge in hedges}
        times = {
            t_ms
            for hedge in hedges
            for market, rows in zip(hedge.legs, legs[hedge.name], strict=True)
            if market.kind != "spot"
            for contract in rows.contracts
            for t_ms in contract.settled_ms
            if config.start <= t_ms <= config.end
        }
        return cls(data, hedges, legs, Calendar.of(sorted(times)), covered)

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
            due = self._missing.get(id(contract))
            if due is None:
                due = self._missing[id(contract)] = contract.missing_settlements(end_ms)
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
        carries: dict[str, Carries] = self._by_borrow_rate.get(("carries", config.borrow_rate_hourly), dict)
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
        return self._by_borrow_rate.get(
            ("settlements", config.borrow_rate_hourly),
            lambda: Settlements(self.markets(config), self.calendar.moments),
        )

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
    hedges = tuple(_held_hedges(config, data))
    covered = hedge_coverage(hedges, data, config)
    if all(one.first_ms is None for one in covered.values()):
        raise InsufficientDataError.of(
            "start", f"no settlement is held from {iso(config.start)} to {iso(config.end)}"
        )
    return hedges, covered


def _held_hedges(config: RunConfig, data: HedgeData) -> list[Hedge]:
    """Return the hedges of a run, each with the spot market that is held of the two it may mean."""
    found = []
    for named in config.model_copy(update={"exchange": data.exchange}).hedges:
        spot, other = named.spot, spot_alternative(named)
        if spot is not None and other is not None and not _has_spot(data, spot) and _has_spot(data, other):
            found.append(named.with_spot(other))
        else:
            found.append(named)
    return found


def _has_spot(data: HedgeData, market: Market) -> bool:
    held = data.pairs.get((market.exchange, market.pair))
    return held is not None and len(held.spot) > 0


def _leg_rows(data: HedgeData, hedge: Hedge) -> tuple[_LegRows, _LegRows]:
    """Return the rows of both legs in units of the hedge: those of its perp, the short one of two."""
    perp = 0 if hedge.short.kind == "spot" else 1
    life = _held(data, hedge.legs[perp]).recorded.lives().get("perp")
    recorded = None if life is None else life.epochs[-1].units
    units = Decimal(hedge.named_units[perp]) if recorded is None else recorded
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
