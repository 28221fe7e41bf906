"""Files named on the command line: read no further than they may be long, and refused by their name."""

import io
import os
import sys
from pathlib import Path

import pytest
from commanding import in_process

from bot.errors import InvalidInputError
from carrygrid.cli import files

COMMANDS = [
    ("backtest", "{}"),
    ("compare", "{}"),
    ("sweep", "submit", "{}", "--dry-run"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_file_without_end_is_refused_by_its_name(tmp_path: Path, command: tuple[str, ...]) -> None:
    result = in_process(tmp_path / "home", *(part.format("/dev/zero") for part in command))
    assert (result.returncode, result.stderr) == (
        2,
        "error: /dev/zero: is larger than 8,388,608 bytes\n",
    )


def test_file_of_the_most_bytes_is_read_and_one_byte_more_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 5)
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbfab")
    assert files.read_text(path) == "ab"
    path.write_bytes(b"123456")
    with pytest.raises(InvalidInputError, match="text: is larger than 5 bytes"):
        files.read_text(path)
    with pytest.raises(InvalidInputError, match=f"mapping: {path}: is larger than 5 bytes"):
        files.read_text(path, "mapping")
    path.write_bytes(b"\xff")
    with pytest.raises(InvalidInputError, match="text: is no UTF-8 text"):
        files.read_text(path)
    with pytest.raises(InvalidInputError, match="mapping: .*: Is a directory"):
        files.read_text(tmp_path, "mapping")


def test_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_text("a file of that name")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("größer".encode())))
    assert files.read_text(Path("-")) == "größer"
    assert files.read_text(Path("./-").absolute()) == "a file of that name"


def test_file_in_a_folder_that_is_not_there_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "copy.db"
    result = in_process(tmp_path / "home", "backup", path)
    assert (result.returncode, result.stderr) == (
        2,
        f"error: FILE: {path}: there is no folder {path.parent}\n",
    )


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_pipe_or_device_is_not_replaced_by_a_file(tmp_path: Path, force: list[str]) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    result = in_process(tmp_path / "home", "backup", path, *force)
    assert (result.returncode, result.stderr) == (2, f"error: FILE: {path} is no file\n")
    assert path.is_fifo()
