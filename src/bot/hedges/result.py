"""Result of a run of hedges: metrics, trades, equity curve, and the document that prints them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from bot import ENGINE_VERSION
from bot.accounting.cash_flows import BOOKED
from bot.backtest.findings import Booked, RunFinding, run_findings
from bot.backtest.hedge_metrics import HedgeMetrics
from bot.backtest.ledger_digest import ledger_of
from bot.backtest.result import Curve, trade_of
from bot.backtest.window_findings import window_findings
from bot.config.run_config import RunConfig
from bot.config.run_key import run_key
from bot.hedges.positions import HedgeTrade
from bot.hedges.window import HedgeWindow
from bot.market.coverage import Coverage
from bot.models import CloseReason, FundingPayment, Trade
from bot.notation import plain
from bot.numbers.arrays import FloatArray
from bot.numbers.money import exact
from bot.statistics.daily_returns import daily_returns_of
from bot.statistics.metrics import Calendar, money_units
from bot.statistics.run_metrics import Metrics

_PRICES = (
    "spot_entry",
    "perp_entry",
    "spot_exit",
    "perp_exit",
    "long_entry",
    "long_exit",
    "short_entry",
    "short_exit",
)
_AMOUNTS = (
    "quantity",
    "funding",
    "fees",
    "price_pnl",
    "net_pnl",
    "long_pnl",
    "short_pnl",
    "borrow_cost",
    "transfer_cost",
)
_BOOKED = (*BOOKED, "borrow_cost", "transfer_cost")
_COUNTS = ("funding_payments", "top_ups", "reductions")


@dataclass(frozen=True, eq=False)
class HedgeRun:
    """One finished run of hedges."""

    config: RunConfig
    window: HedgeWindow
    metrics: Metrics
    hedge_metrics: HedgeMetrics
    trades: tuple[HedgeTrade, ...]
    payments: tuple[FundingPayment, ...]
    curve: Curve

    @property
    def data_fingerprint(self) -> str:
        """Hash of the rows that the run may read."""
        return self.window.fingerprint

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """Coverage of its window, by market."""
        return self.window.coverage

    @property
    def calendar(self) -> Calendar:
        """The events of its window."""
        return self.curve.calendar

    @cached_property
    def equity(self) -> tuple[tuple[int, Decimal], ...]:
        """Event times, ms UTC, and the equity after each, quote currency."""
        return tuple(self.curve.points())

    @cached_property
    def daily_returns(self) -> FloatArray:
        """Daily returns (docs/domain.md, section 9), one a UTC day of its window; NaN where undefined."""
        return daily_returns_of(self.curve.units, money_units(self.config.initial_capital), self.calendar)

    @property
    def ledger(self) -> bytes:
        """Digest of what the account booked."""
        with exact():
            return ledger_of(self.trades, _BOOKED)

    @property
    def findings(self) -> tuple[RunFinding, ...]:
        """Oddities of the data in the run's window that its numbers have to be read with, warnings first."""
        figures = self.metrics
        booked = Booked(figures.net_pnl, figures.total_trades, funding_payments=figures.funding_payments)
        return run_findings(window_findings(self.coverage), booked, None)

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
            "metrics": {**self.metrics.document(), **self.hedge_metrics.document()},
            "findings": [finding.document() for finding in self.findings],
            "trades": trade_documents(self.trades),
            "equity": self.curve.document(),
        }


def trade_documents(trades: Sequence[HedgeTrade]) -> list[dict[str, Any]]:
    """Return trades as in the result document: times in ms UTC, prices are the unrounded fills."""
    return [hedge_trade_document(trade) for trade in trades]


def booked_trade_of(document: Mapping[str, Any]) -> Trade | HedgeTrade:
    """Return the trade of a stored or written document: of hedges where one of spot and a perp cannot be.

    That is where a price of the spot leg is missing: there is none, or an exchange took it away.
    """
    if document["spot_entry"] is not None and document["spot_exit"] is not None:
        return trade_of(document)
    prices = {name: None if document[name] is None else Decimal(document[name]) for name in _PRICES}
    values: dict[str, Any] = {
        **prices,
        **{name: Decimal(document[name]) for name in _AMOUNTS},
        **{name: document[name] for name in _COUNTS},
    }
    return HedgeTrade(
        symbol=document["symbol"],
        opened_at_ms=document["opened_at"],
        closed_at_ms=document["closed_at"],
        reason=CloseReason(document["reason"]),
        **values,
    )


def hedge_trade_document(trade: HedgeTrade) -> dict[str, Any]:
    prices = {name: getattr(trade, name) for name in _PRICES}
    return {
        "symbol": trade.symbol,
        "opened_at": trade.opened_at_ms,
        "closed_at": trade.closed_at_ms,
        **{name: None if price is None else plain(price) for name, price in prices.items()},
        **{name: plain(getattr(trade, name)) for name in _AMOUNTS},
        **{name: getattr(trade, name) for name in _COUNTS},
        "reason": trade.reason.value,
    }
