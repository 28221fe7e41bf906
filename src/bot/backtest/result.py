"""What a run leaves behind: metrics, trades, equity curve, and the document that prints them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot import ENGINE_VERSION
from bot.backtest.identity import run_key
from bot.backtest.ledger import ledger_of
from bot.backtest.metrics import Metrics
from bot.config import RunConfig
from bot.data.coverage import Coverage
from bot.models import FundingPayment, Trade
from bot.money import exact, plain


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

    @property
    def ledger(self) -> bytes:
        """Digest of what the account booked."""
        with exact():
            return ledger_of(self.trades)

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
