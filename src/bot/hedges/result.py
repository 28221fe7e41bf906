"""Result of a run of hedges: metrics, trades, equity curve, and the document that prints them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot import ENGINE_VERSION
from bot.accounting.cash_flows import BOOKED
from bot.backtest.findings import Booked, RunFinding, run_findings
from bot.backtest.ledger_digest import ledger_of
from bot.backtest.result import Curve, RunFacts
from bot.backtest.window_findings import window_findings
from bot.config.run_config import RunConfig
from bot.hedges.positions import HedgeTrade
from bot.hedges.window import HedgeWindow
from bot.models import CloseReason, FundingPayment
from bot.notation import plain
from bot.numbers.money import exact
from bot.statistics.hedge_metrics import HedgeMetrics
from bot.statistics.run_metrics import Metrics

_BOOKED = (*BOOKED, "borrow_cost", "transfer_cost")


@dataclass(frozen=True, eq=False)
class HedgeRun(RunFacts):
    """One finished run of hedges."""

    trade_amounts = (*RunFacts.trade_amounts, "borrow_cost", "transfer_cost")

    config: RunConfig
    window: HedgeWindow
    metrics: Metrics
    hedge_metrics: HedgeMetrics
    trades: tuple[HedgeTrade, ...]
    payments: tuple[FundingPayment, ...]
    curve: Curve

    def read_payments(self) -> Iterator[FundingPayment]:
        """Yield the payments."""
        return iter(self.payments)

    @property
    def stored_hedge_metrics(self) -> HedgeMetrics | None:
        """Metrics of its hedges, which its trial stores."""
        return self.hedge_metrics

    @property
    def ledger(self) -> bytes:
        """Digest of what the account booked."""
        with exact():
            return ledger_of(self.trades, _BOOKED)

    @property
    def findings(self) -> tuple[RunFinding, ...]:
        """Oddities of the data in the run's window that its numbers have to be read with, warnings first."""
        figures = self.metrics
        booked = Booked(
            figures.net_pnl,
            figures.total_trades,
            funding_payments=figures.funding_payments,
            missed_settlements=figures.missed_settlements,
        )
        return run_findings(window_findings(self.coverage), booked, None)

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
            "trades": [self.trade_document(trade) for trade in self.trades],
            "equity": self.curve.document(),
        }

    def trade_document(self, trade: HedgeTrade) -> dict[str, Any]:
        """Return one of its trades as in the result document."""
        return hedge_trade_document(trade)


def hedge_trade_of(document: Mapping[str, Any]) -> HedgeTrade:
    """Return the trade that `hedge_trade_document` gave."""
    return HedgeTrade(
        **{name: _read(name, document[name.removesuffix("_ms")]) for name in HedgeTrade._fields}
    )


def _read(name: str, value: Any) -> Any:
    """Return a field of a trade from its JSON value."""
    if name == "reason":
        return CloseReason(value)
    return Decimal(value) if isinstance(value, str) and name != "symbol" else value


def hedge_trade_document(trade: HedgeTrade) -> dict[str, Any]:
    """Return a trade as in the result document: times in ms UTC, prices are the unrounded fills."""
    values = {name.removesuffix("_ms"): value for name, value in trade._asdict().items()}
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in values.items()}
