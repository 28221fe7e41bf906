"""The command `sweep judge`, and the sentence on a selection that other commands print."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from api.presentation.formats import shown
from bot.notation import ABSENT
from bot.plurals import counted
from carrygrid import ServiceError, Sweep
from carrygrid.cli.client import found_sweep
from carrygrid.cli.printing import console, plain_table, showable
from carrygrid.cli.runs import read_body

_DAYS_PER_YEAR = 365
_PATIENCE_S = 60.0
_BENCHMARKS = {"cash": "against cash", "hold": "against holding"}


def judge(sweep_id: int, settings: Path | None, panel: int | None, *, as_json: bool) -> None:
    """Print the report on the selection of a sweep, by the settings in a file or by its own."""
    report = _judged(Sweep.selection, sweep_id, settings, panel)
    if as_json:
        print(json.dumps(report))
        return
    _print_sentence(report["sentence"])
    _print_figures(report)
    _print_overfitting(report)
    if report["walk_forward"] is not None:
        _print_folds(report["walk_forward"])
    for name, reason in (report.get("missing") or {}).items():
        print(f"{name}: {reason}")
    _print_panels(report)


def walk_forward(sweep_id: int, settings: Path | None, panel: int | None, *, as_json: bool) -> None:
    """Print the folds of a walk-forward, and their stitched run beside holding over the same days."""
    found = _judged(Sweep.walk_forward, sweep_id, settings, panel)
    if as_json:
        print(json.dumps(found))
        return
    if found["folds"]:
        _print_folds(found)
    if found.get("missing"):
        print(f"none: {found['missing']}")


def _judged(
    ask: Callable[..., dict[str, Any]], sweep_id: int, settings: Path | None, panel: int | None
) -> dict[str, Any]:
    """Return what `ask` makes of a sweep, with a bar on stderr while the report is being made."""
    changes = b"{}" if settings is None else read_body(settings)
    errors = Console(stderr=True, highlight=False)
    columns = (TextColumn("judging"), BarColumn(), TaskProgressColumn())
    bar = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
    with found_sweep(sweep_id) as sweep, bar:
        task = bar.add_task("judging", total=1.0)
        return ask(sweep, changes, panel=panel, progress=lambda share: bar.update(task, completed=share))


def print_sentence(sweep: Sweep, *, wait: bool = False) -> None:
    """Print the sentence on the selection of a sweep, or that of its trials so far, if there is one.

    With `wait`, a report that is being made is waited for, though not for ever.
    """
    try:
        found = sweep.selection(timeout_s=_PATIENCE_S) if wait else sweep.selection_now()
    except ServiceError as error:
        if error.unavailable or error.code != "state_conflict":
            raise
        return
    except TimeoutError:
        found = {"share": 0.0}
    if "sentence" in found:
        _print_sentence(found["sentence"])
    elif found.get("so_far"):
        _print_sentence(f"So far: {found['so_far']['sentence']}")
    elif found["share"] is not None:
        print(f"its selection is being judged; look again: carrygrid sweep judge {sweep.id}")


def _print_sentence(sentence: str) -> None:
    console().print(showable(sentence), soft_wrap=True)


def _print_figures(report: Mapping[str, Any]) -> None:
    """Print the figures of both benchmarks side by side, Sharpe ratios a year."""
    found = {name: report[name] for name in _BENCHMARKS if report[name] is not None}
    if not found:
        return
    table = plain_table("", numbers=tuple(_BENCHMARKS[name] for name in found))
    for label, figure in _FIGURES:
        table.add_row(label, *(figure(benchmark) for benchmark in found.values()))
    console().print(table)


def _print_overfitting(report: Mapping[str, Any]) -> None:
    pbo, plateau, transfer = report["pbo"], report["plateau"], report["transfer"]
    if pbo is not None:
        few = ", few trials" if pbo["few_trials"] else ""
        print(f"PBO {pbo['pbo']:.2f} over {pbo['splits']:,} halves of the days{few}")
    if plateau is not None:
        print(f"plateau {plateau:.6g}, the worst objective of the winner and the trials next to it")
    if transfer is not None:
        ranks = ", ".join(f"{pair} {rank:.2f}" for pair, rank in transfer["ranks"].items())
        print(f"transfer {transfer['mean']:.2f}, where 0.50 is none: {ranks}")


def _print_folds(found: Mapping[str, Any]) -> None:
    numbers = ("trial", "train Sharpe", "test Sharpe", "net P&L")
    table = plain_table("train days", "test days", numbers=numbers, title="Walk-forward")
    for fold in found["folds"]:
        spans = (" to ".join(fold[name]) for name in ("train_dates", "test_dates"))
        trial = "cash" if fold["trial"] is None else str(fold["trial"])
        ratios = (_annual(fold["train_sharpe"]), _annual(fold["test_sharpe"]))
        table.add_row(*spans, trial, *ratios, _money(fold["net_pnl"]))
    console().print(table)
    efficiency = ABSENT if found["efficiency"] is None else f"{found['efficiency']:.2f}"
    print(f"{counted(found['changes'], 'change')} of trial, efficiency {efficiency}")
    runs = {"one run over all test days": found["metrics"], "holding over them": found["hold"]}
    for name, metrics in runs.items():
        if metrics is not None:
            sharpe = ABSENT if metrics["sharpe"] is None else f"{metrics['sharpe']:.2f}"
            print(f"{name}: net P&L {_money(metrics['net_pnl'])}, Sharpe {sharpe}")


def _print_panels(report: Mapping[str, Any]) -> None:
    panels = report["panels"]
    if len(panels) < 2:
        return
    table = plain_table(
        "panel", "exchange", "from", "to", numbers=("winner", "verdict"), title="All windows (--panel N)"
    )
    for place, head in enumerate(panels):
        winner = ABSENT if head["winner"] is None else str(head["winner"])
        place_text = f"{place}, shown" if place == report["panel"] else str(place)
        table.add_row(place_text, str(head["exchange"]), head["start"], head["end"], winner, head["meaning"])
    console().print(table)


def _annual(daily: float | None) -> str:
    return ABSENT if daily is None else f"{daily * math.sqrt(_DAYS_PER_YEAR):.2f}"


def _money(text: str | None) -> str:
    return shown(None if text is None else Decimal(text), "money")


def _chance(chance: float | None) -> str:
    return ABSENT if chance is None else f"{chance:.3f}"


def _winner(benchmark: Mapping[str, Any], name: str) -> Any:
    return None if benchmark["winner"] is None else benchmark["winner"][name]


_FIGURES: Sequence[tuple[str, Callable[[Mapping[str, Any]], str]]] = (
    ("Sharpe of the winner, a year", lambda one: _annual(_winner(one, "sharpe"))),
    ("best by luck alone", lambda one: _annual(one["luck"])),
    ("by luck in one search of twenty", lambda one: _annual(one["luck_95"])),
    ("chance of luck", lambda one: _chance(_winner(one, "p_luck"))),
    ("chance of luck over all looks", lambda one: _chance(one["lifetime"]["p_luck"])),
    ("PSR", lambda one: _chance(_winner(one, "psr"))),
    ("DSR", lambda one: _chance(_winner(one, "dsr"))),
    ("independent trials", lambda one: f"{one['independent']:,.1f}"),
    ("independent days", lambda one: ABSENT if one["winner"] is None else f"{one['winner']['t_eff']:,.0f}"),
    ("days needed to beat luck", lambda one: str(_winner(one, "min_track_days_luck") or ABSENT)),
    ("trials that luck does not explain", lambda one: f"{one['survivors']:,}"),
)
