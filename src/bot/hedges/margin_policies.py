"""Policies that keep the margin of open hedges: none, top-ups, reductions; and levelling of wallets.

Source: docs/domain.md, section 6.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.config.run_config import RunConfig
from bot.hedges.account import HedgeAccount
from bot.hedges.arithmetic import divide, multiple_below
from bot.hedges.positions import OpenHedge, OpenLeg, reference_place
from bot.hedges.sizing import EntrySizer
from bot.models import CloseReason
from bot.numbers.money import ZERO, book

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class MarginPolicy(ABC):
    """Policy for legs whose maintenance takes up the trigger. Call it inside `exact_products()`."""

    config: RunConfig
    account: HedgeAccount
    sizer: EntrySizer

    @abstractmethod
    def keep(self, hedge: OpenHedge, leg: OpenLeg, t_ms: int) -> None:
        """Act for a leg of a whole hedge."""


class TopUp(MarginPolicy):
    """Moves free cash to the margin, or spare coins of an inverse hedge, unless something is on its way."""

    def keep(self, hedge: OpenHedge, leg: OpenLeg, t_ms: int) -> None:
        """Bring a leg back to its leverage at the mark, as far as there is something to move."""
        if leg.arrives_ms is not None:
            return
        fee, kind, leverage = self.config.transfer_fee, leg.market.kind, leg.market.leverage
        mark, free = leg.contract.known_mark(t_ms), self.account.free()[leg.market.exchange]
        if kind.in_coins:
            if free < fee:
                return
            gain = divide(leg.contracts * -leg.side * (leg.entry - mark), mark * leg.entry)
            needed = book(divide(leg.contracts, mark * leverage) - leg.margin - gain)
            amount = min(needed, hedge.coins - leg.margin)
        else:
            balance = leg.margin + leg.quantity * leg.side * (mark - leg.entry)
            amount = min(book(divide(leg.quantity * mark, leverage) - balance), free - fee)
        if amount > 0:
            delay_ms = self.config.transfer_delay_minutes * MINUTE_MS
            self.account.top_up(hedge, leg, amount, fee, t_ms, delay_ms)


class Rebalance(MarginPolicy):
    """Reduces both legs until the margin of the one carries its leverage; inverse hedges are left alone."""

    def keep(self, hedge: OpenHedge, leg: OpenLeg, t_ms: int) -> None:
        """Reduce a hedge, or close it where what is left could not be opened."""
        if leg.market.kind.in_coins:
            return
        mark, leverage = leg.contract.known_mark(t_ms), leg.market.leverage
        # m + q'*(P_entry - M) >= q'*M/lev, or mirrored: the margin must carry each unit's loss and margin.
        # Both are times the leverage.
        each, margin = mark - leg.side * (mark - leg.entry) * leverage, leg.margin * leverage
        if each <= 0 or margin >= leg.quantity * each:
            return
        quantity = multiple_below(margin, each, hedge.market.qty_step)
        reference = hedge.legs[reference_place(hedge.market)].contract.known_price(t_ms)
        if self.sizer.is_tradable(hedge.market, quantity, reference):
            self.account.reduce(hedge, quantity, leg, t_ms)
        else:
            self.account.close(hedge, CloseReason.MARGIN, t_ms)


MARGIN_POLICIES: Mapping[str, Callable[[RunConfig, HedgeAccount, EntrySizer], MarginPolicy]] = {
    "top_up": TopUp,
    "rebalance": Rebalance,
}
"""Policy of each value of `margin_policy` that acts."""


def level_wallets(config: RunConfig, account: HedgeAccount, t_ms: int) -> None:
    """Move cash from the wallet with the largest excess, if past the trigger, to that with the smallest."""
    trigger, wallets, fee = config.wallet_trigger, account.wallets, config.transfer_fee
    if trigger is None or len(wallets.exchanges) < 2 or wallets.under_way is not None:
        return
    equities = account.equities(t_ms)
    total = sum(equities.values(), ZERO)
    excess = {name: equities[name] - wallets.shares[name] * total for name in wallets.exchanges}
    source = max(wallets.exchanges, key=excess.__getitem__)
    target = min(wallets.exchanges, key=excess.__getitem__)
    if excess[source] <= trigger * total:
        return
    amount = min(book(min(excess[source], -excess[target])), account.free()[source] - fee)
    if amount > 0:
        delay_ms = config.transfer_delay_minutes * MINUTE_MS
        account.level(source, target, amount, fee, t_ms, delay_ms)
