"""State of an account of hedges as it is written down after every event, and read before the next."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from bot.hedges.contracts import Contract
from bot.hedges.markets import LegMarket, Pair
from bot.hedges.metrics import Observed
from bot.hedges.positions import Closing, HeldPerp, OpenHedge, OpenLeg, WaitingEntry, lag_over
from bot.hedges.trader import HedgeTrader
from bot.hedges.wallets import WalletTransfer
from bot.hedges.window import HedgeWindow
from bot.models import DAY_MS, CloseReason
from bot.numbers.money import ZERO, plain
from bot.paper.hedges.series import series_of
from bot.paper.session_store import LATEST_SETTLEMENT_MS
from bot.timestamps import iso

_TIER_MS = 30 * DAY_MS
_HEDGE = (
    *("number", "opened_ms", "quantity", "prices", "coins", "flow", "funding", "fees", "borrow_cost"),
    *("transfer_cost", "payments", "top_ups", "reductions", "signals", "reason", "follows_ms"),
)
_OBSERVED = (
    *("by_regime", "max_margin_used", "capacity", "skipped_entries", "capped_entries", "events_in_market"),
    *("first_ms", "last_ms", "tied", "tied_time"),
)


class SavedLeg(NamedTuple):
    """Leg of an open hedge, with the fields of `OpenLeg`; its contract is that of the opening."""

    quantity: Decimal
    entry: Decimal
    margin: Decimal
    incoming: Decimal
    contracts: Decimal
    pnl: Decimal
    tested_ms: int
    arrives_ms: int | None
    exit: Decimal | None
    left_ms: int | None


class SavedClosing(NamedTuple):
    """Order to close a hedge that waits to be filled."""

    reason: CloseReason
    decided_ms: int
    number: int


class SavedHedge(NamedTuple):
    """Open hedge, with the fields of `OpenHedge`."""

    name: str
    long: SavedLeg
    short: SavedLeg
    closing: SavedClosing | None
    number: int
    opened_ms: int
    quantity: Decimal
    prices: tuple[Decimal, Decimal]
    coins: Decimal
    flow: Decimal
    funding: Decimal
    fees: Decimal
    borrow_cost: Decimal
    transfer_cost: Decimal
    payments: int
    top_ups: int
    reductions: int
    signals: int
    reason: CloseReason | None
    follows_ms: int | None


class SavedEntry(NamedTuple):
    """Order to open a hedge that waits to be filled; its contracts are those of the decision."""

    name: str
    quantity: Decimal
    reserved: tuple[Decimal, ...]
    decided_ms: int
    number: int


class SavedPerp(NamedTuple):
    """Perp leg that has left: settlements in (opened_ms, until_ms] were due to it."""

    name: str
    is_short: bool
    opened_ms: int
    until_ms: int


class SavedFills(NamedTuple):
    """Fills that count towards the fee tier of a kind of market on an exchange: times and notionals."""

    exchange: str
    market: str
    fills: tuple[tuple[int, Decimal], ...]


class SavedFigures(NamedTuple):
    """Observations of the session so far, with the fields of `Observed`; `least_distance` is a ratio."""

    by_regime: dict[str, Decimal]
    max_margin_used: Decimal
    capacity: Decimal | None
    skipped_entries: int
    capped_entries: int
    events_in_market: int
    first_ms: int | None
    last_ms: int
    tied: Decimal
    tied_time: Decimal
    least_distance: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class HedgesState:
    """State after the event at `t_ms`, -1 before the first. Money is quote currency.

    `cash` is by exchange, `transfer` cash that is under way between two. `openings` counts those of each
    hedge, `closed_ms` is when each last ended. `held` are perp legs that have left of late: `missed_lately`
    settlements that were due to them were not told, and `missed` to those of before. `settled` are the
    newest settlements known of each market, by the name of its series. `units` are the coins in one unit of
    each hedge.
    """

    t_ms: int = -1
    cash: dict[str, Decimal] = field(default_factory=dict)
    transfer: WalletTransfer | None = None
    transfer_fees: Decimal = ZERO
    hedges: tuple[SavedHedge, ...] = ()
    waiting: tuple[SavedEntry, ...] = ()
    opened: int = 0
    decided: int = 0
    openings: dict[str, int] = field(default_factory=dict)
    closed_ms: dict[str, int] = field(default_factory=dict)
    fills: tuple[SavedFills, ...] = ()
    figures: SavedFigures | None = None
    held: tuple[SavedPerp, ...] = ()
    missed: int = 0
    missed_lately: int = 0
    settled: dict[str, list[int]] = field(default_factory=dict)
    units: dict[str, Decimal] = field(default_factory=dict)

    def under_way(self) -> Iterator[str]:
        """Yield what is waited for, in words."""
        if self.transfer is not None:
            amount, target = plain(self.transfer.amount), self.transfer.target
            yield f"{amount} on its way to {target}, there at {iso(self.transfer.due_ms)}"
        for entry in self.waiting:
            yield f"entry of {entry.name} decided at {iso(entry.decided_ms)}"
        for hedge in self.hedges:
            if hedge.closing is not None:
                reason, decided_ms, _ = hedge.closing
                yield f"closing of {hedge.name} ({reason.value}) decided at {iso(decided_ms)}"
            for side, leg in (("long", hedge.long), ("short", hedge.short)):
                if leg.left_ms is not None and hedge.reason is not None:
                    yield f"{side} leg of {hedge.name} gone ({hedge.reason.value}), the other one follows"
                elif leg.arrives_ms is not None:
                    at = iso(leg.arrives_ms)
                    yield f"{plain(leg.incoming)} on its way to the {side} leg of {hedge.name}, there at {at}"

    @property
    def open_names(self) -> tuple[str, ...]:
        """Names of the hedges that are open, in order of opening."""
        return tuple(hedge.name for hedge in self.hedges)


_STATE = TypeAdapter(HedgesState)


def state_text(state: HedgesState) -> str:
    """Return a state as JSON text, exact numbers as text."""
    return _STATE.dump_json(state).decode()


def state_of_text(text: str) -> HedgesState:
    """Return the state that `state_text` gave."""
    return _STATE.validate_json(text)


def state_of(trader: HedgeTrader, window: HedgeWindow, before: HedgesState, t_ms: int) -> HedgesState:
    """Return the state of a trader after the event at `t_ms` of a window, which is its only one."""
    account = trader.account
    fills = tuple(
        SavedFills(*key, tuple(fill for fill in fills if fill[0] >= t_ms - _TIER_MS))
        for key, fills in sorted(account.costs.fills.items())
    )
    held = (*before.held, *_held(trader))
    recent = tuple(one for one in held if one.until_ms > t_ms - LATEST_SETTLEMENT_MS)
    older = [one for one in held if one.until_ms <= t_ms - LATEST_SETTLEMENT_MS]
    return HedgesState(
        t_ms=t_ms,
        cash=dict(account.wallets.cash),
        transfer=account.wallets.under_way,
        transfer_fees=account.wallets.transfer_fees,
        hedges=tuple(map(_saved_hedge, account.hedges)),
        waiting=tuple(map(_saved_entry, account.waiting)),
        opened=account.opened,
        decided=trader.decided,
        openings=dict(trader.openings),
        closed_ms=dict(trader.closed_ms),
        fills=fills,
        figures=_figures(trader.observed),
        held=recent,
        missed=before.missed + _missed(trader, window, older, t_ms),
        missed_lately=_missed(trader, window, recent, t_ms),
        settled=_settled(trader, t_ms),
        units=window.units,
    )


def restore(trader: HedgeTrader, state: HedgesState) -> None:
    """Give a new trader the state after an event; orders are due by the candles known now."""
    if state.t_ms < 0:
        return
    account = trader.account
    account.wallets.cash.update(state.cash)
    account.wallets.under_way = state.transfer
    account.wallets.transfer_fees = state.transfer_fees
    account.hedges = [_hedge(trader, saved, state.t_ms) for saved in state.hedges]
    account.waiting = [_entry(trader, saved, state.t_ms) for saved in state.waiting]
    account.opened = state.opened
    trader.previous_ms, trader.decided = state.t_ms, state.decided
    trader.openings, trader.closed_ms = dict(state.openings), dict(state.closed_ms)
    for saved in state.fills:
        trader.account.costs.fills[saved.exchange, saved.market] = list(saved.fills)
    if state.figures is not None:
        _observe(trader.observed, state.figures)


def _missed(trader: HedgeTrader, window: HedgeWindow, held: Iterable[SavedPerp], t_ms: int) -> int:
    """Return how many settlements were due to perp legs that have left, and were not told by `t_ms`."""
    perps = (
        HeldPerp(
            _contract(trader.markets[one.name].legs[one.is_short], one.opened_ms),
            one.opened_ms,
            one.until_ms,
        )
        for one in held
    )
    return window.missed_settlements(perps, t_ms)


def _settled(trader: HedgeTrader, t_ms: int) -> dict[str, list[int]]:
    """Return the times of the settlements known of late, by the series of their market."""
    since_ms = t_ms - LATEST_SETTLEMENT_MS
    return {
        series_of(leg): sorted(
            at_ms for contract in leg.contracts for at_ms in contract.settled_ms if since_ms < at_ms <= t_ms
        )
        for market in trader.markets.values()
        for leg in market.perps
    }


def _saved_hedge(hedge: OpenHedge) -> SavedHedge:
    closing = hedge.closing
    return SavedHedge(
        hedge.name,
        _saved_leg(hedge.long),
        _saved_leg(hedge.short),
        None if closing is None else SavedClosing(closing.reason, closing.decided_ms, closing.number),
        **{name: getattr(hedge, name) for name in _HEDGE},
    )


def _saved_leg(leg: OpenLeg) -> SavedLeg:
    return SavedLeg(**{name: getattr(leg, name) for name in SavedLeg._fields})


def _saved_entry(entry: WaitingEntry) -> SavedEntry:
    facts = entry.quantity, entry.reserved, entry.decided_ms, entry.number
    return SavedEntry(entry.market.name, *facts)


def _held(trader: HedgeTrader) -> Iterator[SavedPerp]:
    """Yield the perp legs that have left in the event of a trader."""
    legs = {
        id(contract): (market.name, place == 1)
        for market in trader.markets.values()
        for place, leg in enumerate(market.legs)
        for contract in leg.contracts
    }
    for contract, opened_ms, until_ms in trader.account.held_perps:
        yield SavedPerp(*legs[id(contract)], opened_ms, until_ms)


def _hedge(trader: HedgeTrader, saved: SavedHedge, t_ms: int) -> OpenHedge:
    market = trader.markets[saved.name]
    legs = [
        _leg(leg, own, saved.opened_ms)
        for leg, own in zip(market.legs, (saved.long, saved.short), strict=True)
    ]
    hedge = OpenHedge(
        market=market,
        long=legs[0],
        short=legs[1],
        **{name: getattr(saved, name) for name in _HEDGE},
    )
    closing, left = saved.closing, hedge.open_legs
    if closing is not None:
        due_ms = lag_over(hedge.pair, closing.decided_ms, trader.config.fill_lag_candles)
        hedge.closing = Closing(closing.reason, closing.decided_ms, _not_before(due_ms, t_ms), closing.number)
    if saved.follows_ms is not None and left:
        hedge.second_ms = _not_before(left[0].contract.trades.first_from(saved.follows_ms), t_ms)
    return hedge


def _leg(leg: LegMarket, saved: SavedLeg, opened_ms: int) -> OpenLeg:
    return OpenLeg(side=leg.side, market=leg, contract=_contract(leg, opened_ms), **saved._asdict())


def _contract(leg: LegMarket, t_ms: int) -> Contract:
    """Return the contract of a leg at a time at which it had one; rows of before then may be forgotten."""
    begun = [contract for contract in leg.contracts if contract.from_ms <= t_ms]
    return begun[-1] if begun else leg.contracts[0]


def _entry(trader: HedgeTrader, saved: SavedEntry, t_ms: int) -> WaitingEntry:
    market = trader.markets[saved.name]
    pair = Pair(*(_contract(leg, saved.decided_ms) for leg in market.legs))
    due_ms = _not_before(lag_over(pair, saved.decided_ms, trader.config.fill_lag_candles), t_ms)
    facts = saved.quantity, saved.reserved, saved.decided_ms, due_ms, saved.number
    return WaitingEntry(market, pair, *facts)


def _not_before(due_ms: int | None, t_ms: int) -> int | None:
    """Return when an order falls due: after the event at `t_ms`, even if its candle was known only then."""
    return None if due_ms is None else max(due_ms, t_ms + 1)


def _figures(observed: Observed) -> SavedFigures:
    least = observed.least_distance
    values: dict[str, Any] = {name: getattr(observed, name) for name in _OBSERVED}
    ratio = None if least is None else (least.numerator, least.denominator)
    return SavedFigures(**{**values, "by_regime": dict(observed.by_regime)}, least_distance=ratio)


def observed_of(figures: SavedFigures, regime_high: Decimal) -> Observed:
    """Return the observations of a session."""
    observed = Observed(regime_high)
    _observe(observed, figures)
    return observed


def _observe(observed: Observed, figures: SavedFigures) -> None:
    for name in _OBSERVED:
        setattr(observed, name, getattr(figures, name))
    observed.by_regime = dict(figures.by_regime)
    least = figures.least_distance
    observed.least_distance = None if least is None else Fraction(*least)
