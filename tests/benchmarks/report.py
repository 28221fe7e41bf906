"""The figures as tables."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.kernels import REFERENCE

Figures = dict[str, Any]


def show(figures: Figures, console: Console) -> None:
    """Print every section that was measured."""
    console.print(_headline(figures), highlight=False)
    for name, tables in _SECTIONS.items():
        if name in figures:
            for table in tables(figures[name]):
                console.print(table)
    for name, reason in figures.get("kernels", {}).get("absent", {}).items():
        console.print(f"left out: {name} ({reason}); pip install 'carrygrid[bench]' has it", highlight=False)


def _headline(figures: Figures) -> str:
    machine = figures["machine"]
    versions = {**machine["versions"], **figures.get("kernels", {}).get("versions", {})}
    listed = ", ".join(f"{name} {number}" for name, number in versions.items())
    loads = " to ".join(str(figures["load"][when][0]) for when in ("before", "after"))
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}, {listed}; "
        f"commit {machine['commit']}; load average {loads}"
    )


def _kernels(figures: Figures) -> Iterator[Table]:
    for settlements, found in figures["settlements"].items():
        yardsticks = list(found["rates"][0]["ratios"])
        table = _table(
            f"Trials a second of one process, {int(settlements):,} settlements "
            f"({found['trades']:,} trades, {found['distinct_results']} distinct results of 1,000)",
            ("", "median", "lowest", "highest", *(f"x {name}" for name in yardsticks)),
        )
        for rate in found["rates"]:
            ratios = [f"{rate['ratios'][name]:.3g}" for name in yardsticks]
            numbers = [f"{rate[name]:,.0f}" for name in ("per_second", "lowest", "highest")]
            table.add_row(rate["name"], *numbers, *ratios)
        if REFERENCE in found["largest_difference"]:
            table.caption = (
                f"largest difference of a net result between {REFERENCE} and the exact loop: "
                f"{found['largest_difference'][REFERENCE]:.1e} quote"
            )
        yield table


def _cold_starts(figures: Figures) -> Iterator[Table]:
    table = _table("Cold starts, medians", ("", "seconds", "of processors", "peak MiB"))
    for name, took in figures.items():
        table.add_row(name, *_took(took))
    yield table


def _hundred_symbols(figures: Figures) -> Iterator[Table]:
    table = _table(
        f"{figures['symbols']} symbols over six years, a database of {figures['database_mib']:,.0f} MiB",
        ("", "seconds", "of processors", "peak MiB"),
    )
    for name in ("data list", "data list, again", "backtest of one symbol"):
        table.add_row(name, *_took(figures[name]))
    yield table


def _took(took: Figures) -> list[str]:
    peak = f"{took['peak_mib']:.0f}" if took["peak_mib"] else ""
    return [f"{took['wall_s']:.2f}", f"{took['cpu_s']:.2f}", peak]


def _settlements(figures: list[Figures]) -> Iterator[Table]:
    names = list(figures[0]["ms_per_trial"])
    table = _table("Milliseconds a trial by settlements", ("months", "settlements", *names))
    for row in figures:
        took = [f"{row['ms_per_trial'][name]:.3g}" for name in names]
        table.add_row(str(row["months"]), f"{row['settlements']:,}", *took)
    yield table


def _symbols(figures: list[Figures]) -> Iterator[Table]:
    columns = ("symbols", "events", "window, s", "replay, ms", "command, s", "peak MiB")
    table = _table("One run of a year by symbols", columns)
    for row in figures:
        wall, _, peak = _took(row["command"])
        parts = (f"{row['build_s']:.2f}", f"{1000 * row['replay_s']:.1f}", wall, peak)
        table.add_row(str(row["symbols"]), f"{row['events']:,}", *parts)
    yield table


def _end_to_end(figures: Figures) -> Iterator[Table]:
    columns = (
        *("trials", "workers", "seconds", "trials/s", "CPU s of workers", "waited s"),
        *("API MiB", "worker MiB", "bytes a trial", "load"),
    )
    table = _table("POST /sweeps to completed, 1,095 settlements, curves of the best 50", columns)
    for row in [*figures["trials"], *(one for one in figures["workers"] if one not in figures["trials"])]:
        worker = [f"{row[name].get('worker', 0):.1f}" for name in ("cpu_s", "waited_s")]
        memory = [f"{row['peak_mib'].get(role, 0):.0f}" for role in ("API", "worker")]
        seconds = (f"{row['wall_s']:.2f}", f"{row['per_second']:,.0f}")
        size = f"{row['database_bytes_per_trial']:,.0f}"
        table.add_row(f"{row['trials']:,}", str(row["workers"]), *seconds, *worker, *memory, size, _load(row))
    gain = figures["speedup"]
    table.caption = (
        f"{gain['workers']:g} times the workers: {gain['seen']:.2f} times as fast; "
        f"{gain['without_waiting']:.2f} without what they waited for a processor"
    )
    yield table


def _load(row: Figures) -> str:
    return f"{row['load'][0]:.1f}"


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    for name in columns:
        table.add_column(name, justify="right" if name else "left")
    return table


_SECTIONS = {
    "kernels": _kernels,
    "cold_starts": _cold_starts,
    "hundred_symbols": _hundred_symbols,
    "settlements": _settlements,
    "symbols": _symbols,
    "end_to_end": _end_to_end,
}
