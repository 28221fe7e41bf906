"""Puts the trading classes of one account together from the parameters of a run."""

from dataclasses import fields

from bot.config import RunConfig
from bot.execution.executor import Executor
from bot.market_data.opportunity_ranker import OpportunityRanker
from bot.pnl.fees import FeeSchedule
from bot.pnl.tracker import PnLTracker
from bot.position.manager import PositionManager
from bot.position.sizing import PositionSizer, SizingLimits
from bot.risk.manager import RiskManager
from bot.signals.engine import SignalEngine, SignalParams
from bot.strategies.composite import CompositeStrategy, ScoreSizing
from bot.strategies.simple import SimpleStrategy
from bot.strategies.strategy import Strategy
from bot.trader import CapitalPlan, CarryTrader, Market


def fee_schedule(config: RunConfig) -> FeeSchedule:
    """Return the taker fees of a run."""
    return FeeSchedule(config.spot_taker, config.perp_taker)


def open_desk(config: RunConfig, executor: Executor, market: Market) -> CarryTrader:
    """Return a trader with fresh books, whose orders leave through `executor`."""
    tracker = PnLTracker(config.initial_capital)
    return CarryTrader(
        _strategy(config),
        market,
        CapitalPlan(config.initial_capital, config.sizing_base, config.max_simultaneous_positions),
        tracker,
        PositionManager(executor, tracker, config.perp_leverage),
        RiskManager(config.margin_exit_ratio),
        PositionSizer(_limits(config), fee_schedule(config), config.slippage, config.perp_leverage),
    )


def _strategy(config: RunConfig) -> Strategy:
    return _composite(config) if config.strategy_mode == "composite" else _simple(config)


def _composite(config: RunConfig) -> Strategy:
    params = SignalParams(**{field.name: getattr(config, field.name) for field in fields(SignalParams)})
    sizing = ScoreSizing(config.sizing_min_fraction, config.sizing_max_fraction)
    return CompositeStrategy(
        SignalEngine(params),
        config.entry_threshold,
        config.exit_threshold,
        sizing if config.dynamic_sizing else None,
    )


def _simple(config: RunConfig) -> Strategy:
    ranker = OpportunityRanker(
        config.min_funding_rate, config.min_volume_24h, config.min_holding_periods, fee_schedule(config)
    )
    return SimpleStrategy(ranker, config.exit_funding_rate)


def _limits(config: RunConfig) -> SizingLimits:
    return SizingLimits(
        config.allocation,
        config.max_simultaneous_positions,
        config.max_position_size,
        config.max_portfolio_exposure,
    )
