"""Settings of the Celery application that a sweep's safety hangs on."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import workers
from bot.errors import InvalidInputError
from bot.market_store.database import open_engine
from sweeps.queue.messages import REPLAY_CHUNK_TASK, REPLAY_QUEUE
from sweeps.watch import MAX_TRIAL_TIMEOUT_S
from workers.app import broker_transport_options, celery_settings, make_app
from workers.settings import WorkerSettings


def test_messages_are_json_acknowledged_late_and_never_hoarded() -> None:
    found = celery_settings(WorkerSettings())
    assert found["accept_content"] == ["json"]
    assert found["task_acks_late"]
    assert not found["task_reject_on_worker_lost"]
    assert found["worker_prefetch_multiplier"] == 1
    assert found["result_backend"] is None


TWICE = 2 * WorkerSettings().hard_time_limit_s


def test_limits_of_the_task_queue_follow_from_the_longest_that_a_trial_may_take() -> None:
    found = celery_settings(WorkerSettings())
    assert MAX_TRIAL_TIMEOUT_S < found["task_soft_time_limit"] < found["task_time_limit"]
    assert found["broker_transport_options"]["visibility_timeout"] > 2 * found["task_time_limit"]


@pytest.mark.parametrize(("visibility", "accepted"), [(TWICE, False), (100, False), (TWICE + 1, True)])
def test_visibility_must_exceed_twice_the_hard_limit(visibility: int, accepted: bool) -> None:
    settings = WorkerSettings(visibility_timeout_s=visibility)
    if accepted:
        assert broker_transport_options(settings)["visibility_timeout"] == visibility
        return
    with pytest.raises(InvalidInputError, match=f"{visibility} must be more than twice"):
        broker_transport_options(settings)


@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [
        (("celery", "-A", "workers", "worker"), "CARRYGRID_VISIBILITY_TIMEOUT_S", "360"),
        (("celery", "-A", "workers", "worker"), "CARRYGRID_LOG_LEVEL", "loud"),
        (("workers", "worker"), "CARRYGRID_LOG_LEVEL", "loud"),
        (("workers.dispatcher",), "CARRYGRID_LEASE_S", "soon"),
        (("uvicorn", "api.main:app"), "CARRYGRID_LOG_FORMAT", "xml"),
    ],
)
def test_process_that_is_told_nonsense_does_not_start_and_says_why_in_one_line(
    command: tuple[str, ...], variable: str, value: str, tmp_path: Path
) -> None:
    run = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, "CARRYGRID_HOME": str(tmp_path), variable: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"error: {variable}: ")
    assert value in line


@pytest.mark.parametrize(
    ("variable", "value"), [("CARRYGRID_TRIAL_TIMEOUT_S", "86401"), ("CARRYGRID_TRIAL_TIMEOUT_S", "0")]
)
def test_setting_beyond_its_range_is_refused_by_the_name_of_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidInputError, match=f"^{variable}: .*{value}"):
        WorkerSettings()


def test_task_is_known_by_the_name_the_dispatcher_sends() -> None:
    app = make_app(WorkerSettings(broker_url="redis://127.0.0.1:1/0"))
    app.loader.import_default_modules()
    assert REPLAY_CHUNK_TASK in workers.app.tasks
    assert app.conf.task_default_queue == REPLAY_QUEUE


def test_environment_names_database_and_broker_and_empty_means_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CARRYGRID_HOME", str(tmp_path))
    monkeypatch.setenv("CARRYGRID_DATABASE_URL", "")
    monkeypatch.setenv("CARRYGRID_BROKER_URL", "redis://there:1/2")
    settings = WorkerSettings()
    assert settings.database == f"sqlite:///{tmp_path / 'carrygrid.db'}"
    assert settings.broker == "redis://there:1/2"


@pytest.mark.parametrize("name", ["two words", "50%20off", "what?", "a#b", "m@n:o", "größer"])
def test_database_lies_in_the_home_folder_whatever_its_name(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    engine = open_engine(WorkerSettings(home=home, database_url=None).database)
    engine.connect().close()
    engine.dispose()
    assert [path.name for path in home.iterdir()] == ["carrygrid.db"]


def test_environment_is_read_in_settings_only() -> None:
    folder = Path(workers.__file__).parent
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text())
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not names & {"environ", "getenv"}, path
