"""What a run leaves behind: metrics, trades, equity curve, and the document that prints them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from bot import ENGINE_VERSION
from bot.analytics import metrics as stats
from bot.backtest.identity import run_key
from bot.config import RunConfig
from bot.data.coverage import Coverage
from bot.models import HOUR_MS, CloseReason, FundingPayment, Trade
from bot.money import ZERO, plain


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics of a run: money as Decimal in quote currency, counts, and float64 statistics or None."""

    net_pnl: Decimal
    total_funding: Decimal
    price_pnl: Decimal
    total_fees: Decimal
    max_drawdown: Decimal
    final_equity: Decimal
    total_trades: int
    winning_trades: int
    liquidations: int
    margin_exits: int
    skipped_entries: int
    funding_payments: int
    win_rate: float | None
    max_drawdown_pct: float
    total_return: float
    annualized_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    profit_factor: float | None
    time_in_market: float
    avg_holding_hours: float | None

    def document(self) -> dict[str, Any]:
        """Return the metrics as JSON values, money as canonical text."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: plain(value) if isinstance(value, Decimal) else value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Journal:
    """What the replay wrote down, oldest first; events after which a hedge was open; entries skipped."""

    trades: tuple[Trade, ...]
    payments: tuple[FundingPayment, ...]
    equity: tuple[tuple[int, Decimal], ...]
    events_in_market: int
    skipped_entries: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """One finished run."""

    config: RunConfig
    data_fingerprint: str
    coverage: Mapping[str, Coverage]
    metrics: Metrics
    trades: tuple[Trade, ...]
    payments: tuple[FundingPayment, ...]
    equity: tuple[tuple[int, Decimal], ...]

    @property
    def run_key(self) -> str:
        """Identity of the run: same key, same numbers, on any machine."""
        return run_key(self.config, self.data_fingerprint)

    def document(self) -> dict[str, Any]:
        """Return the result document: JSON values, money and prices as canonical text."""
        return {
            "config": self.config.document(),
            "run_key": self.run_key,
            "engine_version": ENGINE_VERSION,
            "data_fingerprint": self.data_fingerprint,
            "coverage": {symbol: covered.document() for symbol, covered in self.coverage.items()},
            "metrics": self.metrics.document(),
            "trades": [trade_document(trade) for trade in self.trades],
            "equity": [[t_ms, plain(value)] for t_ms, value in self.equity],
        }


def trade_document(trade: Trade) -> dict[str, Any]:
    """Return a round trip as JSON values; times in ms UTC, prices are the unrounded fills."""
    return {
        "symbol": trade.symbol,
        "opened_at": trade.opened_at_ms,
        "closed_at": trade.closed_at_ms,
        "quantity": plain(trade.quantity),
        "spot_entry": plain(trade.spot_entry),
        "perp_entry": plain(trade.perp_entry),
        "spot_exit": plain(trade.spot_exit),
        "perp_exit": None if trade.perp_exit is None else plain(trade.perp_exit),
        "funding": plain(trade.funding),
        "fees": plain(trade.fees),
        "price_pnl": plain(trade.price_pnl),
        "net_pnl": plain(trade.net_pnl),
        "funding_payments": trade.funding_payments,
        "reason": trade.reason.value,
    }


def summarize(journal: Journal, initial_capital: Decimal) -> Metrics:
    """Return the metrics of a journal with at least one equity point. Call inside `bot.money.exact()`."""
    trades, equity = journal.trades, journal.equity
    final = equity[-1][1]
    deepest, deepest_share = stats.max_drawdown((value for _, value in equity), initial_capital)
    returns = stats.daily_returns(equity, initial_capital)
    annualized = stats.annualized_return(initial_capital, final, equity[-1][0] - equity[0][0])
    winners = sum(trade.net_pnl > 0 for trade in trades)
    return Metrics(
        net_pnl=final - initial_capital,
        total_funding=_total(trade.funding for trade in trades),
        price_pnl=_total(trade.price_pnl for trade in trades),
        total_fees=_total(trade.fees for trade in trades),
        max_drawdown=deepest,
        final_equity=final,
        total_trades=len(trades),
        winning_trades=winners,
        liquidations=_ended_by(trades, CloseReason.LIQUIDATION),
        margin_exits=_ended_by(trades, CloseReason.MARGIN),
        skipped_entries=journal.skipped_entries,
        funding_payments=sum(trade.funding_payments for trade in trades),
        win_rate=winners / len(trades) if trades else None,
        max_drawdown_pct=deepest_share,
        total_return=float((final - initial_capital) / initial_capital),
        annualized_return=annualized,
        volatility=None if returns is None else stats.volatility(returns),
        sharpe=None if returns is None else stats.sharpe_ratio(returns),
        sortino=None if returns is None else stats.sortino_ratio(returns),
        calmar=stats.ratio(annualized, deepest_share),
        profit_factor=_profit_factor(trades),
        time_in_market=journal.events_in_market / len(equity),
        avg_holding_hours=_average_holding_hours(trades),
    )


def _total(amounts: Any) -> Decimal:
    return sum(amounts, ZERO)


def _ended_by(trades: Sequence[Trade], reason: CloseReason) -> int:
    return sum(trade.reason is reason for trade in trades)


def _profit_factor(trades: Sequence[Trade]) -> float | None:
    gains = _total(trade.net_pnl for trade in trades if trade.net_pnl > 0)
    losses = _total(-trade.net_pnl for trade in trades if trade.net_pnl < 0)
    return float(gains / losses) if losses else None


def _average_holding_hours(trades: Sequence[Trade]) -> float | None:
    held_ms = sum(trade.closed_at_ms - trade.opened_at_ms for trade in trades)
    return held_ms / (len(trades) * HOUR_MS) if trades else None
