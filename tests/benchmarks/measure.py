"""Clocks, processes and the machine: how the figures are taken, and what is said beside them."""

import gc
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PACKAGES = ("numpy", "sqlalchemy", "celery", "fastapi", "orjson")


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the processor time of this process that `work` takes; neighbours on the machine count little."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command took: seconds of the wall clock and of processors, and its largest memory in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run_command(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> Finished:
    """Run a command to its end, output dropped; raises RuntimeError with its last words if it fails."""
    began = time.perf_counter()
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process:
        assert process.stdout
        words = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"{' '.join(argv)} ended with {process.returncode}: {words[-2000:].decode()}")
    peak = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return Finished(wall_s, usage.ru_utime + usage.ru_stime, peak)


def medians(runs: Sequence[Finished]) -> dict[str, float]:
    """Return the median of each figure of equal commands."""
    rows = [asdict(run) for run in runs]
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """What a living process has used so far."""

    pid: int
    parent: int
    command: str
    cpu_s: float
    peak_mib: float


def family(pid: int) -> list[ProcessUse]:
    """Return a process and all its descendants; empty where there is no /proc."""
    found = [use for one in PROC.glob("[0-9]*") if (use := _use(one))]
    wanted = {pid}
    while more := {use.pid for use in found if use.parent in wanted} - wanted:
        wanted |= more
    return [use for use in found if use.pid in wanted]


def _use(folder: Path) -> ProcessUse | None:
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        command = (folder / "cmdline").read_text().replace("\0", " ").strip()
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    except (OSError, ValueError):
        return None
    peak_kib = int(status.get("VmHWM", "0 kB").split()[0])
    cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS
    return ProcessUse(int(folder.name), int(fields[1]), command, cpu_s, peak_kib / 1024)


def spawned_cpu_s(before: Iterable[ProcessUse], after: Iterable[ProcessUse]) -> dict[int, float]:
    """Return the processor time that each living process took between two looks, by pid."""
    known = {use.pid: use.cpu_s for use in before}
    return {use.pid: use.cpu_s - known.get(use.pid, 0.0) for use in after}


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, cores, memory, system, versions, commit."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := installed(name))},
        "commit": _commit(),
    }


def load() -> list[float]:
    """Return the load averages of the last 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def installed(package: str) -> str | None:
    """Return the version of an installed package, None without it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = (PROC / "cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _commit() -> str | None:
    told = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or None
