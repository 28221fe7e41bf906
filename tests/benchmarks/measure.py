"""Clocks, processes and the machine: how the figures are taken, and what is said beside them."""

import gc
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PROC = Path("/proc")
_LOOK_S = 0.002
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
    """Cost of a command: seconds of the wall clock and of processors, and its largest memory in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run_command(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> Finished:
    """Run a command to its end, output dropped; raises RuntimeError with its last words if it fails.

    Its memory is looked at while it runs: what the system tells afterwards starts at that of this process.
    """
    peak_mib = 0.0
    with tempfile.TemporaryFile() as words:
        began = time.perf_counter()
        with subprocess.Popen(argv, stdout=words, stderr=words, env=environment) as process:
            while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
                peak_mib = max(peak_mib, _peak_mib(PROC / str(process.pid)))
                time.sleep(_LOOK_S)
            wall_s = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(ended[1])
        if process.returncode:
            words.seek(0)
            told = words.read()[-2000:].decode()
            raise RuntimeError(f"{' '.join(argv)} ended with {process.returncode}: {told}")
    return Finished(wall_s, ended[2].ru_utime + ended[2].ru_stime, peak_mib)


def _peak_mib(process: Path) -> float:
    try:
        status = (process / "status").read_text()
    except OSError:
        return 0.0
    found = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    return found[0] / 1024 if found else 0.0


def medians(runs: Sequence[Finished]) -> dict[str, float]:
    """Return the median of each figure of equal commands."""
    rows = [asdict(run) for run in runs]
    return {name: statistics.median(row[name] for row in rows) for name in rows[0]}


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """Resources that a living process has used so far.

    It `waited_s` for a processor that others had; `reaped_s` is the processor time of children that ended.
    """

    pid: int
    parent: int
    command: str
    cpu_s: float
    waited_s: float
    peak_mib: float
    reaped_s: float = 0.0


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
        waited_ns = (folder / "schedstat").read_text().split()[1]
    except (OSError, ValueError):
        return None
    cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS
    waited_s = int(waited_ns) / 1e9
    reaped_s = (int(fields[13]) + int(fields[14])) / _TICKS
    return ProcessUse(int(folder.name), int(fields[1]), command, cpu_s, waited_s, _peak_mib(folder), reaped_s)


def since(before: Iterable[ProcessUse], after: Iterable[ProcessUse]) -> list[ProcessUse]:
    """Return the living processes with the times they took between two looks."""
    known = {use.pid: use for use in before}
    return [use if use.pid not in known else _less(use, known[use.pid]) for use in after]


def _less(use: ProcessUse, earlier: ProcessUse) -> ProcessUse:
    return replace(
        use,
        cpu_s=use.cpu_s - earlier.cpu_s,
        waited_s=use.waited_s - earlier.waited_s,
        reaped_s=use.reaped_s - earlier.reaped_s,
    )


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
