"""Wallets of an account: cash by exchange, and transfers between them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from bot.numbers.money import ONE, ZERO, book


class WalletTransfer(NamedTuple):
    """Cash that has left one wallet and reaches `target` at `due_ms`."""

    due_ms: int
    target: str
    amount: Decimal


class Wallets:
    """Cash of each exchange of a run, quote currency; `cash` may be spent in place.

    Source: docs/domain.md, sections 2 and 6.
    """

    def __init__(
        self, exchanges: Sequence[str], capital: Decimal, shares: Mapping[str, Decimal] | None
    ) -> None:
        """Divide the capital by shares, equally without any; the last wallet starts with the rest."""
        self.exchanges = tuple(exchanges)
        equal = ONE / len(self.exchanges)
        self.shares = dict.fromkeys(self.exchanges, equal) if shares is None else dict(shares)
        self.cash: dict[str, Decimal] = {}
        for exchange in self.exchanges[:-1]:
            share = capital / len(self.exchanges) if shares is None else capital * shares[exchange]
            self.cash[exchange] = book(share)
        self.cash[self.exchanges[-1]] = capital - sum(self.cash.values(), ZERO)
        self.under_way: WalletTransfer | None = None
        self.transfer_fees = ZERO

    @property
    def total(self) -> Decimal:
        """Return all cash, that under way included."""
        moving = ZERO if self.under_way is None else self.under_way.amount
        return sum(self.cash.values(), moving)

    def send(self, source: str, target: str, amount: Decimal, fee: Decimal, due_ms: int) -> None:
        """Move cash from one wallet to another, where it arrives at `due_ms`."""
        self.cash[source] -= amount + fee
        self.transfer_fees += fee
        self.under_way = WalletTransfer(due_ms, target, amount)

    def divide_as(self, others: "Wallets", free: Mapping[str, Decimal]) -> None:
        """Divide free cash by exchange as `others` do theirs, without a fee; what is locked stays.

        Exchanges that are not among theirs keep wallets, for what is still held there.
        """
        self.exchanges, self.shares = others.exchanges, others.shares
        self.cash = dict.fromkeys(self.exchanges, ZERO) | self.cash
        left = total = sum(free.values(), ZERO)
        for name, amount in free.items():
            self.cash[name] -= amount
        for name in self.exchanges[:-1]:
            share = book(total * self.shares[name])
            self.cash[name] += share
            left -= share
        self.cash[self.exchanges[-1]] += left

    def arrive(self, t_ms: int | None = None) -> None:
        """Let a transfer arrive that is due by `t_ms`, or whenever it is due."""
        moving = self.under_way
        if moving is not None and (t_ms is None or moving.due_ms <= t_ms):
            self.cash[moving.target] += moving.amount
            self.under_way = None
