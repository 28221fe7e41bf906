"""Findings about market data, printed with the numbers that come from it."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from bot.backtest.findings import RunFinding
from bot.backtest.window_findings import words
from bot.plurals import counted
from carrygrid.cli.printing import console

if TYPE_CHECKING:
    from carrygrid import Sweep

_OWED = ("pnl_after_market_end", "missed_settlements")


def print_findings(findings: Iterable[RunFinding], of: str = "") -> None:
    """Print what the numbers of a run have to be read with, one line a finding; `of` names the run."""
    out = console()
    for found in findings:
        _print_line(out, f"{of}{found.title}: {found.sentence}", warning=found.warning)


def print_sweep_findings(sweep: "Sweep") -> None:
    """Print what is odd about the data of a sweep, and what its best trial owes to that."""
    document = sweep.document
    if document["finding_names"]:
        out = console()
        for found in sweep.findings():
            place = " ".join(part for part in (found.symbol, found.leg) if part)
            many = f" (in {counted(found.windows, 'window')})" if found.windows > 1 else ""
            _print_line(out, f"{place}: {words(found.name)}: {found.detail}{many}", warning=found.warning)
    best = document["best_trial"]
    if best is not None and (document["finding_names"] or any(best["metrics"].get(name) for name in _OWED)):
        for trial in sweep.documents(limit=1):
            warnings = (RunFinding.of(one) for one in trial["findings"] if one["warning"])
            print_findings(warnings, f"best trial {trial['number']}: ")


def marks(trial: Mapping[str, Any]) -> str:
    """Return the findings of a trial that concern its numbers in a word each; most of the net with `!`."""
    found = map(RunFinding.of, trial["findings"])
    told = [one for one in found if one.warning or one.name == "missed_settlements"]
    return ", ".join(f"{words(one.name)}{'!' if one.mainly else ''}" for one in told)


def _print_line(out: Console, text: str, *, warning: bool) -> None:
    level = "[bold red]WARNING[/]" if warning else "note"
    out.print(f"{level} {escape(text)}", soft_wrap=True)
