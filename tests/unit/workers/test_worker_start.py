"""The start of a worker by itself, without the commands of Celery that it does not need."""

import subprocess
import sys

import pytest

_UNNEEDED = ("celery.bin.celery", "click_repl", "flower", "prompt_toolkit", "pygments", "rich", "tornado")


def test_worker_started_by_itself_loads_no_other_command_of_celery() -> None:
    script = "import sys, workers.__main__; workers.app.loader.import_default_modules(); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert "workers.tasks" in loaded
    assert [name for name in _UNNEEDED if name in loaded] == []


@pytest.mark.parametrize("command", [("workers",), ("celery", "-A", "workers")])
def test_worker_takes_the_same_options_however_it_is_started(command: tuple[str, ...]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", *command, "worker", "--concurrency", "some"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "must be a non-negative integer or 'auto', got 'some'" in " ".join(run.stderr.split())


def test_library_that_a_worker_starts_without_loads_when_somebody_asks_for_it() -> None:
    script = "import workers.__main__, rich.console; print(rich.console.Console.__name__)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["Console"]
