"""Strategy of a run over hedges: asked about settlements, once for each perp leg."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.accounting.fees import FeeModel
from bot.accounting.trading_costs import TradingCosts
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.hedges.costs import OrderCosts
from bot.hedges.markets import HedgeMarket
from bot.hedges.settlements import Settlement
from bot.models import Leg
from bot.numbers.money import exact
from bot.strategies.gates import Gate

if TYPE_CHECKING:
    from bot.strategies.strategy import Strategy


class _HedgeFees(FeeModel):
    """Fee rates of one hedge: its long leg stands as spot, its short leg as perp."""

    def __init__(self, costs: OrderCosts, markets: dict[str, HedgeMarket], name: str | None = None) -> None:
        self._costs = costs
        self._markets = markets
        self._name = name

    def of(self, symbol: str) -> "_HedgeFees":
        """Return the fees of a hedge by its name."""
        return type(self)(self._costs, self._markets, symbol)

    def rate(self, leg: Leg, *, maker: bool, t_ms: int) -> Decimal:
        """Return the rate of a fill of the long (spot) or the short (perp) leg."""
        market = self._markets[self._name or next(iter(self._markets))]
        return self._costs.fee_rate(market.long if leg is Leg.SPOT else market.short, t_ms, maker=maker)


class _RecordedHedgeFees(_HedgeFees):
    """Fee rates of one hedge by recorded schedules."""

    varies = True


class Decisions:
    """Strategy of a run over hedges: it sees the long leg as spot, the short leg as perp, the carry as rate.

    Source: docs/domain.md, section 5.
    """

    def __init__(self, config: RunConfig, markets: Sequence[HedgeMarket], costs: OrderCosts) -> None:
        strategy: Strategy = strategy_plugin(config.strategy_mode).build(config)
        by_name = {market.name: market for market in markets}
        fees = _RecordedHedgeFees if config.fee_model == "recorded" else _HedgeFees
        strategy.at_costs(TradingCosts(fees(costs, by_name), config.costs.fills, config.style))
        self._strategy = strategy

    @property
    def remembers(self) -> bool:
        """True if the strategy has to be shown every settlement."""
        return self._strategy.remembers

    @property
    def entry_floor(self) -> Decimal | None:
        """The rate per 8 hours below which no hedge is worth entering, None if any may be."""
        return self._strategy.entry_floor

    def observe(self, settlements: Iterable[Settlement]) -> None:
        """Show the strategy what it has not seen of the history of the contracts that settle."""
        if not self._strategy.remembers:
            return
        with exact():
            for one in settlements:
                if one.begins:
                    self._strategy.forget(one.name)
                for funding in one.observed:
                    self._strategy.observe(funding)

    def wants_exit(self, settlement: Settlement) -> bool:
        """Return whether an open hedge should be closed."""
        view = settlement.views[0]
        with exact():
            return self._strategy.wants_exit(view)

    def first_exit(self, settlements: Iterable[Settlement | None]) -> int | None:
        """Return the place of the first one at which an open hedge should be closed, None without one."""
        wants_exit = self._strategy.wants_exit
        with exact():
            for place, one in enumerate(settlements):
                if one is not None and wants_exit(one.views[0]):
                    return place
        return None

    def may_enter(self, settlement: Settlement) -> bool:
        """Return False for a hedge that `entries` leaves out."""
        with exact():
            return all(map(self._strategy.may_enter, settlement.views))

    def figures(self, settlement: Settlement) -> Mapping[str, Decimal | bool]:
        """Return what the strategy decides by, by name."""
        view = settlement.views[0]
        with exact():
            return self._strategy.figures(view)

    def blocking_gate(self, settlement: Settlement) -> Gate | None:
        """Return the first condition that keeps a hedge out at either perp leg, None if it is wanted."""
        views = settlement.views
        with exact():
            for view in views:
                gate = self._strategy.blocking_gate(view)
                if gate is not None:
                    return gate
            wanted = all(self._strategy.entries((view,)) for view in views)
        return None if wanted else Gate("strategy")

    def promising(self, settlements: Iterable[Settlement]) -> list[Settlement]:
        """Return the settlements that the strategy has to be shown for an entry."""
        floor = self._strategy.entry_floor
        return [one for one in settlements if one.pays(floor)]

    def entries(self, settlements: Iterable[Settlement]) -> list[tuple[Settlement, Decimal]]:
        """Return the hedges worth entering, best first, each with its share of a slot.

        Of a hedge with two perps each must pass as far as volumes are concerned.
        """
        by_name = {one.name: one for one in settlements}
        if not by_name:
            return []
        views = [one.views for one in by_name.values()]
        with exact():
            chosen = self._strategy.entries([view[0] for view in views])
            if not chosen:
                return []
            others = [view[1] for view in views if len(view) > 1]
            both = self._strategy.entries(others) if others else chosen
        passing = {entry.view.funding.symbol for entry in both}
        return [
            (by_name[entry.view.funding.symbol], entry.fraction)
            for entry in chosen
            if entry.view.funding.symbol in passing
        ]
