"""Event loop of hedges: what happens between settlements, at them, and in which order.

Source: docs/domain.md, sections 3 to 6.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from bot.config.run_config import RunConfig
from bot.hedges.account import HedgeAccount
from bot.hedges.contracts import Record
from bot.hedges.costs import OrderCosts
from bot.hedges.exits import ExitRules, is_taken_up
from bot.hedges.margin_policies import MARGIN_POLICIES, MINUTE_MS, level_wallets
from bot.hedges.mark_tests import tested, wiped_out_at
from bot.hedges.markets import HedgeMarket, Pair
from bot.hedges.metrics import Observed
from bot.hedges.positions import Closing, OpenHedge, OpenLeg, WaitingEntry, lag_over
from bot.hedges.settlements import Settlement, Settlements
from bot.hedges.sizing import BuyingPower, EntrySizer
from bot.hedges.views import Decisions
from bot.hedges.wallets import Wallets
from bot.models import DAY_MS, HOUR_MS, CloseReason
from bot.numbers.money import ONE, ZERO, book


class HedgeTrader:
    """Trades the hedges of a run from event to event. Call inside `exact_products()`."""

    def __init__(
        self,
        config: RunConfig,
        markets: Sequence[HedgeMarket],
        settlements: Settlements,
        wallets: Wallets,
        costs: OrderCosts,
    ) -> None:
        self.config = config
        self.settlements = settlements
        self.markets = {market.name: market for market in markets}
        self.account = self.make_account(wallets, costs)
        self.observed = Observed(config.regime_high)
        self._max_age_ms = config.max_price_age_ms
        self._sizer = EntrySizer(config, costs)
        policy = MARGIN_POLICIES.get(config.margin_policy)
        self._policy = None if policy is None else policy(config, self.account, self._sizer)
        self.decisions = Decisions(config, markets, costs)
        self.exits = ExitRules(config, costs, self.decisions)
        self._stress = sorted(config.stress, key=lambda entry: entry.at)
        self.previous_ms: int | None = None
        self.decided = 0
        self.openings: dict[str, int] = {}
        self.closed_ms: dict[str, int] = {}
        self._ended: set[str] = set()

    def make_account(self, wallets: Wallets, costs: OrderCosts) -> HedgeAccount:
        """Return the account that it trades."""
        return HedgeAccount(wallets, costs)

    def on_event(self, t_ms: int, *, decides: bool = True) -> Decimal:
        """Go through an event in the order of the contract, and return the equity after it.

        Unless it `decides`, only that happens which needs no decision.
        """
        self._begin(t_ms)
        self._fill(t_ms)
        self._finish()
        if decides:
            settled = self._settled(t_ms)
            self._exit(t_ms, settled)
            self._finish()
            self._keep_margins(t_ms)
            self._finish()
            self._level(t_ms)
            self._enter(settled)
        return self._end(t_ms)

    def on_last_event(self, t_ms: int, reason: CloseReason = CloseReason.END) -> Decimal:
        """Go through the last event, which closes everything, and return the equity after it.

        It may come once more at the time of the event before, whose settlements are booked by then.
        """
        self._begin(t_ms)
        self._finish()
        self._close_everything(t_ms, reason)
        return self._end(t_ms)

    def _begin(self, t_ms: int) -> None:
        self._ended = set()
        self._interrupt(t_ms)
        if t_ms != self.previous_ms:
            self._settle(t_ms)

    def _end(self, t_ms: int) -> Decimal:
        self.observed.note_event(t_ms, self.account.hedges)
        self.previous_ms = t_ms
        return self.account.equity(t_ms)

    # --- 1. Interruptions -------------------------------------------------------------------------------

    def _interrupt(self, t_ms: int) -> None:
        """Go through the moments since the event before, up to this one."""
        now = self.previous_ms
        while now is not None and now < t_ms:
            now = self._next_moment(now, t_ms)
            self.charge_interest(now)
            self._liquidate(now)
            self._arrive(now)
            self._delist(now)
            self._stress_at(now)
            self._close_second_legs(now)
            if now < t_ms:
                self._fill(now)

    def _next_moment(self, now: int, t_ms: int) -> int:
        """Return the first moment after `now` at which something may happen, at the latest this event."""
        moving = self.account.wallets.under_way
        if moving is None and not (self.account.hedges or self.account.waiting):
            return t_ms
        moments: list[int | None] = [t_ms, *(entry.at for entry in self._stress)]
        if moving is not None:
            moments.append(moving.due_ms)
        for entry in self.account.waiting:
            moments += [entry.due_ms, entry.contracts.long.to_ms, entry.contracts.short.to_ms]
        for hedge in self.account.hedges:
            moments += [hedge.second_ms, hedge.closing.due_ms if hedge.closing else None]
            for leg in hedge.open_legs:
                moments += [leg.arrives_ms, leg.contract.to_ms]
                if leg.market.kind.borrows:
                    moments.append(self.next_interest(now))
                if leg.market.kind.is_margined:
                    moments.append(wiped_out_at(leg, t_ms))
        return min(moment for moment in moments if moment is not None and now < moment <= t_ms)

    def next_interest(self, now: int) -> int | None:
        """Return the moment after `now` at which interest is charged, None if nobody waits for it."""
        return now - now % HOUR_MS + HOUR_MS

    def charge_interest(self, now: int) -> None:
        """1a. Charge the hour that ends now."""
        if now % HOUR_MS:
            return
        for hedge in self.account.hedges:
            for leg in hedge.open_legs:
                if leg.market.kind.borrows and hedge.opened_ms < now:
                    self.account.charge_interest(hedge, leg, now, now - HOUR_MS)

    def _liquidate(self, now: int) -> None:
        """1b. Liquidate the legs that a mark candle wipes out; all are tested before any leaves."""
        wiped_out = []
        for hedge in self.account.hedges:
            for leg in hedge.open_legs:
                if leg.market.kind.is_margined:
                    extreme = tested(leg, now, self.observed)
                    if extreme is not None:
                        wiped_out.append((hedge, leg, extreme))
        for hedge, leg, extreme in wiped_out:
            self.account.liquidate(hedge, leg, now, extreme, self.config.liquidation_fee)
            self._follow(hedge, now, self.config.leg_out_delay_minutes)

    def _arrive(self, now: int) -> None:
        """1c. Let transfers arrive."""
        for hedge in self.account.hedges:
            for leg in hedge.open_legs:
                if leg.arrives_ms is not None and leg.arrives_ms <= now:
                    leg.margin += leg.incoming
                    leg.incoming, leg.arrives_ms = ZERO, None
        self.account.wallets.arrive(now)

    def _delist(self, now: int) -> None:
        """1d. Close the legs whose contract has ended; entries that wait for it lapse."""
        for hedge in self.account.hedges:
            ends = [leg for leg in hedge.open_legs if leg.contract.has_ended(now)]
            closes_whole = hedge.market.structure.is_inverse and hedge.long in ends
            for leg in ends:
                if leg.market.kind.is_perp:
                    price = leg.contract.settle_price
                    price = leg.contract.known_mark(now) if price is None else price
                    self.account.take_leg(hedge, leg, CloseReason.DELISTED, now, price, fee=True)
                elif not closes_whole:
                    self.account.close_leg(hedge, leg, CloseReason.DELISTED, now)
            if closes_whole:
                self.account.close(hedge, CloseReason.DELISTED, now)
            elif ends:
                self._follow(hedge, now, self.config.leg_out_delay_minutes)
        self.account.waiting = [
            entry
            for entry in self.account.waiting
            if not any(contract.has_ended(now) for contract in entry.contracts)
        ]

    def _stress_at(self, now: int) -> None:
        """1e. Let exchanges close the legs that stress entries name."""
        for entry in self._stress:
            if entry.at != now:
                continue
            for hedge in self.account.hedges:
                leg = hedge.long if entry.leg == "long" else hedge.short
                named = entry.symbol in (None, hedge.name)
                if not named or hedge.opened_ms >= now or not leg.is_open or not leg.market.kind.is_margined:
                    continue
                moved = ONE - leg.side * entry.adverse_bps.scaleb(-4)
                price = leg.contract.known_mark(now) * moved
                self.account.take_leg(hedge, leg, CloseReason.ADL, now, price, fee=False)
                delay = entry.delay_minutes
                self._follow(hedge, now, self.config.leg_out_delay_minutes if delay is None else delay)

    def _follow(self, hedge: OpenHedge, now: int, delay_minutes: int) -> None:
        """Let the other leg follow one that an exchange has taken; orders that wait for the hedge lapse."""
        hedge.closing = None
        left = hedge.open_legs
        if left and hedge.follows_ms is None:
            hedge.follows_ms = now + delay_minutes * MINUTE_MS
            trades = left[0].contract.trades
            hedge.second_ms = trades.first_from(hedge.follows_ms) if delay_minutes else now

    def _close_second_legs(self, now: int) -> None:
        """1f. Close the legs that are due to follow."""
        for hedge in self.account.hedges:
            if hedge.second_ms is not None and hedge.second_ms <= now and hedge.reason is not None:
                for leg in hedge.open_legs:
                    self.account.close_leg(hedge, leg, hedge.reason, now)

    # --- 2. Funding -------------------------------------------------------------------------------------

    def _settle(self, t_ms: int) -> None:
        for hedge in self.account.hedges:
            for leg in hedge.open_legs:
                record = leg.contract.record_at(t_ms) if leg.market.kind.is_perp else None
                if record is not None:
                    self.book_funding(hedge, leg, record, t_ms)

    def book_funding(self, hedge: OpenHedge, leg: OpenLeg, record: Record, t_ms: int) -> None:
        """Book a settlement of an open leg."""
        amount = self.account.settle(hedge, leg, record, t_ms)
        self.observed.note_funding(amount, hedge.market.carry(hedge.pair, t_ms, however_old=True))

    # --- 3. Fills, exits, margin ------------------------------------------------------------------------

    def _fill(self, now: int) -> None:
        """3a. Fill the orders due: closings, then openings, in order of decision."""
        due = [hedge for hedge in self.account.hedges if hedge.closing and hedge.closing.due_ms == now]
        for hedge in sorted(due, key=_decided):
            if hedge.closing is not None:
                self.account.close(hedge, hedge.closing.reason, now)
        for entry in [entry for entry in self.account.waiting if entry.due_ms == now]:
            self.account.waiting.remove(entry)
            if not any(contract.has_ended(now) for contract in entry.contracts):
                self._open(entry.market, entry.contracts, entry.quantity, now)

    def _settled(self, t_ms: int) -> dict[str, Settlement]:
        """Return the hedges that settle with fresh prices and a carry, by name."""
        settlements, most_ms = self.settlements.at(t_ms), self._max_age_ms
        self.decisions.observe(settlements)
        return {one.name: one for one in settlements if one.decides(most_ms)}

    def _exit(self, t_ms: int, settled: dict[str, Settlement]) -> None:
        """3b. Decide exits of whole hedges."""
        for hedge in tuple(self.account.hedges):
            if not self._decides(hedge, t_ms):
                continue
            reason = self.exit_reason(hedge, t_ms, settled)
            if reason is None:
                continue
            if self.config.fill_lag_candles:
                due_ms = lag_over(hedge.pair, t_ms, self.config.fill_lag_candles)
                hedge.closing = Closing(reason, t_ms, due_ms, self._next_decision())
            else:
                self.account.close(hedge, reason, t_ms)

    def exit_reason(
        self, hedge: OpenHedge, t_ms: int, settled: Mapping[str, Settlement]
    ) -> CloseReason | None:
        """Return why a whole hedge with fresh prices is left at an event, None if it stays."""
        return self.exits.reason(hedge, t_ms, settled.get(hedge.name))

    def _decides(self, hedge: OpenHedge, t_ms: int) -> bool:
        """Return whether a hedge is whole, does not wait to close, and has fresh prices."""
        if not hedge.is_whole or hedge.closing is not None:
            return False
        return all(leg.contract.is_fresh(t_ms, self._max_age_ms) for leg in hedge.legs)

    def _keep_margins(self, t_ms: int) -> None:
        """3c. Apply the margin policy to legs whose maintenance takes up the trigger."""
        if self._policy is None:
            return
        for hedge in tuple(self.account.hedges):
            for leg in hedge.legs:
                if not leg.market.kind.is_margined or not self._decides(hedge, t_ms):
                    continue
                if is_taken_up(leg, t_ms, self.config.margin_trigger):
                    self._policy.keep(hedge, leg, t_ms)

    def _level(self, t_ms: int) -> None:
        """3d. Move cash from the wallet with the largest excess to that with the smallest."""
        level_wallets(self.config, self.account, t_ms)

    # --- 4. Entries -------------------------------------------------------------------------------------

    def _enter(self, settled: dict[str, Settlement]) -> None:
        if not settled or self.slots_left() <= 0:
            return
        held = self.account.names
        promising = self.decisions.promising(settled.values())
        candidates = [one for one in promising if one.name not in held and self._may_enter(one)]
        for one, fraction in self.decisions.entries(candidates):
            if self.slots_left() <= 0:
                break
            if not self.is_taken(one.name):
                self._try(self.markets[one.name], one, fraction)

    def slots_left(self) -> int:
        """Return how many more hedges may be open or waiting."""
        taken = len(self.account.hedges) + len(self.account.waiting)
        return self.config.max_simultaneous_positions - taken

    def _may_enter(self, one: Settlement) -> bool:
        """Return whether a hedge that is not held is a candidate."""
        config, name, t_ms = self.config, one.name, one.t_ms
        if name in self._ended:
            return False
        closed_ms = self.closed_ms.get(name)
        if closed_ms is not None and t_ms - closed_ms < config.cooldown_hours * HOUR_MS:
            return False
        if config.max_round_trips is not None and self.openings.get(name, 0) >= config.max_round_trips:
            return False
        young = config.min_contract_age_days * DAY_MS
        return t_ms - one.begun_ms >= young and not one.end_announced

    def is_taken(self, name: str) -> bool:
        """Return whether an open or waiting hedge uses a market of a hedge that is for one at a time."""
        held = [hedge.market for hedge in self.account.hedges] + [
            entry.market for entry in self.account.waiting
        ]
        taken = {leg.key for other in held for leg in other.legs if leg.is_exclusive}
        return any(leg.key in taken for leg in self.markets[name].legs if leg.is_exclusive)

    def _try(self, market: HedgeMarket, one: Settlement, fraction: Decimal) -> None:
        account, t_ms = self.account, one.t_ms
        config = self.config
        base = config.initial_capital if config.sizing_base == "initial" else account.equity(t_ms)
        power = BuyingPower(base, account.free(), account.exposure(t_ms))
        size = self._sizer.size(market, one.pair, fraction, power, t_ms)
        if not size.quantity or not account.has_contract(market, one.pair, size.quantity, t_ms):
            self.observed.skipped_entries += 1
            return
        self.observed.note_entry(size.capacity, capped=size.is_capped)
        if not config.fill_lag_candles:
            self._open(market, one.pair, size.quantity, t_ms)
            return
        reserved = tuple(book(unit.times(size.quantity)) for unit in size.units)
        due_ms, number = lag_over(one.pair, t_ms, config.fill_lag_candles), self._next_decision()
        entry = WaitingEntry(market, one.pair, size.quantity, reserved, t_ms, due_ms, number)
        account.waiting.append(entry)

    def _open(self, market: HedgeMarket, pair: Pair, quantity: Decimal, t_ms: int) -> None:
        if not self.account.has_contract(market, pair, quantity, t_ms):
            return
        self.account.open(market, pair, quantity, t_ms)
        self.openings[market.name] = self.openings.get(market.name, 0) + 1

    # --- Shared -----------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """List the trades of hedges that are over."""
        for trade in self.account.finish():
            self._ended.add(trade.symbol)
            self.closed_ms[trade.symbol] = trade.closed_at_ms

    def _close_everything(self, t_ms: int, reason: CloseReason) -> None:
        """Close what is open at the last event; waiting openings lapse, and transfers arrive."""
        self.account.waiting = []
        self.account.wallets.arrive()
        for hedge in self.account.hedges:
            if hedge.is_whole:
                decided = reason if hedge.closing is None else hedge.closing.reason
                self.account.close(hedge, decided, t_ms)
            elif hedge.reason is not None:
                for leg in hedge.open_legs:
                    self.account.close_leg(hedge, leg, hedge.reason, t_ms)
        self._finish()

    def _next_decision(self) -> int:
        self.decided += 1
        return self.decided


def _decided(hedge: OpenHedge) -> int:
    return 0 if hedge.closing is None else hedge.closing.number
