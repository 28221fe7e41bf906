"""Attribution of a run's net P&L: parts that sum to it to the last digit."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bot.accounting import formulas
from bot.accounting.cash_flows import CASH_FLOWS
from bot.accounting.trading_costs import TradingCosts
from bot.models import CloseReason, Leg, Trade, closing_order, opening_order
from bot.numbers.money import ZERO, exact
from bot.statistics.metrics import money_units, settlements_to_break_even


@dataclass(frozen=True, slots=True)
class Attribution:
    """Signed parts of a net P&L, quote currency: `net_pnl` is their exact sum.

    `basis` is what the legs gained on each other at the last prices, `slippage` what the fills lost
    against those prices. A perp leg that was liquidated counts under `liquidations`: its lost margin
    and what the spot leg gained beside it. A contract that ends is settled without slippage.

    Of hedges `liquidations` and `adl` are what both legs gained where an exchange took one that way, after
    slippage, `liquidation_fees` apart. `impact` is what the size of orders added to slippage, `coins` what
    coins paid and received gained in worth until they were sold, `borrow_cost` interest, `transfer_cost`
    fees of moving margin and cash.
    """

    funding: Decimal = ZERO
    fees: Decimal = ZERO
    basis: Decimal = ZERO
    slippage: Decimal = ZERO
    liquidations: Decimal = ZERO
    impact: Decimal = ZERO
    adl: Decimal = ZERO
    liquidation_fees: Decimal = ZERO
    coins: Decimal = ZERO
    borrow_cost: Decimal = ZERO
    transfer_cost: Decimal = ZERO

    @property
    def net_pnl(self) -> Decimal:
        """The sum of the parts. Ask inside `exact()`."""
        return sum((getattr(self, name) for name in self.__slots__), ZERO)

    def __add__(self, other: "Attribution") -> "Attribution":
        return Attribution(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


NOTHING = Attribution()
"""Parts of nothing."""


def attribute(trades: Iterable[Trade], costs: TradingCosts) -> Attribution:
    """Return the parts of the net P&L of `trades`, filled at `costs`. Call inside `exact()`."""
    return sum((_parts(trade, costs) for trade in trades), NOTHING)


def break_even_settlements(parts: Attribution, trades: int, payments: int) -> float | None:
    """Return the number of average settlements that repay an average trade of a run, fees and slippage.

    The break-even of `pair_figures.funding` with what was really paid and received. None without trades, or
    where the average settlement earned nothing.
    """
    with exact():
        cost = money_units(-parts.fees - parts.slippage)
    return settlements_to_break_even(cost, trades, money_units(parts.funding), payments)


def _parts(trade: Trade, costs: TradingCosts) -> Attribution:
    quantity, sides, style = trade.quantity, trade.structure, costs.style

    def entered(leg: Leg, price: Decimal) -> Decimal:
        return costs.fills.last_price(opening_order(sides.side(leg)), price, maker=style.opens(leg))

    def left(leg: Leg, price: Decimal) -> Decimal:
        maker = style.closes(leg, trade.reason)
        return costs.fills.last_price(closing_order(sides.side(leg)), price, maker=maker)

    spot_in, spot_out = entered(Leg.SPOT, trade.spot_entry), left(Leg.SPOT, trade.spot_exit)
    spot = _gain(sides.spot, quantity, spot_in, spot_out)
    if trade.perp_exit is None:
        slippage = _gain(sides.spot, quantity, trade.spot_entry, trade.spot_exit) - spot
        return _with_flows(trade, ZERO, slippage, trade.price_pnl - slippage)
    perp_in = entered(Leg.PERP, trade.perp_entry)
    delisted = trade.reason is CloseReason.DELISTED
    perp_out = trade.perp_exit if delisted else left(Leg.PERP, trade.perp_exit)
    basis = spot + formulas.leg_pnl(sides.perp, quantity, perp_in, perp_out)
    return _with_flows(trade, basis, trade.price_pnl - basis, ZERO)


def _with_flows(trade: Trade, basis: Decimal, slippage: Decimal, liquidations: Decimal) -> Attribution:
    flows = {flow.name: flow.sign * getattr(trade, flow.name) for flow in CASH_FLOWS}
    return Attribution(**flows, fees=-trade.fees, basis=basis, slippage=slippage, liquidations=liquidations)


def _gain(side: Decimal, quantity: Decimal, entry: Decimal, price: Decimal) -> Decimal:
    """Return the gain of a spot leg from `entry` to `price`."""
    return formulas.spot_pnl(side, quantity, formulas.notional(quantity, entry), price)
