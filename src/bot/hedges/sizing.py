"""Size of an entry: the largest quantity that budget, wallets, caps, volume and lenders allow, exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from bot.config.run_config import RunConfig
from bot.hedges.arithmetic import multiple_below
from bot.hedges.costs import OrderCosts
from bot.hedges.markets import HedgeMarket, LegMarket, Pair
from bot.hedges.positions import reference_place
from bot.numbers.money import ZERO


class Means(NamedTuple):
    """Means of an account for an entry: base of its budget, free cash by exchange, and exposure so far."""

    base: Decimal
    free: Mapping[str, Decimal]
    exposure: Decimal


class Size(NamedTuple):
    """Quantity of an entry, 0 for none; `units` is what one unit of each leg ties up.

    `is_capped` says that participation in volume alone made it smaller; `capacity` is the notional that
    participation allows, None without such a limit.
    """

    quantity: Decimal
    units: tuple[Fraction, Fraction]
    is_capped: bool
    capacity: Decimal | None


@dataclass(frozen=True, slots=True)
class EntrySizer:
    """Finds the size of entries under the parameters of a run. Call inside `exact_products()`.

    Source: docs/domain.md, section 4.
    """

    config: RunConfig
    costs: OrderCosts

    def size(self, market: HedgeMarket, pair: Pair, fraction: Decimal, means: Means, t_ms: int) -> Size:
        """Return the size of an entry at `t_ms` with a share of a slot."""
        prices = pair.long.known_price(t_ms), pair.short.known_price(t_ms)
        units = tuple(self._unit(leg, price, t_ms) for leg, price in zip(market.legs, prices, strict=True))
        limits = self._limits(market, prices, units, fraction, means, t_ms)
        step, most = market.qty_step, self.config.max_participation
        without = max(multiple_below(min(limits), step), ZERO)
        quantity, capacity = without, None
        reference = prices[reference_place(market)]
        if most is not None:
            volume = min(contract.day_volume(t_ms) for contract in pair)
            quantity = min(without, multiple_below(Fraction(most * volume), step))
            capacity = most * volume * reference
        if not self.is_tradable(market, quantity, reference):
            quantity = ZERO
        return Size(quantity, (units[0], units[1]), quantity < without, capacity)

    def is_tradable(self, market: HedgeMarket, quantity: Decimal, reference: Decimal) -> bool:
        """Return whether exchanges would take an order of a quantity."""
        return 0 < quantity >= market.min_qty and quantity * reference >= market.min_notional

    def _limits(
        self,
        market: HedgeMarket,
        prices: tuple[Decimal, Decimal],
        units: tuple[Fraction, ...],
        fraction: Decimal,
        means: Means,
        t_ms: int,
    ) -> list[Fraction]:
        """Return the largest quantity by each limit but that of volume."""
        config, reference = self.config, Fraction(prices[reference_place(market)])
        slots = Fraction(config.max_simultaneous_positions)
        budget = Fraction(means.base * config.allocation * fraction) / slots
        limits = []
        by_wallet: dict[str, Fraction] = {}
        for leg, unit in zip(market.legs, units, strict=True):
            by_wallet[leg.exchange] = by_wallet.get(leg.exchange, Fraction(0)) + unit
        for unit, amount in [(sum(units, Fraction(0)), budget)] + [
            (unit, Fraction(means.free[exchange])) for exchange, unit in by_wallet.items()
        ]:
            if unit > 0:
                limits.append(amount / unit)
            elif amount < 0 or not limits:  # rebates above what a hedge ties up: no quantity is the largest
                limits.append(Fraction(0))
        if config.max_position_size is not None:
            limits.append(Fraction(config.max_position_size) / reference)
        if config.max_portfolio_exposure is not None:
            limits.append(Fraction(config.max_portfolio_exposure - means.exposure) / reference)
        for leg, price in zip(market.legs, prices, strict=True):
            most = leg.most_borrowed(t_ms)
            if most is not None:
                limits.append(Fraction(most))
            cap = (
                leg.maintenance.cap(leg.leverage, t_ms)
                if leg.kind.is_perp and not leg.kind.in_coins
                else None
            )
            if cap is not None:
                limits.append(Fraction(cap) / Fraction(price))
        return limits

    def _unit(self, leg: LegMarket, price: Decimal, t_ms: int) -> Fraction:
        adverse = self.costs.assumed_adverse(leg)
        fill = Fraction(price) * (1 + Fraction(leg.side * adverse))
        fee = self.costs.fee_rate(leg, t_ms, maker=self.costs.opens_as_maker(leg))
        return leg.kind.unit(leg.side, fill, Fraction(fee), Fraction(leg.leverage))
