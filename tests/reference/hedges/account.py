"""Money of a run: a wallet for each exchange, hedges and waiting entries that tie it up, and transfers."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.reference.hedges.hedge import Hedge
from tests.reference.hedges.held import Held, HeldLeg, Waiting
from tests.reference.hedges.parameters import Parameters
from tests.reference.naive_numbers import book

ZERO = Fraction(0)


@dataclass(frozen=True)
class WalletTransfer:
    """Money under way to a wallet."""

    due: int
    exchange: str
    amount: Fraction


class Account:
    """Wallets, open hedges in order of opening, waiting entries in order of decision."""

    def __init__(self, parameters: Parameters, hedges: Sequence[Hedge]) -> None:
        exchanges = list(dict.fromkeys(leg.exchange for hedge in hedges for leg in hedge.legs))
        capital = parameters["initial_capital"]
        shares = parameters.capital_shares
        self.shares = {
            name: Fraction(1, len(exchanges)) if shares is None else shares[name] for name in exchanges
        }
        self.cash = {name: book(capital * share) for name, share in self.shares.items()}
        self.cash[exchanges[-1]] = capital - sum((self.cash[name] for name in exchanges[:-1]), ZERO)
        self.held: list[Held] = []
        self.waiting: list[Waiting] = []
        self.transfers: list[WalletTransfer] = []

    def locked(self, exchange: str) -> Fraction:
        """Return what open legs lock in a wallet, margins with what is on its way to them."""
        total = ZERO
        for held in self.held:
            for leg in held.open_legs:
                if leg.leg.exchange == exchange and leg.leg.kind in ("linear", "borrowed"):
                    total += leg.all_margin()
                    if leg.leg.kind == "borrowed":
                        total += book(held.quantity * leg.entry)
        return total

    def free(self, exchange: str) -> Fraction:
        """Return what a wallet may spend."""
        reserved = sum(
            (amount for entry in self.waiting for place, amount in entry.reserved if place == exchange), ZERO
        )
        return self.cash[exchange] - self.locked(exchange) - reserved

    def worth(self, exchange: str, t: int) -> Fraction:
        """Return what the legs of a wallet are worth at the newest closed prices."""
        total = ZERO
        for held in self.held:
            if held.hedge.is_inverse:
                total += _worth_of_coins(held, t) if held.long.leg.exchange == exchange else ZERO
                continue
            for leg in held.open_legs:
                if leg.leg.exchange == exchange:
                    total += _worth(held, leg, t)
        return total

    def wallet_equity(self, exchange: str, t: int) -> Fraction:
        """Return cash of a wallet plus what its legs are worth."""
        return self.cash[exchange] + self.worth(exchange, t)

    def equity(self, t: int) -> Fraction:
        """Return what all is worth, with transfers between wallets under way."""
        return sum((self.wallet_equity(name, t) for name in self.cash), ZERO) + sum(
            (transfer.amount for transfer in self.transfers), ZERO
        )

    def tied(self) -> Fraction:
        """Return the capital that open hedges tie up: spot at its entry, margins, collateral."""
        total = ZERO
        for held in self.held:
            for leg in held.open_legs:
                if leg.leg.kind == "spot":
                    total += book(held.quantity * leg.entry)
                elif leg.leg.kind != "inverse":
                    total += leg.all_margin()
        return total

    def margin_used(self, t: int) -> Fraction:
        """Return the sum of all margins in quote."""
        total = ZERO
        for held in self.held:
            for leg in held.open_legs:
                if leg.leg.kind == "inverse":
                    total += book(leg.all_margin() * held.long.contract.known_price(t))
                elif leg.leg.is_margined:
                    total += leg.all_margin()
        return total


def _worth(held: Held, leg: HeldLeg, t: int) -> Fraction:
    price = leg.contract.known_price(t)
    if leg.leg.kind == "linear":
        return held.gain(leg, price)
    return leg.leg.sign * book(held.quantity * price)


def _worth_of_coins(held: Held, t: int) -> Fraction:
    coins = held.coins
    if held.short.is_open:
        coins += held.gain(held.short, held.short.contract.known_price(t))
    return book(coins * held.long.contract.known_price(t))
