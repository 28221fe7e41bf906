"""Summary of a run as text, apart from the commands that print documents and need no tables."""

from collections.abc import Sequence

from rich.table import Table

from bot.accounting.cash_flows import BOOKED
from bot.backtest import RunExplanation
from bot.hedges.runs import AnyRun, AnyWindow
from bot.market_names import quote_of
from bot.models import BookedTrade
from bot.notation import ABSENT
from bot.numbers.money import plain
from bot.plurals import counted
from bot.strategies.gates import GateReport
from bot.timestamps import iso
from carrygrid.cli.findings import print_findings
from carrygrid.cli.printing import console, plain_table

_SHOWN_TRADES = 20
_UNITS = {
    "max_drawdown_pct": "share of the peak",
    "win_rate": "share of trades",
    "total_return": "share of the capital",
    "annualized_return": "share a year",
    "volatility": "a year",
    "sharpe": "a year",
    "sortino": "a year",
    "time_in_market": "share of events",
}


def print_summary(result: AnyRun, window: AnyWindow, explanation: RunExplanation) -> None:
    """Print what a run over a window earned, and the explanation of it."""
    _print_result(result, window)
    _print_explanation(explanation)


def _print_result(result: AnyRun, window: AnyWindow) -> None:
    out = console()
    config = result.config
    made_up = " [bold yellow](synthetic data)[/]" if window.synthetic else ""
    where = f"[bold]{', '.join(config.symbols)}[/] on {', '.join(config.exchanges)}"
    structure = "" if config.structure == "spot_perp" else f", {config.structure}"
    out.print(f"{where}{made_up}{structure}, {config.strategy_mode}")
    unit = quote_of(config.symbols)
    out.print(f"{iso(config.start)} to {iso(config.end)}, capital {plain(config.initial_capital)} {unit}")
    print_findings(result.findings)
    out.print()
    out.print(_metrics_table(result, unit))
    out.print()
    out.print(_trades_table(result.trades, unit))
    if len(result.trades) > _SHOWN_TRADES:
        out.print(f"the last {_SHOWN_TRADES} of {len(result.trades)} trades; --json prints them all")


def _print_explanation(explanation: RunExplanation) -> None:
    out = console()
    carry, held = explanation.carry, explanation.baseline.metrics
    share = "" if carry.captured_share is None else f", of which {carry.captured_share:.1%} captured"
    out.print(
        f"\nHolding throughout: net {plain(held.net_pnl)}, funding {plain(carry.available_funding)}{share}"
    )
    out.print(
        f"Missed before the first entry {plain(carry.missed_before_entry)}, "
        f"between trades {plain(carry.missed_between)}, "
        f"after the last exit {plain(carry.missed_after_exit)}; "
        f"fees beyond holding's {plain(carry.extra_fees)}"
    )
    for report in explanation.blocked:
        out.print(f"No entry {refusal(report)}")


def refusal(report: GateReport) -> str:
    """Return a blocked-entry report in words: the count, the condition, and its nearest miss."""
    miss = report.document()
    nearest = (
        f"; needed {miss['needed']}, nearest {miss['nearest']} at {iso(miss['at'])}" if miss["needed"] else ""
    )
    note = f" ({report.note})" if report.note else ""
    return f"{counted(report.blocked, 'time')} for {miss['gate']}{nearest}{note}"


def _metrics_table(result: AnyRun, unit: str) -> Table:
    table = plain_table("metric", numbers=("value",))
    table.add_column("unit", style="dim")
    metrics = {**result.metrics.document(), **result.hedge_metrics.document()}
    for name, value in metrics.items():
        if isinstance(value, str):
            table.add_row(name, value, unit)
        elif isinstance(value, float):
            table.add_row(name, f"{value:.6g}", _UNITS.get(name, "hours" if name.endswith("hours") else ""))
        else:
            table.add_row(name, ABSENT if value is None else str(value), "")
    return table


def _trades_table(trades: Sequence[BookedTrade], unit: str) -> Table:
    amounts = (*BOOKED, "net_pnl")
    table = plain_table(
        "symbol", "opened", "closed", numbers=amounts, title=f"Trades: days UTC, {unit}, rounded"
    )
    table.add_column("reason")
    for trade in trades[-_SHOWN_TRADES:]:
        days = (iso(trade.opened_at_ms)[:10], iso(trade.closed_at_ms)[:10])
        figures = (f"{getattr(trade, name):.2f}" for name in amounts)
        table.add_row(trade.symbol, *days, *figures, trade.reason.value)
    return table
