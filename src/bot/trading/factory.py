"""Factory of the trading classes of one account from the parameters of a run."""

from bot.accounting.margin import margin_model
from bot.accounting.sizing import CapitalPlan, PositionSizer, SizingLimits
from bot.accounting.trading_costs import TradingCosts
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_plugin
from bot.trading.contract_watch import ContractWatch
from bot.trading.executor import Executor
from bot.trading.fast_forward import Watches
from bot.trading.margin_watch import MarginWatch
from bot.trading.patience_watch import PatienceWatch
from bot.trading.position_manager import PositionManager
from bot.trading.tracker import PnLTracker
from bot.trading.trader import CarryTrader, Market


def build_trader(config: RunConfig, executor: Executor, market: Market, costs: TradingCosts) -> CarryTrader:
    """Return a trader with fresh books, whose orders leave through `executor` at `costs`.

    Pairs of the market that are not among the symbols of `config` are closed where they are held.
    """
    tracker = PnLTracker(config.initial_capital)
    strategy = strategy_plugin(config.strategy_mode).build(config)
    strategy.at_costs(costs)
    return CarryTrader(
        strategy,
        market,
        CapitalPlan(config.initial_capital, config.sizing_base, config.max_simultaneous_positions),
        tracker,
        PositionManager(executor, tracker, config.perp_leverage, costs.style),
        position_sizer(config, costs),
        _watches(config, market, tracker, costs),
        costs.fees,
    )


def _watches(config: RunConfig, market: Market, tracker: PnLTracker, costs: TradingCosts) -> Watches:
    ratio, untraded = config.margin_exit_ratio, frozenset(market.instruments).difference(config.symbols)
    models = {symbol: margin_model(rules, ratio) for symbol, rules in market.instruments.items()}
    return Watches(
        MarginWatch(models, market.mark_path),
        ContractWatch(market.ends, costs.fees, untraded),
        PatienceWatch(config.patience, costs, tracker.round_trips),
    )


def position_sizer(config: RunConfig, costs: TradingCosts) -> PositionSizer:
    """Return the sizer of an account."""
    limits = SizingLimits(
        config.allocation,
        config.max_simultaneous_positions,
        config.max_position_size,
        config.max_portfolio_exposure,
    )
    return PositionSizer(limits, costs, config.perp_leverage)
