import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from bot.errors import BotError, FieldError, InvalidInputError, StoreError
from carrygrid.cli.failures import run

app = typer.Typer()


_ERRORS: dict[str, Exception] = {
    "bad": InvalidInputError([FieldError("start", '"x" is not a time'), FieldError("end", "is required")]),
    "broken": StoreError("the database is damaged"),
    "other": BotError("odd"),
    "disk": OSError(28, "No space left on device"),
    "interrupt": typer.Abort(),
}


@app.callback()
def _common(context: typer.Context, debug: bool = typer.Option(False, "--debug")) -> None:
    context.obj.debug = debug


@app.command()
def fail(
    kind: str, number: int = typer.Option(0, min=0), as_json: bool = typer.Option(False, "--json")
) -> None:
    if kind in _ERRORS:
        raise _ERRORS[kind]


@pytest.fixture(autouse=True)
def keep_the_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (["fine"], 0, ""),
        (["bad"], 2, 'error: start: "x" is not a time; end: is required\n'),
        (["broken"], 1, "error: the database is damaged\n"),
        (["other"], 1, "error: odd\n"),
        (["disk"], 1, "error: [Errno 28] No space left on device\n"),
        (["interrupt"], 130, ""),
        ([], 2, 'error: Missing argument "kind".\n'),
        (
            ["fine", "--number", "-3"],
            2,
            'error: --number: "-3": input should be greater than or equal to 0\n',
        ),
        (["fine", "--nothing"], 2, "error: No such option: --nothing\n"),
    ],
)
def test_a_failure_is_one_line_and_a_status(
    arguments: list[str], status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["fail", *arguments]
    assert run(app, command) == status
    assert capsys.readouterr() == ("", line)


def test_with_json_a_failure_is_a_problem_document_on_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(app, ["fail", "bad", "--json"]) == 2
    output = capsys.readouterr()
    document = json.loads(output.out)
    assert (document["status"], output.err) == (422, "")
    assert [error["field"] for error in document["errors"]] == ["start", "end"]


_FAULTY = """
import sqlite3, sys, typer
import sqlalchemy as sa
from carrygrid.cli.failures import run
from carrygrid.cli.app import common
app = typer.Typer()
app.callback()(common)
@app.command()
def fault(as_json: bool = typer.Option(False, "--json")):
    raise ZeroDivisionError("by zero")
@app.command()
def full(wrapped: bool = typer.Option(False, "--wrapped"), as_json: bool = typer.Option(False, "--json")):
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.execute("CREATE TABLE t (a)")
        driver.execute("PRAGMA max_page_count = 2")
        statement = "INSERT INTO t VALUES (zeroblob(1000000))"
        connection.execute(sa.text(statement)) if wrapped else driver.execute(statement)
sys.exit(run(app, sys.argv[1:]))
"""


def _fault(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "faulty.py").write_text(_FAULTY)
    command = [sys.executable, str(tmp_path / "faulty.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_fault_of_the_program_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    result = _fault(tmp_path, "fault")
    assert result.returncode == 1
    assert result.stderr.startswith("error: ZeroDivisionError: by zero; this is a fault of the program")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [[], ["--wrapped"]])
def test_a_full_disk_is_no_fault_of_the_program(tmp_path: Path, options: list[str]) -> None:
    told = "the database's disk is full; what was being written is not stored"
    result = _fault(tmp_path, "full", *options)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"error: {told}\n")
    document = json.loads(_fault(tmp_path, "full", "--json", *options).stdout)
    assert (document["status"], document["detail"]) == (507, told)


def test_a_fault_with_debug_shows_where_it_arose(tmp_path: Path) -> None:
    result = _fault(tmp_path, "--debug", "fault")
    assert (result.returncode, "Traceback" in result.stderr) == (1, True)


def test_a_fault_with_json_is_a_problem_document(tmp_path: Path) -> None:
    result = _fault(tmp_path, "fault", "--json")
    assert json.loads(result.stdout)["status"] == 500
