"""The scaling plot: `python -m benchmarks.plot FIGURES.json PICTURE.svg`, where matplotlib is installed."""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_COLOURS = ("#1f6feb", "#bc4c00", "#6e7781")
_STYLE = {
    "svg.hashsalt": "carrygrid",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#d0d7de",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


def draw(figures: dict[str, Any], target: Path) -> None:
    """Draw the sections that were measured side by side."""
    panels = [panel for name, panel in _PANELS.items() if figures.get(name)]
    with mpl.rc_context(_STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(4.0 * len(panels), 3.4), squeeze=False)
        for axis, panel in zip(axes[0], panels, strict=True):
            panel(axis, figures)
        figure.text(0.01, 0.01, _origin(figures), fontsize=7, color="#57606a")
        figure.tight_layout(rect=(0, 0.05, 1, 1))
        figure.savefig(target, metadata={"Date": None})


def _by_settlements(axis: Axes, figures: dict[str, Any]) -> None:
    rows = figures["settlements"]
    at = [row["settlements"] for row in rows]
    for name, colour in zip(rows[0]["ms_per_trial"], _COLOURS, strict=False):
        took = [row["ms_per_trial"][name] for row in rows]
        axis.plot(at, took, "o-", color=colour, label=name, markersize=4)
        axis.plot(at, [took[0] * count / at[0] for count in at], ":", color=colour, linewidth=0.9)
    _label(axis, "Length of the window, 8 h settlements", "months", "ms a trial")
    axis.set_xticks(at, [str(row["months"]) for row in rows])


def _by_trials(axis: Axes, figures: dict[str, Any]) -> None:
    rows = figures["end_to_end"]["trials"]
    trials, took = [row["trials"] for row in rows], [row["wall_s"] for row in rows]
    axis.plot(trials, took, "o-", color=_COLOURS[0], label=f"{rows[0]['workers']} workers", markersize=4)
    large = trials[-3:]
    axis.plot(
        large, [took[-1] * count / trials[-1] for count in large], ":", color=_COLOURS[0], linewidth=0.9
    )
    for row in figures["end_to_end"]["workers"][:1]:
        axis.plot(row["trials"], row["wall_s"], "s", color=_COLOURS[1], label="1 worker", markersize=5)
    _label(axis, "POST /sweeps to completed", "trials of 1,095 settlements", "seconds")
    axis.set_xticks(trials, [f"{count:,}" for count in trials], rotation=20)


def _by_symbols(axis: Axes, figures: dict[str, Any]) -> None:
    rows = figures["symbols"]
    at = [row["symbols"] for row in rows]
    for name, label, colour in zip(
        ("build_s", "replay_s"), ("building the window", "replay"), _COLOURS, strict=False
    ):
        took = [row[name] for row in rows]
        axis.plot(at, took, "o-", color=colour, label=label, markersize=4)
        axis.plot(at, [took[0] * count / at[0] for count in at], ":", color=colour, linewidth=0.9)
    _label(axis, "Symbols in one run of a year", "symbols", "seconds")
    axis.set_xticks(at, [str(count) for count in at])


def _label(axis: Axes, title: str, across: str, up: str) -> None:
    axis.set(xscale="log", yscale="log", xlabel=across, ylabel=up)
    axis.set_title(title, loc="left", fontsize=10)
    axis.minorticks_off()
    axis.legend(fontsize=8, loc="upper left")
    axis.margins(y=0.15)


def _origin(figures: dict[str, Any]) -> str:
    machine, load = figures["machine"], figures["load"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, "
        f"NumPy {machine['versions'].get('numpy')}, commit {machine['commit']}, "
        f"load average {load['before'][0]} to {load['after'][0]}; dotted: linear growth"
    )


_PANELS = {"settlements": _by_settlements, "end_to_end": _by_trials, "symbols": _by_symbols}


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
