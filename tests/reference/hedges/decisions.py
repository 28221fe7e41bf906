"""Decisions at an event: exits, margin policy, levelling of wallets and entries."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from tests.reference.hedges.account import WalletTransfer
from tests.reference.hedges.contracts import Contract
from tests.reference.hedges.desk import Desk
from tests.reference.hedges.hedge import Hedge
from tests.reference.hedges.held import Held, HeldLeg, Waiting
from tests.reference.hedges.interruptions import is_wiped_out
from tests.reference.hedges.margins import maintenance
from tests.reference.hedges.metrics import Notes
from tests.reference.hedges.parameters import DAY_MS, HOUR_MS, MINUTE_MS
from tests.reference.hedges.signals import Candidate, Contracts, premium_of
from tests.reference.hedges.sizing import Size, reference_price
from tests.reference.naive_numbers import book, divide

ZERO = Fraction(0)


class Decisions:
    """Decides at every event but the last."""

    def __init__(self, hedges: Sequence[Hedge], desk: Desk, notes: Notes) -> None:
        self._hedges, self._desk, self._notes = hedges, desk, notes
        self._parameters, self._account = desk.parameters, desk.account
        self._lag = int(desk.parameters["fill_lag_candles"])

    def decide(self, t: int, listed: int) -> None:
        """Decide at `t`, where the trades after the first `listed` ended since the previous event."""
        for held in list(self._account.held):
            if held.is_deciding and self._is_fresh(_contracts(held), t):
                self._exit(held, t)
        self._desk.list_ended()
        if self._parameters["margin_policy"] != "none":
            for held in list(self._account.held):
                if held.is_deciding and self._is_fresh(_contracts(held), t):
                    self._keep_margins(held, t)
        self._desk.list_ended()
        self._level_wallets(t)
        self._enter(t, {trade.held.hedge.name for trade in self._desk.trades[listed:]})

    def _is_fresh(self, contracts: Contracts, t: int) -> bool:
        oldest = self._parameters["max_price_age_hours"] * HOUR_MS
        return all(contract.is_fresh(t, oldest) for contract in contracts)

    def _due(self, contracts: Contracts, t: int) -> int | None:
        moments = [contract.trades.nth_close_after(t, self._lag) for contract in contracts]
        known = [moment for moment in moments if moment is not None]
        return max(known) if len(known) == len(moments) else None

    # Exits

    def _exit(self, held: Held, t: int) -> None:
        is_signal = self._signal_holds(held, t)
        reason = (
            "margin"
            if self._is_short_of_margin(held, t)
            else "distance"
            if self._is_near_liquidation(held, t)
            else "basis"
            if self._basis_has_grown(held, t)
            else "delisting"
            if self._end_is_announced(held, t)
            else "signal"
            if is_signal
            else None
        )
        if reason is None:
            return
        if self._lag:
            held.close_reason, held.close_due = reason, self._due(_contracts(held), t)
        else:
            self._desk.close(held, t, reason)

    def _signal_holds(self, held: Held, t: int) -> bool:
        """Tell whether the strategy wants out and patience is at its end; count confirmations."""
        contracts, signals = _contracts(held), self._desk.signals
        carry = signals.carry(held.hedge, contracts, t)
        if not _settles(contracts, t) or carry is None:
            return False
        wants_out = signals.wants_out(held.hedge, contracts, t, carry)
        held.confirmations = held.confirmations + 1 if wants_out else 0
        return bool(
            held.confirmations >= self._parameters["exit_confirmations"]
            and t >= held.opened_at + self._parameters["min_hold_hours"] * HOUR_MS
        )

    def _is_short_of_margin(self, held: Held, t: int) -> bool:
        limit = self._parameters["margin_exit_ratio"]
        return any(self._uses_margin(held, leg, t, limit) for leg in held.legs)

    def _uses_margin(self, held: Held, leg: HeldLeg, t: int, limit: Fraction) -> bool:
        """Tell whether maintenance is at least `limit` of the balance of a margined leg at its mark."""
        if not leg.leg.is_margined:
            return False
        price = leg.contract.mark(t)
        balance = held.balance(leg, price)
        asked = maintenance(self._desk.margins.brackets(leg.leg, t), held.notional(leg, price))
        return balance <= 0 or asked >= limit * balance

    def _is_near_liquidation(self, held: Held, t: int) -> bool:
        distance = self._parameters["exit_liquidation_distance"]
        return distance is not None and any(
            is_wiped_out(self._desk, held, leg, leg.contract.mark(t) * (1 - leg.leg.sign * distance), t)
            for leg in held.legs
            if leg.leg.is_margined
        )

    def _basis_has_grown(self, held: Held, t: int) -> bool:
        limit = self._parameters["basis_exit"]
        return limit is not None and premium_of(_contracts(held), t) - held.premium >= limit

    def _end_is_announced(self, held: Held, t: int) -> bool:
        return self._parameters["exit_on_announcement"] and any(
            contract.end_is_announced(t) for contract in _contracts(held)
        )

    # Margin policy and wallets

    def _keep_margins(self, held: Held, t: int) -> None:
        for leg in held.legs:
            if leg.is_open and self._uses_margin(held, leg, t, self._parameters["margin_trigger"]):
                if self._parameters["margin_policy"] == "top_up":
                    self._top_up(held, leg, t)
                elif not held.hedge.is_inverse:
                    self._rebalance(held, leg, t)

    def _top_up(self, held: Held, leg: HeldLeg, t: int) -> None:
        if leg.under_way:
            return
        price, leverage = leg.contract.mark(t), self._desk.margins.leverage(leg.leg)
        free, fee = self._account.free(leg.leg.exchange), self._parameters["transfer_fee"]
        wanted = book(divide(held.notional(leg, price), leverage) - held.balance(leg, price))
        if leg.leg.kind == "inverse":
            amount = min(wanted, held.coins - leg.margin) if free >= fee else ZERO
        else:
            amount = min(wanted, free - fee)
        if amount <= 0:
            return
        self._account.cash[leg.leg.exchange] -= fee
        held.transfer_cost += fee
        held.top_ups += 1
        delay = self._parameters["transfer_delay_minutes"]
        if delay:
            leg.under_way.append((t + int(delay * MINUTE_MS), amount))
        else:
            leg.margin += amount

    def _rebalance(self, held: Held, leg: HeldLeg, t: int) -> None:
        price, leverage = leg.contract.mark(t), self._desk.margins.leverage(leg.leg)
        # What a unit is to have, less its gain: what it asks of the margin.
        asked = price / leverage - leg.leg.sign * (price - leg.entry)
        if leg.margin >= held.quantity * asked:
            return
        step = self._parameters.instrument["qty_step"]
        left = floor(leg.margin / asked / step) * step
        if self._desk.sizing.is_too_small(held.hedge, _contracts(held), left, t):
            self._desk.close(held, t, "margin")
        else:
            self._desk.reduce(held, leg, left, t)

    def _level_wallets(self, t: int) -> None:
        trigger, account = self._parameters["wallet_trigger"], self._account
        if trigger is None or len(account.cash) < 2 or account.transfers:
            return
        equities = {name: account.wallet_equity(name, t) for name in account.cash}
        whole = sum(equities.values(), ZERO)
        excess = {name: equities[name] - account.shares[name] * whole for name in equities}
        giver, taker = max(excess, key=lambda name: excess[name]), min(excess, key=lambda name: excess[name])
        if excess[giver] <= trigger * whole:
            return
        fee, delay = self._parameters["transfer_fee"], self._parameters["transfer_delay_minutes"]
        amount = min(book(min(excess[giver], -excess[taker])), account.free(giver) - fee)
        if amount <= 0:
            return
        account.cash[giver] -= amount + fee
        self._notes.levelling_fees += fee
        if delay:
            account.transfers.append(WalletTransfer(t + int(delay * MINUTE_MS), taker, amount))
        else:
            account.cash[taker] += amount

    # Entries

    def _enter(self, t: int, ended: set[str]) -> None:
        account, slots = self._account, self._parameters["max_simultaneous_positions"]
        for candidate in self._candidates(t, ended):
            if len(account.held) + len(account.waiting) >= slots:
                return
            if self._uses_taken_market(candidate.hedge):
                continue
            size = self._desk.sizing.size(candidate, t)
            if self._cannot_be_opened(candidate, size, t):
                self._notes.skipped += 1
            else:
                self._order(candidate, size, t)

    def _candidates(self, t: int, ended: set[str]) -> list[Candidate]:
        found = []
        for hedge in self._hedges:
            long, short = (leg.contract_at(t) for leg in hedge.legs)
            if long is None or short is None:
                continue
            contracts = (long, short)
            if not _settles(contracts, t) or not self._is_fresh(contracts, t):
                continue
            if hedge.name in ended or self._is_barred(hedge, t) or self._has_unfit_contract(contracts, t):
                continue
            candidate = self._desk.signals.candidate(hedge, contracts, t)
            found += [] if candidate is None else [candidate]
        return sorted(found, key=lambda candidate: (-candidate.rank, candidate.hedge.name))

    def _is_barred(self, hedge: Hedge, t: int) -> bool:
        parameters, account = self._parameters, self._account
        taken = [held.hedge for held in account.held] + [entry.hedge for entry in account.waiting]
        closed = [trade.closed_at for trade in self._desk.trades if trade.held.hedge.name == hedge.name]
        most, opened = parameters["max_round_trips"], self._desk.times_opened(hedge)
        return (
            hedge in taken
            or (most is not None and opened >= most)
            or (bool(closed) and t < max(closed) + parameters["cooldown_hours"] * HOUR_MS)
        )

    def _has_unfit_contract(self, contracts: Contracts, t: int) -> bool:
        youngest = self._parameters["min_contract_age_days"] * DAY_MS
        return any(contract.age_ms(t) < youngest or contract.end_is_announced(t) for contract in contracts)

    def _uses_taken_market(self, hedge: Hedge) -> bool:
        def places(of: Hedge) -> set[tuple[str, str]]:
            return {leg.place for leg in of.legs if leg.kind != "spot"}

        held = [held.hedge for held in self._account.held]
        waiting = [entry.hedge for entry in self._account.waiting]
        return any(places(hedge) & places(other) for other in held + waiting)

    def _cannot_be_opened(self, candidate: Candidate, size: Size, t: int) -> bool:
        hedge, contracts, sizing = candidate.hedge, candidate.contracts, self._desk.sizing
        if sizing.is_too_small(hedge, contracts, size.quantity, t):
            return True
        if not hedge.is_inverse:
            return False
        made = self._desk.orders.is_made("short", None)
        fill = self._desk.orders.price(contracts[1], t, size.quantity, buys=False, made=made)
        return sizing.contracts_for(size.quantity, fill) == 0

    def _order(self, candidate: Candidate, size: Size, t: int) -> None:
        hedge, contracts = candidate.hedge, candidate.contracts
        if self._parameters["max_participation"] is not None:
            share = self._desk.sizing.participation(contracts, t)
            self._notes.capacities.append(book(share * reference_price(hedge, contracts, t)))
        self._notes.capped += size.is_capped
        reserved = tuple(
            (leg.exchange, book(size.quantity * unit))
            for leg, unit in zip(hedge.legs, size.units, strict=True)
        )
        due = self._due(contracts, t) if self._lag else t
        entry = Waiting(hedge, contracts, size.quantity, due, reserved)
        if self._lag:
            self._account.waiting.append(entry)
        else:
            self._desk.open(entry, t)


def _contracts(held: Held) -> tuple[Contract, Contract]:
    return held.long.contract, held.short.contract


def _settles(contracts: Contracts, t: int) -> bool:
    return any(t in contract.settled_at for contract in contracts)
