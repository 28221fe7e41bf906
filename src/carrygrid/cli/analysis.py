"""The commands `compare` and `probe`: strategies side by side, and the search for look-ahead."""

import json
from pathlib import Path
from typing import Any

from api.database import ready_store
from api.settings import Settings
from bot.backtest.baseline import FinishedRun
from bot.backtest.comparison import Comparison
from bot.backtest.probe import ProbeReport
from bot.hedges.evidence.engine_choice import compare_run, probe_run
from bot.hedges.runs import AnyWindow, blocked_of, load_window
from bot.market_names import quote_of
from bot.market_store.database import write_transaction
from bot.notation import ABSENT
from bot.plurals import counted
from bot.timestamps import iso
from carrygrid.cli.findings import print_findings
from carrygrid.cli.printing import console, plain_table
from carrygrid.cli.run_summary import refusal
from carrygrid.cli.runs import read_config
from sweeps.lifecycle.run_looks import note_comparison

LOOK_AHEAD_FOUND = 1


def print_comparison(path: Path, *, as_json: bool) -> None:
    """Run the strategies that are compared over the same window and print them side by side."""
    config = read_config(path)
    with ready_store(Settings()) as store:
        window = load_window(config, store)
        comparison = compare_run(config, window)
        with write_transaction(store.engine) as connection:
            note_comparison(connection, comparison)
    if as_json:
        print(json.dumps(comparison.document()))
    else:
        _print_compared(comparison, quote_of(config.symbols))
        _print_idle(comparison, window)


def print_probe(path: Path, *, cuts: int, seed: int, as_json: bool) -> int:
    """Probe the run that the file describes; return the exit status."""
    config = read_config(path)
    with ready_store(Settings()) as store:
        report = probe_run(config, store, cuts=cuts, seed=seed)
    if as_json:
        print(json.dumps(report.document()))
    else:
        _print_findings(report)
    return LOOK_AHEAD_FOUND if report.leaks else 0


def _print_compared(comparison: Comparison, unit: str) -> None:
    out = console()
    document = comparison.document()
    names = list(comparison.runs)
    titles = [f"{name} v{document['versions'][name]}" for name in names]
    table = plain_table("metric", numbers=(*titles, "difference"))
    for metric, difference in document["differences"].items():
        values = [document["runs"][name]["metrics"][metric] for name in names]
        table.add_row(metric, *map(_shown, [*values, difference]))
    for fact in ("available_funding", "captured_share", "missed_before_entry", "missed_after_exit"):
        table.add_row(fact, *(_shown(document["hold_baseline"][name][fact]) for name in names), "")
    for name, run in comparison.runs.items():
        print_findings(run.findings, f"{name}: ")
    out.print(table)
    for name in names:
        only = document["only_in"][name]
        trades = counted(only["count"], "trade")
        out.print(
            f"\n{trades} only {name} took: net {only['net_pnl']}, funding {only['funding']}, "
            f"fees {only['fees']} {unit}"
        )
    first_ms = comparison.first_difference_ms()
    if first_ms is None:
        out.print(f"\n{names[0]} and {names[-1]} held the same positions throughout.")
    else:
        out.print(f"\nThey first differ at {iso(first_ms)}.")


def _print_idle(comparison: Comparison, window: AnyWindow) -> None:
    for name, run in comparison.runs.items():
        if not run.trades:
            console().print(f"\n{name} took no trade: {_reason(run, window)}.", soft_wrap=True)


def _reason(run: FinishedRun, window: AnyWindow) -> str:
    """Return the condition that kept a run without trades out most often, then the others by name."""
    reports = blocked_of(run, window)
    if not reports:
        return "the window has no settlement to enter at before its last one"
    others = ", ".join(report.gate for report in reports[1:])
    return f"no entry {refusal(reports[0])}" + (f"; less often for {others}" if others else "")


def _print_findings(report: ProbeReport) -> None:
    out = console()
    if not report.leaks:
        moments = counted(len(report.cuts_ms), "moment")
        out.print(f"No look-ahead: nothing up to {moments} changed when all data after them did.")
    for leak in report.leaks:
        out.print(
            f"Look-ahead: data after {iso(leak.cut_ms)} changed {leak.seen_in} of {iso(leak.at_ms)} "
            f"from {leak.honest} to {leak.corrupted}"
        )
    for symbol, end_ms in report.given_ends.items():
        out.print(
            f"{symbol} ends at {iso(end_ms)}, which only later data tell (end_dead_markets): given from that "
            "moment on, unknown before it.",
            soft_wrap=True,
        )


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return ABSENT if value is None else str(value)
