"""The same configuration gives the same bytes, wherever and however often it is asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from webservice import make_template

RUN = [sys.executable, "-c", "from carrygrid.cli import main; main()"]
SURROUNDINGS = [
    {"TZ": "UTC", "PYTHONHASHSEED": "0", "LC_ALL": "C"},
    {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8"},
    {"TZ": "America/St_Johns", "PYTHONHASHSEED": "4242", "PYTHONOPTIMIZE": "1"},
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("market"))


@pytest.mark.parametrize("command", ["backtest", "compare", "probe"])
@pytest.mark.parametrize("strategy", ["simple", "composite"])
def test_documents_are_equal_in_every_process_time_zone_and_hash_seed(
    home: Path, tmp_path: Path, command: str, strategy: str
) -> None:
    config = tmp_path / "config.json"
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
    config.write_text(json.dumps(values))
    documents = {_printed(home, command, config, surroundings) for surroundings in map(dict, SURROUNDINGS)}
    [document] = documents
    if command == "backtest":
        assert json.loads(document)["metrics"]["total_trades"] > 0


def _printed(home: Path, command: str, config: Path, surroundings: dict[str, str]) -> str:
    environment = {**os.environ, "CARRYGRID_HOME": str(home), **surroundings}
    finished = subprocess.run(
        [*RUN, command, str(config), "--json"], env=environment, capture_output=True, text=True, check=True
    )
    return finished.stdout
