"""Measure the project on this machine, beside loops of its own and known backtesters, and print tables.

Everything runs on generated markets in a temporary folder, with private servers; nothing is left behind.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import (
    coldstarts,
    kernels,
    market,
    million_trials,
    scaling,
    selection,
    selection_memory,
    sharing,
)
from benchmarks.measure import load, machine
from benchmarks.report import markdown, show
from carrygrid.cli.serving import interruptible_by_signals

SECTIONS = (
    "kernels",
    "cold_starts",
    "hundred_symbols",
    "settlements",
    "symbols",
    "end_to_end",
    "sharing",
    "selection",
    "selection_memory",
    "reads",
)
QUICK = ("kernels", "cold_starts", "settlements", "end_to_end", "selection")


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer passes, sweeps up to 10,000 trials")
    parser.add_argument("--all", action="store_true", help="a sweep of 1,000,000 trials as well")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables as a page")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw how cost grows; needs matplotlib")
    parser.add_argument(
        "--references",
        metavar="PYTHON",
        default=sys.executable,
        help="an interpreter with vectorbt, backtesting.py and matplotlib (default: this one)",
    )
    return parser.parse_args()


def main() -> None:
    """Measure section by section, print, and write what was asked for."""
    asked = arguments()
    console = Console(width=None if sys.stdout.isatty() else 160)
    figures: dict[str, Any] = {"machine": machine(), "load": {"before": load(), "after": load()}}
    with (
        interruptible_by_signals(),
        tempfile.TemporaryDirectory(prefix="carrygrid-bench-", ignore_cleanup_errors=True) as folder,
    ):
        for name, found in measured(asked, Path(folder)):
            figures[name] = found
            figures["load"]["after"] = load()
            _write(figures, asked.json)
    show(figures, console)
    if asked.markdown:
        asked.markdown.write_text(markdown(figures))
    if asked.plot:
        _plot(figures, asked)


def measured(asked: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield the figures of each section that is wanted, with its name."""
    wanted = asked.only or (QUICK if asked.quick else SECTIONS)
    passes = 3 if asked.quick else 5
    pairs = market.generated(4)
    home = folder / "home"
    home.mkdir()
    store = market.filled_store(home, pairs, max(scaling.SYMBOLS))
    sections = {
        "kernels": lambda: kernels.measured(store, folder, asked.references, passes),
        "cold_starts": lambda: coldstarts.measured(store, pairs[0], home, passes),
        "hundred_symbols": lambda: coldstarts.hundred_symbols(pairs, folder / "hundred"),
        "settlements": lambda: scaling.by_settlements(store, passes),
        "symbols": lambda: scaling.by_symbols(store, home, passes),
        "end_to_end": lambda: scaling.end_to_end(home, folder, sizes(asked), (1, 2)),
        "sharing": lambda: sharing.measured(home, folder, 2),
        "selection": lambda: selection.measured(10_000 if asked.quick else 100_000),
        "selection_memory": lambda: selection_memory.measured(
            (10_000, 100_000) if asked.quick else (100_000, 1_000_000)
        ),
        "reads": lambda: million_trials.measured(100_000 if asked.quick else 1_000_000),
    }
    for name, measure in sections.items():
        if name in wanted:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            yield name, measure()
    store.engine.dispose()


def sizes(asked: argparse.Namespace) -> tuple[int, ...]:
    """Return of how many trials sweeps are measured end to end."""
    largest = 10_000 if asked.quick else 1_000_000 if asked.all else 100_000
    return tuple(trials for trials in (10, 100, 1_000, 10_000, 100_000, 1_000_000) if trials <= largest)


def _write(figures: dict[str, Any], target: Path | None) -> None:
    if target:
        target.write_text(json.dumps(figures, indent=1) + "\n")


def _plot(figures: dict[str, Any], asked: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "figures.json"
        _write(figures, source)
        command = [asked.references, "-m", "benchmarks.plot", str(source), str(asked.plot.resolve())]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[1])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped")
