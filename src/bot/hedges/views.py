"""Views of settling hedges as strategies are handed them, and the strategy asked about each perp leg."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from bot.accounting.fees import FeeModel
from bot.accounting.trading_costs import TradingCosts
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.hedges.arithmetic import decimal_of
from bot.hedges.contracts import Contract
from bot.hedges.costs import OrderCosts
from bot.hedges.markets import Carry, HedgeMarket, Pair
from bot.models import FundingRate, Instrument, Leg, SettlementView, Ticker
from bot.numbers.money import exact

if TYPE_CHECKING:
    from bot.strategies.strategy import Strategy


class Settled(NamedTuple):
    """A hedge that settles with fresh prices and a carry, at `t_ms`."""

    market: HedgeMarket
    pair: Pair
    carry: Carry
    t_ms: int


class _Volumes(NamedTuple):
    """Volumes of a contract as of a moment."""

    contract: Contract
    t_ms: int

    def base_volume(self, newest: int, skip: int) -> Decimal | None:
        """Return the volume of `newest` closed candles before the `skip` newest, None if fewer."""
        return self.contract.base_volume(self.t_ms, newest, skip)


class _HedgeFees(FeeModel):
    """Fee rates of one hedge: its long leg stands as spot, its short leg as perp."""

    varies = True

    def __init__(self, costs: OrderCosts, markets: dict[str, HedgeMarket], name: str | None = None) -> None:
        self._costs = costs
        self._markets = markets
        self._name = name

    def of(self, symbol: str) -> "_HedgeFees":
        """Return the fees of a hedge by its name."""
        return _HedgeFees(self._costs, self._markets, symbol)

    def rate(self, leg: Leg, *, maker: bool, t_ms: int) -> Decimal:
        """Return the rate of a fill of the long (spot) or the short (perp) leg."""
        market = self._markets[self._name or next(iter(self._markets))]
        return self._costs.fee_rate(market.long if leg is Leg.SPOT else market.short, t_ms, maker=maker)


class Decisions:
    """Strategy of a run over hedges: it sees the long leg as spot, the short leg as perp, the carry as rate.

    Source: docs/domain.md, section 5.
    """

    def __init__(self, config: RunConfig, markets: Sequence[HedgeMarket], costs: OrderCosts) -> None:
        strategy: Strategy = strategy_plugin(config.strategy_mode).build(config)
        by_name = {market.name: market for market in markets}
        strategy.at_costs(TradingCosts(_HedgeFees(costs, by_name), config.costs.fills, config.style))
        self._strategy = strategy
        self._seen: dict[str, tuple[Pair, int]] = {}

    def observe(self, market: HedgeMarket, t_ms: int) -> None:
        """Show the strategy every settlement of the contracts traded now that it has not seen."""
        if not self._strategy.remembers:
            return
        pair = market.contracts_at(t_ms)
        if pair is None:
            return
        known, seen_ms = self._seen.get(market.name, (None, 0))
        if known is None or not _is_same_history(market, known, pair):
            self._strategy.forget(market.name)
            seen_ms = -1
        for at_ms in market.settled_until(pair, seen_ms, t_ms):
            carry = market.carry(pair, at_ms)
            if carry is not None:
                with exact():
                    self._strategy.observe(_funding(market.name, carry, at_ms))
        self._seen[market.name] = pair, t_ms

    def wants_exit(self, settled: Settled) -> bool:
        """Return whether an open hedge should be closed."""
        with exact():
            return self._strategy.wants_exit(_views(settled)[0])

    def entries(self, settled: Sequence[Settled]) -> list[tuple[Settled, Decimal]]:
        """Return the hedges worth entering, best first, each with its share of a slot.

        Of a hedge with two perps each must pass as far as volumes are concerned.
        """
        if not settled:
            return []
        by_name = {one.market.name: one for one in settled}
        views = [_views(one) for one in settled]
        with exact():
            chosen = self._strategy.entries([view[0] for view in views])
            others = [view[1] for view in views if len(view) > 1]
            both = self._strategy.entries(others) if others else chosen
        passing = {entry.view.funding.symbol for entry in both}
        return [
            (by_name[entry.view.funding.symbol], entry.fraction)
            for entry in chosen
            if entry.view.funding.symbol in passing
        ]


def _is_same_history(market: HedgeMarket, known: Pair, pair: Pair) -> bool:
    """Return whether the perp legs still trade the same contracts: the history is theirs."""
    return all(
        before is now for leg, before, now in zip(market.legs, known, pair, strict=True) if leg.kind.is_perp
    )


def _funding(name: str, carry: Carry, t_ms: int) -> FundingRate:
    return FundingRate(name, t_ms, decimal_of(carry.rate), carry.interval_hours, None, carry.rate_8h)


def _views(settled: Settled) -> list[SettlementView]:
    """Return the view of a hedge with the volumes of each of its perp legs."""
    market, pair, t_ms = settled.market, settled.pair, settled.t_ms
    long, short = pair.long.known_price(t_ms), pair.short.known_price(t_ms)
    funding = _funding(market.name, settled.carry, t_ms)
    rules = Instrument(spot_active=market.spot_active)
    found = []
    for leg, contract in zip(market.legs, pair, strict=True):
        if leg.kind.is_perp:
            volume = contract.day_turnover(t_ms)
            prices = long, short, contract.mark(t_ms)
            ticker = Ticker(market.name, t_ms, *prices, fresh=True, volume_24h=volume)
            found.append(SettlementView(funding, ticker, rules, _Volumes(contract, t_ms)))
    return found
