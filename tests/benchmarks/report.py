"""The figures as tables: on a terminal, and as Markdown for the documentation."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.kernels import REFERENCE

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table; its first column names the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


def show(figures: Figures, console: Console) -> None:
    """Print every section that was measured."""
    console.print(headline(figures), highlight=False)
    for sheet in sheets(figures):
        table = Table(title=sheet.title, caption=sheet.caption, title_justify="left", caption_justify="left")
        for at, name in enumerate(sheet.columns):
            table.add_column(name, justify="right" if at else "left")
        for row in sheet.rows:
            table.add_row(*row)
        console.print(table)
    for line in left_out(figures):
        console.print(line, highlight=False)


def markdown(figures: Figures) -> str:
    """Return every section that was measured as a page."""
    parts = [
        "# Benchmark",
        f"Written by `./run bench`; see [performance](performance.md). {headline(figures)}",
    ]
    for sheet in sheets(figures):
        rule = ["---", *["---:"] * (len(sheet.columns) - 1)]
        lines = ["| " + " | ".join(row) + " |" for row in (sheet.columns, rule, *sheet.rows)]
        parts += [f"## {sheet.title}", "\n".join(lines), *([sheet.caption] if sheet.caption else [])]
    return "\n\n".join([*parts, *left_out(figures)]) + "\n"


def sheets(figures: Figures) -> Iterator[Sheet]:
    """Yield the tables of every section that was measured."""
    for name, of in _SECTIONS.items():
        if name in figures:
            yield from of(figures[name])


def left_out(figures: Figures) -> list[str]:
    """Return a line for each backtester that is not installed."""
    absent = figures.get("kernels", {}).get("absent", {})
    return [
        f"Left out: {name} ({reason}); `pip install carrygrid[bench]` has it."
        for name, reason in absent.items()
    ]


def headline(figures: Figures) -> str:
    """Return what the figures depend on, in one sentence."""
    machine = figures["machine"]
    versions = {**machine["versions"], **figures.get("kernels", {}).get("versions", {})}
    listed = ", ".join(f"{name} {number}" for name, number in versions.items())
    loads = " to ".join(str(figures["load"][when][0]) for when in ("before", "after"))
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}, {listed}; "
        f"commit {machine['commit']}; load average {loads}."
    )


def _kernels(figures: Figures) -> Iterator[Sheet]:
    for settlements, found in figures["settlements"].items():
        yardsticks = list(found["rates"][0]["ratios"])
        rows = [
            [
                rate["name"],
                *(f"{rate[name]:,.0f}" for name in ("per_second", "lowest", "highest")),
                *(f"{rate['ratios'][name]:.3g}" for name in yardsticks),
            ]
            for rate in found["rates"]
        ]
        caption = f"{found['trades']:,} trades, {found['distinct_results']} distinct results of 1,000."
        if REFERENCE in found["largest_difference"]:
            apart = found["largest_difference"][REFERENCE]
            caption += f" {REFERENCE} and the exact loop differ by at most {apart:.0e} in a net result."
        yield Sheet(
            f"Trials per second of processor time, {int(settlements):,} settlements",
            ("one process", "median", "lowest", "highest", *(f"x {name}" for name in yardsticks)),
            rows,
            caption,
        )


def _cold_starts(figures: Figures) -> Iterator[Sheet]:
    yield Sheet("Cold starts, medians", _TOOK, [[name, *_took(took)] for name, took in figures.items()])


def _hundred_symbols(figures: Figures) -> Iterator[Sheet]:
    title = f"{figures['symbols']} symbols over six years, a database of {figures['database_mib']:,.0f} MiB"
    names = ("data list", "data list, again", "backtest of one symbol")
    yield Sheet(title, _TOOK, [[name, *_took(figures[name])] for name in names])


_TOOK = ("", "seconds", "of processors", "peak MiB")


def _took(took: Figures) -> list[str]:
    peak = f"{took['peak_mib']:.0f}" if took["peak_mib"] else ""
    return [f"{took['wall_s']:.2f}", f"{took['cpu_s']:.2f}", peak]


def _settlements(figures: list[Figures]) -> Iterator[Sheet]:
    names = list(figures[0]["ms_per_trial"])
    rows = [
        [
            f"{row['months']} months",
            f"{row['settlements']:,}",
            *(f"{row['ms_per_trial'][name]:.3g}" for name in names),
        ]
        for row in figures
    ]
    yield Sheet("Milliseconds a trial by length of the window", ("window", "settlements", *names), rows)


def _symbols(figures: list[Figures]) -> Iterator[Sheet]:
    rows = []
    for row in figures:
        wall, _, peak = _took(row["command"])
        parts = (f"{row['build_s']:.2f}", f"{1000 * row['replay_s']:.1f}", wall, peak)
        rows.append([str(row["symbols"]), f"{row['events']:,}", *parts])
    columns = ("symbols", "events", "window, s", "replay, ms", "whole command, s", "peak MiB")
    yield Sheet("One run of a year by symbols", columns, rows)


def _end_to_end(figures: Figures) -> Iterator[Sheet]:
    compared = figures["workers"][0]["trials"]
    runs = [*figures["trials"], *(one for one in figures["workers"] if one not in figures["trials"])]
    yield Sheet(
        "POST /sweeps to completed, 1,095 settlements, curves of the best 50",
        ("trials", *_END_TO_END),
        [[f"{row['trials']:,}", *_end_to_end_row(row)] for row in runs],
        f"{compared:,} trials: the median of {figures['runs']} runs. {_gain(figures['speedup'])}",
    )
    if grids := figures.get("grids"):
        yield Sheet(
            f"The same over other grids, {compared:,} trials each",
            ("grid", *_END_TO_END),
            [[grid["name"], *_end_to_end_row(row)] for grid in grids for row in grid["runs"]],
            " ".join(
                [
                    f"The median of {figures['runs']} runs.",
                    *(f"{grid['name'].capitalize()}: {_gain(grid['speedup'])}" for grid in grids),
                ]
            ),
        )


_END_TO_END = (
    *("workers", "seconds", "trials/s", "workers' CPU s", "waited for CPU s"),
    *("API MiB", "worker MiB", "bytes a trial", "free", "load"),
)


def _gain(speedup: Figures | None) -> str:
    if speedup is None:
        return ""
    return (
        f"{speedup['workers']:g} times the workers: {speedup['seen']:.2f} times as fast, "
        f"{speedup['without_waiting']:.2f} times less what they waited for a processor that others had."
    )


def _end_to_end_row(row: Figures) -> list[str]:
    worker = [f"{row[name].get('worker', 0):.1f}" for name in ("cpu_s", "waited_s")]
    memory = [f"{row['peak_mib'].get(role, 0):.0f}" for role in ("API", "worker")]
    return [
        *(str(row["workers"]), f"{row['wall_s']:.2f}", f"{row['per_second']:,.0f}"),
        *worker,
        *memory,
        *(f"{row[name]:,.0f}" for name in ("database_bytes_per_trial", "free_bytes_per_trial")),
        f"{row['load'][0]:.1f}",
    ]


def _sharing(figures: Figures) -> Iterator[Sheet]:
    many = figures["many"]
    rows = [
        [f"{figures['trials']:,} trials, alone", _seconds(figures["alone_s"])],
        [f"{figures['trials']:,} trials, behind 1,000,000 over five years", _seconds(figures["behind_s"])],
        [f"{many['sweeps']} sweeps of {many['trials']} at once", f"{many['completed_s']:.1f}"],
    ]
    yield Sheet("Sweeps that share two workers", ("sweep", "seconds to completed"), rows)


def _selection(figures: Figures) -> Iterator[Sheet]:
    plain = figures["plain"]
    each = (figures["sums_s"] + figures["report_s"]) / figures["trials"]
    rows = [
        ["sums of daily returns, left by workers", f"{figures['sums_s']:.2f}"],
        ["report from the sums", f"{figures['report_s']:.2f}"],
        [f"plain NumPy loops, {plain['trials']} trials", f"{plain['seconds']:.2f}"],
    ]
    times = plain["seconds"] / plain["trials"] / each
    yield Sheet(
        f"Judging {figures['trials']:,} distinct trials over {figures['days']:,} days",
        ("step", "processor seconds"),
        rows,
        f"A trial takes the loops {times:,.0f} times as long.",
    )


def _selection_memory(figures: Sequence[Figures]) -> Iterator[Sheet]:
    rows = [[f"{row['trials']:,}", f"{row['cpu_s']:.1f}", f"{row['peak_mib']:,.0f}"] for row in figures]
    yield Sheet(
        "One process that makes the report from stored sums, SQLite",
        ("distinct trials", "processor seconds", "peak MiB"),
        rows,
    )


def _reads(figures: Figures) -> Iterator[Sheet]:
    rows = [[row["name"], f"{row['first_ms']:,.0f}", f"{row['median_ms']:,.0f}"] for row in figures["reads"]]
    yield Sheet(
        f"Reads of a sweep of {figures['trials']:,} trials that do not compress, SQLite",
        ("read", "first, ms", f"median of {figures['rounds']}, ms"),
        rows,
    )


def _seconds(measured: Sequence[float]) -> str:
    return f"{min(measured):.2f} to {max(measured):.2f}"


_SECTIONS: dict[str, Callable[[Any], Iterator[Sheet]]] = {
    "kernels": _kernels,
    "cold_starts": _cold_starts,
    "hundred_symbols": _hundred_symbols,
    "settlements": _settlements,
    "symbols": _symbols,
    "end_to_end": _end_to_end,
    "sharing": _sharing,
    "selection": _selection,
    "selection_memory": _selection_memory,
    "reads": _reads,
}
