"""Ends of `carrygrid` as a process: interrupted while it loads, without a reader, a disk or a stream."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commanding import COMMAND, environment_of, in_process

_INTERRUPTED_AT = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            os.kill(os.getpid(), signal.SIGINT)
from carrygrid.cli import main
sys.meta_path.insert(0, Interrupt())
sys.argv = ["carrygrid", *sys.argv[1:]]
main()
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_of(tmp_path / "home")


def shell(environment: dict[str, str], line: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", line, "bash", str(COMMAND)],
        env={**environment, **settings},
        capture_output=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("carrygrid.cli.app", ["data", "list"]),
        ("typer.main", ["data", "list"]),
        ("pydantic_core", ["data", "list"]),
        ("api.errors.problems", ["data", "list"]),
        ("sqlalchemy", ["data", "list"]),
        ("bot.config.parameters", ["strategies"]),
        ("carrygrid.local.stack", ["up"]),
        ("bot.market_store.synthetic.generator", ["demo"]),
    ],
)
def test_ctrl_c_while_modules_are_loaded_is_status_130_without_a_word(
    environment: dict[str, str], module: str, arguments: list[str]
) -> None:
    script = _INTERRUPTED_AT.replace("MODULE", repr(module))
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


@pytest.mark.parametrize("module", ["celery", "workers.settings", "sweeps.work.dispatch"])
def test_ctrl_c_while_a_dispatcher_or_worker_loads_is_status_130(
    environment: dict[str, str], module: str
) -> None:
    script = _INTERRUPTED_AT.replace("MODULE", repr(module)).replace("from carrygrid.cli import main\n", "")
    script = script.replace(
        "main()", "import runpy; runpy.run_module('workers.dispatcher', run_name='__main__')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


_HIDDEN = """
import os, signal, sys, time, typer
from carrygrid.cli.failures import run
app = typer.Typer()
class Careless:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(100): pass
@app.command()
def hide(how: str):
    if how == "destructor":
        Careless()
        time.sleep(20)
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(20)
    except KeyboardInterrupt:
        raise ZeroDivisionError from None
sys.exit(run(app, sys.argv[1:], owns_process=True))
"""


@pytest.mark.parametrize("how", ["destructor", "converted"])
def test_ctrl_c_that_a_library_hides_is_status_130(environment: dict[str, str], how: str) -> None:
    command = [sys.executable, "-c", _HIDDEN, how]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=15, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


@pytest.mark.parametrize(
    "arguments", ["strategies --json", "strategies", "--help", "strategies --nothing --json"]
)
def test_full_disk_is_one_line_and_a_status(environment: dict[str, str], arguments: str) -> None:
    ended = shell(environment, f"$1 {arguments} >/dev/full")
    bad = "--nothing" in arguments
    said = "No such option: --nothing" if bad else "[Errno 28] No space left on device"
    assert (ended.returncode, ended.stderr.decode()) == (2 if bad else 1, f"error: {said}\n")


def test_full_disk_behind_both_streams_is_still_a_status(environment: dict[str, str]) -> None:
    assert shell(environment, "$1 strategies --json >/dev/full 2>/dev/full").returncode == 1


@pytest.mark.parametrize("arguments", ["strategies --json", "strategies", "--help"])
def test_nobody_reading_is_silence_and_status_1(environment: dict[str, str], arguments: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [str(COMMAND), *arguments.split()]
    ended = subprocess.run(
        command, env=environment, stdout=writer, stderr=subprocess.PIPE, timeout=100, check=False
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_taken_as_nowhere(
    environment: dict[str, str], closed: str, tmp_path: Path
) -> None:
    ended = shell(environment, f"$1 data list {closed}")
    assert (ended.returncode, ended.stderr) == (0, b"")
    database = tmp_path / "home" / "carrygrid.db"
    assert database.read_bytes().startswith(b"SQLite format 3\0")
    assert b"no market data yet" not in database.read_bytes()


_LISTING = """
import sys
from rich.console import Console
from rich.progress import track
from carrygrid.cli import printing, streams
streams.make_ready()
table = printing.plain_table("name", numbers=("Sharpe \u2265",))
table.add_row(printing.showable("\U0001f680 caf\u00e9 \u4e2d"), "1\u20132")
table.add_row("plain", "3")
printing.console().print(table)
Console().rule("end")
print(streams.json_text({"name": "\U0001f680"}))
"""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_text_that_the_terminal_lacks_is_shown_with_substitutes(
    environment: dict[str, str], encoding: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _LISTING],
        env={**environment, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    lines = ended.stdout.decode(encoding).splitlines()
    accent = "\\xe9" if encoding == "ascii" else "\u00e9"
    assert lines[1].split() == ["\\U0001f680", f"caf{accent}", "\\u4e2d", "1-2"]
    assert lines[0].split() == ["name", "Sharpe", ">="]
    assert lines[1].index("1-2") + 2 == lines[2].index("3")
    assert set(lines[3]) == set("- end")
    assert json.loads(lines[4]) == {"name": "\U0001f680"}


def test_file_name_that_is_no_text_can_be_printed(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (Path(os.fsdecode(os.fsencode(folder) + b"/odd\xff.csv"))).write_text("nothing of ours\n")
    ended = shell(environment, f"$1 data import {folder} --exchange x")
    assert b"odd\\udcff.csv" in ended.stdout + ended.stderr
    assert b"fault of the program" not in ended.stderr


def test_config_and_spec_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_bytes(b'\xef\xbb\xbf{"symbols": ["BTC/USDT:USDT"], "start": "2024-01-01", "end": "x"}')
    ended = in_process(tmp_path / "home", "backtest", config)
    assert (ended.returncode, ended.stderr[:11]) == (2, "error: end:")
    nobody = "http://127.0.0.1:9"
    dry_run = in_process(tmp_path / "home", "sweep", "submit", config, "--dry-run", CARRYGRID_API_URL=nobody)
    assert "no Carrygrid API answers" in dry_run.stderr


def test_version_names_package_engine_and_what_replays_sweeps(environment: dict[str, str]) -> None:
    from importlib.metadata import version

    from bot import ENGINE_VERSION
    from bot.kernel.loading import replay_path

    ended = shell(environment, "$1 --version")
    expected = f"carrygrid {version('carrygrid')}, engine {ENGINE_VERSION}, {replay_path()}\n"
    assert (ended.returncode, ended.stdout.decode(), ended.stderr) == (0, expected, b"")
