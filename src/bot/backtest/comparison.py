"""Strategies over the same window, side by side, with their differences explained."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from bot.backtest.baseline import Baselines, FinishedRun
from bot.backtest.divergence import divergences
from bot.backtest.findings import RunFinding
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import compared_strategies, strategy_plugin
from bot.models import BookedTrade
from bot.numbers.money import ZERO, exact, plain
from bot.statistics.carry import CarryComparison


class ComparedStrategy(FinishedRun, Protocol):
    """A run that is compared with others of its account, whichever engine replayed it."""

    @property
    def findings(self) -> Sequence[RunFinding]:
        """Oddities of its data."""

    @property
    def data_fingerprint(self) -> str:
        """Hash of the rows that it may read."""

    @property
    def trade_amounts(self) -> tuple[str, ...]:
        """Names of the net P&L of its trades and of the booked amounts that make it up."""

    def document(self) -> dict[str, Any]:
        """Return the result document."""

    def trade_document(self, trade: Any) -> dict[str, Any]:
        """Return one of its trades as in that document."""


@dataclass(frozen=True, slots=True)
class TradesOnlyOneTook:
    """Trades without any counterpart of the other run in the same pair at the same time."""

    trades: tuple[BookedTrade, ...]
    run: ComparedStrategy

    def sums(self) -> dict[str, Decimal]:
        """Return the sums of the trades' net P&L and of its parts, by name."""
        with exact():
            return {
                name: sum((getattr(trade, name) for trade in self.trades), ZERO)
                for name in self.run.trade_amounts
            }

    def document(self) -> dict[str, Any]:
        """Return count, money and the trades as JSON values."""
        money = {name: plain(total) for name, total in self.sums().items()}
        return {"count": len(self.trades), **money, "trades": list(map(self.run.trade_document, self.trades))}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs of one account under different strategies, in order, each with its captured carry, and holding."""

    runs: dict[str, ComparedStrategy]
    carries: dict[str, CarryComparison]
    hold: FinishedRun

    def only_in(self, strategy: str) -> TradesOnlyOneTook:
        """Return the trades that only the run of `strategy` took."""
        others = [trade for name, run in self.runs.items() if name != strategy for trade in run.trades]
        mine = self.runs[strategy].trades
        own = tuple(trade for trade in mine if not _has_counterpart(trade, others))
        return TradesOnlyOneTook(own, self.runs[strategy])

    def first_difference_ms(self) -> int | None:
        """Return the time of the first move that differs between first and last run, None if none does."""
        first, *_, last = self.runs.values()
        return next((parted.t_ms for parted in divergences(first, last)), None)

    def document(self) -> dict[str, Any]:
        """Return runs and differences as JSON values; a difference is the last run minus the first."""
        first, *_, last = self.runs.values()
        before, after = _figures(first), _figures(last)
        return {
            "runs": {name: run.document() for name, run in self.runs.items()},
            "versions": {name: strategy_plugin(name).version for name in self.runs},
            "hold_baseline": {name: carry.document() for name, carry in self.carries.items()},
            "differences": {name: _difference(before[name], after[name]) for name in before},
            "only_in": {name: self.only_in(name).document() for name in self.runs},
            "first_difference_ms": self.first_difference_ms(),
        }


def compare(
    config: RunConfig, baselines: Baselines, replay_one: Callable[[RunConfig], ComparedStrategy]
) -> Comparison:
    """Return the runs of `config` under each strategy that is compared, over the window of `baselines`."""
    runs = {name: replay_one(config.under(name)) for name in compared_strategies()}
    carries = {name: baselines.compare(run) for name, run in runs.items()}
    return Comparison(runs, carries, baselines.of(config))


def _figures(run: FinishedRun) -> dict[str, Any]:
    """Return the metrics of a run as JSON values, of one that was replayed as hedges those of hedges too."""
    hedges = run.stored_hedge_metrics
    return run.metrics.document() if hedges is None else {**run.metrics.document(), **hedges.document()}


def _has_counterpart(trade: BookedTrade, others: Iterable[BookedTrade]) -> bool:
    return any(
        other.symbol == trade.symbol
        and other.opened_at_ms < trade.closed_at_ms
        and trade.opened_at_ms < other.closed_at_ms
        for other in others
    )


def _difference(before: Any, after: Any) -> Any:
    if before is None or after is None:
        return None
    if isinstance(before, str):
        with exact():
            return plain(Decimal(after) - Decimal(before))
    return after - before
