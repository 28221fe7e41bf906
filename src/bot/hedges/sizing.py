"""Size of an entry: the largest quantity that budget, wallets, caps, volume and lenders allow, exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from bot.config.run_config import RunConfig
from bot.hedges.arithmetic import divide, multiple_below
from bot.hedges.costs import OrderCosts
from bot.hedges.markets import HedgeMarket, LegMarket, Pair
from bot.hedges.positions import reference_place
from bot.numbers.money import ONE, ZERO


class BuyingPower(NamedTuple):
    """Buying power for an entry: base of its budget, free cash by exchange, and exposure so far."""

    base: Decimal
    free: Mapping[str, Decimal]
    exposure: Decimal


class Unit(NamedTuple):
    """Amount that one unit of a leg ties up, exactly: `amount` divided by `over`, which is above 0."""

    amount: Decimal
    over: Decimal

    def plus(self, other: "Unit") -> "Unit":
        """Return the sum of both."""
        return Unit(self.amount * other.over + other.amount * self.over, self.over * other.over)

    def times(self, quantity: Decimal) -> Decimal:
        """Return what a quantity ties up, to 40 digits."""
        return divide(quantity * self.amount, self.over)


class Size(NamedTuple):
    """Quantity of an entry, 0 for none; `units` is what one unit of each leg ties up.

    `is_capped` says that participation in volume alone made it smaller; `capacity` is the notional that
    participation allows, None without such a limit.
    """

    quantity: Decimal
    units: tuple[Unit, Unit]
    is_capped: bool
    capacity: Decimal | None


@dataclass(frozen=True, slots=True)
class EntrySizer:
    """Finds the size of entries under the parameters of a run. Call inside `exact_products()`.

    Source: docs/domain.md, section 4.
    """

    config: RunConfig
    costs: OrderCosts

    def size(self, market: HedgeMarket, pair: Pair, fraction: Decimal, power: BuyingPower, t_ms: int) -> Size:
        """Return the size of an entry at `t_ms` with a share of a slot."""
        prices = pair.long.known_price(t_ms), pair.short.known_price(t_ms)
        units = self._unit(market.long, prices[0], t_ms), self._unit(market.short, prices[1], t_ms)
        step, most = market.qty_step, self.config.max_participation
        limits = self._limits(market, prices, units, fraction, power, t_ms)
        without = max(min(multiple_below(amount, by, step) for amount, by in limits), ZERO)
        quantity, capacity = without, None
        reference = prices[reference_place(market)]
        if most is not None:
            volume = min(contract.day_volume(t_ms) for contract in pair)
            quantity = min(without, multiple_below(most * volume, ONE, step))
            capacity = most * volume * reference
        if not self.is_tradable(market, quantity, reference):
            quantity = ZERO
        return Size(quantity, units, quantity < without, capacity)

    def is_tradable(self, market: HedgeMarket, quantity: Decimal, reference: Decimal) -> bool:
        """Return whether exchanges would take an order of a quantity."""
        return 0 < quantity >= market.min_qty and quantity * reference >= market.min_notional

    def _limits(
        self,
        market: HedgeMarket,
        prices: tuple[Decimal, Decimal],
        units: tuple[Unit, Unit],
        fraction: Decimal,
        power: BuyingPower,
        t_ms: int,
    ) -> list[tuple[Decimal, Decimal]]:
        """Return the largest quantity by each limit but that of volume, as an amount and what divides it."""
        config, reference = self.config, prices[reference_place(market)]
        budget = power.base * config.allocation * fraction
        limits = []
        by_wallet: dict[str, Unit] = {}
        for leg, unit in zip(market.legs, units, strict=True):
            known = by_wallet.get(leg.exchange)
            by_wallet[leg.exchange] = unit if known is None else known.plus(unit)
        both = units[0].plus(units[1])
        shared = Unit(both.amount * config.max_simultaneous_positions, both.over)
        for unit, amount in [(shared, budget)] + [
            (unit, power.free[exchange]) for exchange, unit in by_wallet.items()
        ]:
            if unit.amount > 0:
                limits.append((amount * unit.over, unit.amount))
            elif amount < 0 or not limits:  # rebates above what a hedge ties up: no quantity is the largest
                limits.append((ZERO, ONE))
        if config.max_position_size is not None:
            limits.append((config.max_position_size, reference))
        if config.max_portfolio_exposure is not None:
            limits.append((config.max_portfolio_exposure - power.exposure, reference))
        for leg, price in zip(market.legs, prices, strict=True):
            most = leg.most_borrowed(t_ms)
            if most is not None:
                limits.append((most, ONE))
            cap = (
                leg.maintenance.cap(leg.leverage, t_ms)
                if leg.kind.is_perp and not leg.kind.in_coins
                else None
            )
            if cap is not None:
                limits.append((cap, price))
        return limits

    def _unit(self, leg: LegMarket, price: Decimal, t_ms: int) -> Unit:
        fill = price * (ONE + leg.side * self.costs.assumed_adverse(leg))
        fee = self.costs.fee_rate(leg, t_ms, maker=self.costs.opens_as_maker(leg))
        return Unit(leg.kind.unit(fill, fee, leg.leverage), leg.leverage)
