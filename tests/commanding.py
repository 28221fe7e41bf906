"""The command `carrygrid` as a user types it: in a process of its own, or in this one at no start's cost."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from carrygrid.cli import main

COMMAND = Path(sys.executable).parent / "carrygrid"


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a command over `home`, without settings of whoever runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CARRYGRID_")}
    return {**inherited, "CARRYGRID_HOME": str(home), **more}


def run(*arguments: object) -> int:
    """Run the command here, with the environment and streams of the test; return its status."""
    with pytest.raises(SystemExit) as leaving:
        main([str(argument) for argument in arguments])
    return int(leaving.value.code or 0)


def as_process(home: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command beside `home` to its end; `more` are variables of its environment."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        env=environment_of(home, **more),
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def in_process(home: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command as `as_process` does, but here: modules are loaded already, signals stay as they are.

    An error that the command does not report itself is raised.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        patch.dict(os.environ, environment_of(home, **more), clear=True),
        patch.object(sys, "excepthook", sys.excepthook),
        contextlib.chdir(home.parent),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as leaving,
    ):
        main([str(argument) for argument in arguments])
    said = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return subprocess.CompletedProcess(
        [str(COMMAND), *map(str, arguments)], int(leaving.value.code or 0), *said
    )
