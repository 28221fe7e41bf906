"""Processes are measured as they are, and figures become tables."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.commands import environment
from benchmarks.endtoend import cpu_by_role, peaks, roles
from benchmarks.measure import Finished, ProcessUse, family, machine, medians, run_command, since
from benchmarks.report import markdown, sheets
from benchmarks.scaling import speedups


def use(pid: int, parent: int, command: str, cpu_s: float = 0, peak_mib: float = 0) -> ProcessUse:
    return ProcessUse(pid, parent, command, cpu_s, 0.0, peak_mib)


SERVICE = [
    use(2, 1, "valkey-server 127.0.0.1:1", peak_mib=7),
    use(3, 1, "python -m uvicorn api.main:app", peak_mib=120),
    use(4, 1, "python -m workers worker --concurrency 2", peak_mib=110),
    use(5, 4, "python -m workers worker --concurrency 2", peak_mib=90),
    use(6, 4, "python -m workers worker --concurrency 2", peak_mib=150),
    use(7, 1, "python -m celery -A workers flower", peak_mib=109),
    use(8, 1, "sh"),
]


def test_a_command_is_measured_with_its_own_memory_not_ours() -> None:
    here = next(one for one in family(os.getpid()) if one.pid == os.getpid())
    took = run_command([sys.executable, "-S", "-c", "import time; time.sleep(0.1)"])
    assert took.wall_s >= 0.1
    assert 0 < took.peak_mib < here.peak_mib


def test_a_command_that_fails_is_refused_with_its_last_words() -> None:
    with pytest.raises(RuntimeError, match="ended with 3: so it is"):
        run_command(["sh", "-c", "echo so it is; exit 3"])


def test_medians_are_taken_figure_by_figure() -> None:
    runs = [Finished(1, 30, 5), Finished(2, 10, 6), Finished(3, 20, 4)]
    assert medians(runs) == {"wall_s": 2, "cpu_s": 20, "peak_mib": 5}


def test_the_pool_of_a_worker_is_told_from_its_master() -> None:
    assert [role for _, role in roles(SERVICE)] == [
        *("broker", "API", "worker master", "worker", "worker", "Flower"),
    ]
    assert peaks(SERVICE)["worker"] == 150


def test_time_of_workers_that_were_replaced_counts_as_theirs() -> None:
    spent = [*SERVICE[:2], replace(SERVICE[2], cpu_s=1, reaped_s=7), replace(SERVICE[3], cpu_s=2)]
    assert cpu_by_role(spent) == {"broker": 0, "API": 0, "worker master": 1, "worker": 9}


def test_time_between_two_looks_counts_new_processes_whole() -> None:
    after = [use(1, 0, "old", cpu_s=5), use(2, 1, "new", cpu_s=3)]
    assert [one.cpu_s for one in since([use(1, 0, "old", cpu_s=4)], after)] == [1, 3]


def test_the_gain_of_workers_is_told_with_and_without_waiting_for_processors() -> None:
    alone = {"workers": 1, "wall_s": 10.0, "waited_s": {"worker": 2.0}}
    both = {"workers": 2, "wall_s": 8.0, "waited_s": {"worker": 8.0}}
    assert speedups([alone, both]) == {"seen": 1.25, "without_waiting": 2.0, "workers": 2.0}


def test_commands_see_no_server_that_the_caller_has_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CARRYGRID_DATABASE_URL", "postgresql://elsewhere/x")
    named = {name: value for name, value in environment(tmp_path).items() if name.startswith("CARRYGRID_")}
    assert named == {"CARRYGRID_HOME": str(tmp_path)}


def figures() -> dict[str, Any]:
    took = {"wall_s": 0.5, "cpu_s": 0.25, "peak_mib": 30.0}
    sweep = {
        "trials": 1000,
        "workers": 2,
        "wall_s": 0.5,
        "per_second": 2000.0,
        "load": [1.0, 1.0, 1.0],
        "cpu_s": {"worker": 0.75},
        "waited_s": {"worker": 0.0},
        "peak_mib": {"API": 120.0, "worker": 99.6},
        "database_bytes_per_trial": 400.4,
        "free_bytes_per_trial": 99.6,
    }
    rate: dict[str, Any] = {"name": "loop", "per_second": 1234.5, "lowest": 1.0, "highest": 2000.0}
    rate["ratios"] = {"vectorbt": 2}
    at_length = {"rates": [rate], "trades": 5000, "distinct_results": 500, "largest_difference": {}}
    return {
        "machine": machine(),
        "load": {"before": [0.1, 0.2, 0.3], "after": [1.1, 0.2, 0.3]},
        "kernels": {"settlements": {"1095": at_length}, "versions": {}, "absent": {"vectorbt": "not found"}},
        "cold_starts": {"carrygrid --help": took},
        "settlements": [{"months": 3, "settlements": 273, "ms_per_trial": {"plain": 0.9}}],
        "symbols": [{"symbols": 50, "events": 1092, "build_s": 1.0, "replay_s": 0.06, "command": took}],
        "end_to_end": {
            "trials": [sweep],
            "workers": [{**sweep, "workers": 1}, sweep],
            "speedup": {"seen": 1.9, "without_waiting": 1.95, "workers": 2},
            "grids": [{"name": "costs", "runs": [sweep], "speedup": None}],
            "runs": 3,
        },
    }


def test_tables_show_what_was_measured_once_each() -> None:
    tables = {sheet.title: sheet for sheet in sheets(json.loads(json.dumps(figures())))}
    assert len(tables) == 6
    kernels = tables["Trials per second of processor time, 1,095 settlements"]
    assert kernels.rows == [["loop", "1,234", "1", "2,000", "2"]]
    ends = tables["POST /sweeps to completed, 1,095 settlements, curves of the best 50"]
    assert [row[:4] for row in ends.rows] == [
        ["1,000", "2", "0.50", "2,000"],
        ["1,000", "1", "0.50", "2,000"],
    ]
    assert ends.rows[0][2:] == ["0.50", "2,000", "0.8", "0.0", "120", "100", "400", "100", "1.0"]
    assert ends.caption.startswith(
        "1,000 trials: the median of 3 runs. 2 times the workers: 1.90 times as fast,"
    )
    grids = tables["The same over other grids, 1,000 trials each"]
    assert grids.rows == [["costs", *ends.rows[0][1:]]]


def test_the_page_names_machine_load_and_what_was_left_out() -> None:
    page = markdown(figures())
    assert f"Python {machine()['python']}" in page
    assert "load average 0.1 to 1.1" in page
    assert "| carrygrid --help | 0.50 | 0.25 | 30 |" in page
    assert "Left out: vectorbt (not found)" in page


def test_the_machine_is_named_with_versions() -> None:
    named = machine()
    assert named["cores"] == os.cpu_count()
    assert named["versions"]["sqlalchemy"].startswith("2.")
