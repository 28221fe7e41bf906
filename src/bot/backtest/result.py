"""Result of a run: metrics, trades, equity curve, and the document that prints them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

from bot import ENGINE_VERSION
from bot.accounting.cash_flows import BOOKED, FLOWS
from bot.accounting.trade_legs import with_legs
from bot.backtest.findings import Booked, RunFinding, run_findings
from bot.backtest.hedge_metrics import hedge_metrics
from bot.backtest.ledger_digest import ledger_of
from bot.backtest.window_findings import window_findings
from bot.config.run_config import RunConfig
from bot.config.run_key import run_key
from bot.market.coverage import Coverage
from bot.market.window import ReplayWindow
from bot.models import CloseReason, ContractEnd, FundingPayment, Trade
from bot.numbers.arrays import FloatArray
from bot.numbers.money import exact, plain
from bot.statistics.daily_returns import daily_returns_of
from bot.statistics.hedge_metrics import HedgeMetrics
from bot.statistics.metrics import Calendar, Units, from_units, money_units, packed, units_texts
from bot.statistics.run_metrics import Metrics
from bot.trading.payments import PaymentBook


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Equity curve of an account: its equity after each event of a calendar, in units of 1e-8."""

    calendar: Calendar
    units: Units

    @classmethod
    def of_document(cls, points: Sequence[Sequence[Any]]) -> Self:
        """Return the curve that `document` gave."""
        times, texts = zip(*points, strict=True)
        return cls(Calendar.of(times), packed([money_units(Decimal(text)) for text in texts]))

    def points(self) -> Iterator[tuple[int, Decimal]]:
        """Yield times and equity."""
        return zip(self.calendar.moments, map(from_units, self.units.tolist()), strict=True)

    def document(self) -> list[list[Any]]:
        """Return times and equity as JSON values."""
        return list(map(list, zip(self.calendar.moments, units_texts(self.units), strict=True)))


class FingerprintedWindow(Protocol):
    """A window of recorded rows, as far as every run tells of it."""

    @property
    def fingerprint(self) -> str:
        """Hash of the rows that a run may read."""

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """Coverage of it, by market."""


class RunFacts:
    """Facts of a finished run that follow from its parameters, window and curve, whichever engine made it."""

    trade_amounts: ClassVar = ("net_pnl", *FLOWS, "price_pnl", "fees")
    """Names of the net P&L of its trades and of the booked amounts that make it up."""

    config: RunConfig
    window: FingerprintedWindow
    curve: Curve

    @property
    def data_fingerprint(self) -> str:
        """Hash of the rows that the run may read."""
        return self.window.fingerprint

    @property
    def coverage(self) -> Mapping[str, Coverage]:
        """Coverage of its window, by pair."""
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
    def stored_hedge_metrics(self) -> HedgeMetrics | None:
        """Metrics of its hedges as far as its trial stores them: those of a run replayed as hedges."""
        return None

    @property
    def run_key(self) -> str:
        """Identity of the run: same key, same numbers, on any machine."""
        return run_key(self.config, self.data_fingerprint)


@dataclass(frozen=True, eq=False)
class RunResult(RunFacts):
    """One finished run; payments, curve and metrics of hedges are written out when they are asked for."""

    config: RunConfig
    window: ReplayWindow
    metrics: Metrics
    trades: tuple[Trade, ...]
    paid: PaymentBook
    curve: Curve

    @property
    def contract_ends(self) -> Mapping[str, ContractEnd]:
        """Ends of the contracts that ended in its window, by pair."""
        return self.window.contract_ends

    @cached_property
    def hedge_metrics(self) -> HedgeMetrics:
        """Metrics by leg, by regime of funding, of capital and distance; its trial does not store them."""
        return hedge_metrics(self.config, self.window, self.trades, self.paid)

    @cached_property
    def payments(self) -> tuple[FundingPayment, ...]:
        """Every settlement of an open short, oldest first."""
        return tuple(self.paid.written())

    def read_payments(self) -> Iterator[FundingPayment]:
        """Yield the payments without keeping them, which would take 0.2 MB a year."""
        return self.paid.read()

    @cached_property
    def findings(self) -> tuple[RunFinding, ...]:
        """Oddities of the data in the run's window that its numbers have to be read with, warnings first."""
        figures = self.metrics
        booked = Booked(
            figures.net_pnl,
            figures.total_trades,
            self.config.end_dead_markets,
            figures.funding_payments,
            figures.missed_settlements,
            figures.pnl_after_market_end,
        )
        return run_findings(window_findings(self.coverage), booked, self.trades)

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
            "market_ends": {symbol: end.at_ms for symbol, end in self.contract_ends.items()},
            "metrics": {**self.metrics.document(), **self.hedge_metrics.document()},
            "findings": [finding.document() for finding in self.findings],
            "trades": [self.trade_document(trade) for trade in self.trades],
            "equity": self.curve.document(),
        }

    def trade_document(self, trade: Trade) -> dict[str, Any]:
        """Return one of its trades as in the result document."""
        return trade_document(trade)


_BOOKED = (*BOOKED, "net_pnl")
_TRADE_AMOUNTS = ("quantity", "spot_entry", "perp_entry", "spot_exit", *_BOOKED)


def trade_document(trade: Trade) -> dict[str, Any]:
    """Return a trade as in the result document: times in ms UTC, prices are the unrounded fills."""
    return with_legs(trade_record(trade))


def trade_record(trade: Trade) -> dict[str, Any]:
    """Return what is kept of a trade as JSON values; the rest of its document follows from it."""
    return {
        "symbol": trade.symbol,
        "opened_at": trade.opened_at_ms,
        "closed_at": trade.closed_at_ms,
        "quantity": plain(trade.quantity),
        "spot_entry": plain(trade.spot_entry),
        "perp_entry": plain(trade.perp_entry),
        "spot_exit": plain(trade.spot_exit),
        "perp_exit": None if trade.perp_exit is None else plain(trade.perp_exit),
        **{name: plain(getattr(trade, name)) for name in _BOOKED},
        "funding_payments": trade.funding_payments,
        "reason": trade.reason.value,
    }


def trade_of(document: Mapping[str, Any]) -> Trade:
    """Return the trade that `trade_record` or `trade_document` gave."""
    amounts = {name: Decimal(document[name]) for name in _TRADE_AMOUNTS}
    perp_exit = document["perp_exit"]
    return Trade(
        symbol=document["symbol"],
        opened_at_ms=document["opened_at"],
        closed_at_ms=document["closed_at"],
        perp_exit=None if perp_exit is None else Decimal(perp_exit),
        funding_payments=document["funding_payments"],
        reason=CloseReason(document["reason"]),
        **amounts,
    )
