"""Stitched run of hedges: one account over many days whose parameters change at seams.

Source: docs/domain.md, section 12.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from bot.backtest.result import Curve
from bot.backtest.stitched import Seam, StitchedFacts, in_force
from bot.config.run_config import RunConfig
from bot.hedges.arithmetic import exact_products
from bot.hedges.engine import Books, hedge_trader, metrics_of
from bot.hedges.markets import HedgeMarket, Pair
from bot.hedges.positions import HedgeTrade, OpenHedge, OpenLeg
from bot.hedges.result import hedge_trade_document
from bot.hedges.settlements import Settlement
from bot.hedges.trader import HedgeTrader
from bot.hedges.window import HedgeWindow
from bot.models import CloseReason, FundingPayment
from bot.numbers.money import ZERO
from bot.statistics.hedge_metrics import HedgeMetrics
from bot.statistics.metrics import Calendar, amount_units, packed
from bot.statistics.run_metrics import Metrics

HedgeWindowOf = Callable[[RunConfig], HedgeWindow]


@dataclass(frozen=True, slots=True)
class HedgeStage:
    """Parameters in force from event `first` of a run on; the window has the hedges that they trade."""

    config: RunConfig
    window: HedgeWindow
    first: int


@dataclass(frozen=True, eq=False)
class StitchedHedges(StitchedFacts):
    """A finished run of hedges whose parameters changed on the way; before its first stage it was cash."""

    stages: tuple[HedgeStage, ...]
    metrics: Metrics
    hedge_metrics: HedgeMetrics
    trades: tuple[HedgeTrade, ...]
    payments: tuple[FundingPayment, ...]
    curve: Curve

    def metrics_document(self) -> dict[str, Any]:
        """Return its metrics, those of hedges included, as JSON values."""
        return {**self.metrics.document(), **self.hedge_metrics.document()}

    def trade_document(self, trade: HedgeTrade) -> dict[str, Any]:
        """Return one of its trades as in the result document."""
        return hedge_trade_document(trade)


def stitch_hedges(start_ms: int, seams: Sequence[Seam], window_of: HedgeWindowOf) -> StitchedHedges:
    """Return the run from `start_ms` on, from flat, of parameters that come into force at ascending seams.

    All seams end alike; an account's initial capital is that of the first one. `window_of` returns the window
    of a run. Raises what it raises, and InsufficientDataError where recorded brackets or fees are not held.
    """
    stages, calendar = _stages(start_ms, seams, window_of)
    with exact_products():
        played = _play(stages, calendar.moments)
        account = played.trader.account
        books = Books(account.trades, played.trader.observed, account.wallets.transfer_fees, played.missed)
        curve = Curve(calendar, packed(amount_units(played.equity)))
        metrics, figures = metrics_of(stages[0].config, books, curve)
    return StitchedHedges(
        tuple(stages), metrics, figures, tuple(account.trades), tuple(account.payments), curve
    )


def _stages(
    start_ms: int, seams: Sequence[Seam], window_of: HedgeWindowOf
) -> tuple[list[HedgeStage], Calendar]:
    """Return a stage for each seam at which other parameters come into force, and the events of all."""
    configs, windows = [], []
    for seam in seams:
        config = seam.config.varied({"start": start_ms})
        # Each run had enough data over all of its days: what its newest ones hold is to be replayed as it is.
        window = window_of(config.varied({"min_coverage": ZERO}))
        configs.append(config.model_copy(update={"exchange": window.exchange}))
        windows.append(window)
    calendar = Calendar.of(sorted({t_ms for window in windows for t_ms in window.calendar.moments}))
    found = in_force(calendar.times_ms, [seam.from_ms for seam in seams], configs)
    return [HedgeStage(configs[place], windows[place], first) for place, first in found], calendar


class _Played(NamedTuple):
    """Trader after the last event, equity after each, and settlements that were due and are not recorded."""

    trader: "_StagedTrader"
    equity: list[Decimal]
    missed: int


def _play(stages: Sequence[HedgeStage], moments: Sequence[int]) -> _Played:
    last, counts = len(moments) - 1, any(stage.config.fee_model == "recorded" for stage in stages)
    equity: list[Decimal] = []
    missed = counted = 0
    trader = _begun(stages[0], moments, counts=counts)
    equity += [trader.on_event(t_ms, decides=False) for t_ms in moments[: stages[0].first]]
    for place, stage in enumerate(stages):
        if place:
            before, trader = trader, _begun(stage, moments, counts=counts)
            trader.succeed(before, stages[: place + 1])
        following = stages[place + 1].first if place + 1 < len(stages) else last
        for t_ms in moments[stage.first : following]:
            equity.append(trader.on_event(t_ms))
        if stage is stages[-1]:
            equity.append(trader.on_last_event(moments[last]))
        held = trader.account.held_perps
        missed += stage.window.missed_settlements(held[counted:], stage.config.end)
        counted = len(held)
    return _Played(trader, equity, missed)


def _begun(stage: HedgeStage, moments: Sequence[int], *, counts: bool) -> "_StagedTrader":
    """Return a trader under the parameters of a stage that has seen every settlement before them.

    `counts` says that the account counts its fills towards fee tiers: some of its parameters ask for those.
    """
    trader = hedge_trader(stage.config, stage.window, _StagedTrader)
    trader.account.costs.counts = counts
    for t_ms in stage.window.calendar.moments:
        if t_ms >= moments[stage.first]:
            break
        trader.decisions.observe(trader.settlements.at(t_ms))
    return trader


class _StagedTrader(HedgeTrader):
    """Trader of one stage, which goes on with the account of the stage before."""

    def succeed(self, before: "_StagedTrader", stages: Sequence[HedgeStage]) -> None:
        """Go on with the account of another trader, its hedges and its books; `stages` end with this one."""
        own, known = self.account, before.account
        others = own.wallets
        own.wallets = known.wallets
        if others.shares != known.wallets.shares:
            own.wallets.divide_as(others, known.free())
        own.costs.fills = known.costs.fills
        own.hedges, own.trades, own.opened = known.hedges, known.trades, known.opened
        own.payments, own.held_perps = known.payments, known.held_perps
        for hedge in own.hedges:
            _put_in_force(hedge, _market_in_force(hedge.market, self.config, stages))
        own.waiting = [
            entry._replace(market=self.markets[entry.market.name], contracts=pair)
            for entry in known.waiting
            if self._trades(entry.market)
            for pair in [_same_contracts(entry.market, entry.contracts, self.markets[entry.market.name])]
        ]
        self.observed = before.observed
        self.observed.regime_high = self.config.regime_high
        self.previous_ms, self.decided = before.previous_ms, before.decided
        self.openings, self.closed_ms = before.openings, before.closed_ms

    def exit_reason(
        self, hedge: OpenHedge, t_ms: int, settled: Mapping[str, Settlement]
    ) -> CloseReason | None:
        """Return why a hedge is left: one that is no longer traded at its first settlement."""
        if self._trades(hedge.market):
            return super().exit_reason(hedge, t_ms, settled)
        reason = self.exits.reason(hedge, t_ms, None)
        return (
            CloseReason.SEAM if reason is None and any(_settles(leg, t_ms) for leg in hedge.legs) else reason
        )

    def _enter(self, settled: dict[str, Settlement]) -> None:
        self._gather()
        super()._enter(settled)

    def _gather(self) -> None:
        """Divide free cash anew where some is on an exchange that is not traded any more."""
        wallets = self.account.wallets
        if len(wallets.cash) > len(wallets.exchanges):
            free = self.account.free()
            if any(amount for name, amount in free.items() if name not in wallets.exchanges):
                wallets.divide_as(wallets, free)

    def _trades(self, market: HedgeMarket) -> bool:
        own = self.markets.get(market.name)
        return own is not None and _is_same(own, market)


def _settles(leg: OpenLeg, t_ms: int) -> bool:
    return leg.market.kind.is_perp and leg.contract.record_at(t_ms) is not None


def _is_same(one: HedgeMarket, other: HedgeMarket) -> bool:
    """Return whether two hedges, perhaps of other parameters, are of the same legs."""
    keys = [leg.key for leg in one.legs], [leg.key for leg in other.legs]
    return one.structure is other.structure and keys[0] == keys[1]


def _market_in_force(held: HedgeMarket, config: RunConfig, stages: Sequence[HedgeStage]) -> HedgeMarket:
    """Return a held hedge under the parameters in force, which may no longer trade it.

    Those of another structure say nothing of its legs: then they stay as they were traded last.
    """
    for stage in reversed(stages):
        own = config if config.structure == stage.config.structure else stage.config
        for market in stage.window.markets(own):
            if market.name == held.name and _is_same(market, held):
                return market
    raise ValueError(f"{held.name} is a hedge of no stage")


def _put_in_force(hedge: OpenHedge, market: HedgeMarket) -> None:
    """Let a hedge be of a market under other parameters: quantity, entry fills and margins stay."""
    contracts = _same_contracts(hedge.market, hedge.pair, market)
    hedge.market = market
    for leg, own, contract in zip(hedge.legs, market.legs, contracts, strict=True):
        leg.market, leg.contract, leg.known_level = own, contract, None


def _same_contracts(known: HedgeMarket, pair: Pair, market: HedgeMarket) -> Pair:
    """Return the contracts of a market that are those of another reading of it."""
    places = [leg.contracts.index(one) for leg, one in zip(known.legs, pair, strict=True)]
    return Pair(*(leg.contracts[place] for leg, place in zip(market.legs, places, strict=True)))
