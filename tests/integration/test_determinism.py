"""The same configuration gives the same bytes, wherever and however often it is asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from webservice import make_template

_PRINT_DOCUMENTS = """
import sys
from carrygrid.cli import main
for command, config in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        main([command, config, "--json"])
    except SystemExit as ended:
        if ended.code:
            raise
    print(end="\\f")
"""
COMMANDS = ("backtest", "compare", "probe")
SURROUNDINGS = [
    {"TZ": "UTC", "PYTHONHASHSEED": "0", "LC_ALL": "C"},
    {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8"},
    {"TZ": "America/St_Johns", "PYTHONHASHSEED": "4242", "PYTHONOPTIMIZE": "1"},
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("market"))


def test_documents_are_equal_in_every_process_time_zone_hash_seed_and_order(
    home: Path, tmp_path: Path
) -> None:
    configs = [_config(tmp_path / f"{strategy}.json", strategy) for strategy in ("simple", "composite")]
    runs = [(command, config) for config in configs for command in COMMANDS]
    expected = _printed(home, runs, SURROUNDINGS[0])
    for surroundings in SURROUNDINGS[1:]:
        runs.reverse()
        assert _printed(home, runs, surroundings) == expected
    for config in configs:
        assert json.loads(expected["backtest", config])["metrics"]["total_trades"] > 0


def _config(path: Path, strategy: str) -> Path:
    values = {
        "symbols": ["BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"],
        "start": "2024-01-03",
        "end": "2024-03-30T12:00:00+02:00",
        "strategy_mode": strategy,
        "min_funding_rate": "0.00005",
        "min_holding_periods": 300,
        "entry_threshold": "0.1",
        "exit_threshold": "0.05",
        "max_simultaneous_positions": 2,
        "perp_leverage": 3,
    }
    path.write_text(json.dumps(values))
    return path


def _printed(
    home: Path, runs: list[tuple[str, Path]], surroundings: dict[str, str]
) -> dict[tuple[str, Path], str]:
    """Return the documents of `runs`, printed one after another by one process."""
    finished = subprocess.run(
        [sys.executable, "-c", _PRINT_DOCUMENTS, *(str(part) for run in runs for part in run)],
        env={**os.environ, "CARRYGRID_HOME": str(home), **surroundings},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(runs, finished.stdout.split("\f")[:-1], strict=True))
