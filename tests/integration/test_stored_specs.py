"""Sweeps compiled when they are submitted, and by nobody who asks for them afterwards."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sweeping import BASE, submit, sweep_spec
from webservice import DATABASE, Hands, sweep_body

from api.application import create_app
from api.settings import Settings
from bot.clock import SystemClock
from bot.market_store.database import write_transaction
from bot.market_store.store import HistoricalDataStore
from sweeps.analysis.progress import get_spec, get_sweep, list_sweeps
from sweeps.lifecycle.extend_clone import extend_sweep, extended_spec
from sweeps.lifecycle.repository import spec_text
from sweeps.queue.reconcile import ChunkRef
from sweeps.spec import compiling
from sweeps.storage import stored_specs
from sweeps.storage.tables import compiled_sweep, sweep
from sweeps.work.dispatch import Dispatcher
from sweeps.work.replay import WindowCache
from sweeps.work.runner import ChunkRunner

THIN = {"constraints": ["exit_funding_rate <= min_funding_rate"], "curves": {"top": 2}}
THIN_TRIALS = sweep_spec(**THIN).trial_count


class Silent:
    """A queue whose messages nobody hears."""

    def publish(self, ref: ChunkRef) -> None:
        """Take a message."""


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what will hold an entry for each search space that is counted."""
    counted: list[str] = []
    build = compiling.build_space

    def counting(*args: object, **kwargs: object) -> object:
        counted.append("space")
        return build(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(compiling, "build_space", counting)
    return counted


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what makes this process as new as one that has just been started."""

    def start_anew() -> None:
        monkeypatch.setattr(stored_specs, "_cache", stored_specs.SpecCache())

    start_anew()
    return start_anew


def step(engine: sa.Engine, times: int = 1) -> None:
    dispatcher = Dispatcher(engine, Silent(), "test")
    for _ in range(times):
        dispatcher.step()


def without_compiled(engine: sa.Engine) -> None:
    """Leave the sweeps as a program without the table left them."""
    with write_transaction(engine) as connection:
        connection.execute(compiled_sweep.delete())


def test_submission_compiles_once_and_no_request_afterwards_does(
    home: Path, hands: Hands, compilations: list[str], forget: Callable[[], None]
) -> None:
    app = create_app(Settings(home=home, database_url=f"sqlite:///{home / DATABASE}"))
    with TestClient(app, "http://localhost") as client:
        submitted = client.post("/sweeps", json=sweep_body(**THIN))
        assert (submitted.status_code, compilations) == (202, ["space"])
        sweep_id = submitted.json()["id"]
        forget()
        hands.work(sweep_id)
        forget()
        for path in ("/sweeps", "/", f"/sweeps/{sweep_id}", f"/dashboard/sweeps/{sweep_id}"):
            assert client.get(path).status_code == 200
        for part in (
            "trials",
            "trials/0",
            "heatmap?x=perp_leverage&y=min_funding_rate",
            "overview",
            "export",
        ):
            assert client.get(f"/sweeps/{sweep_id}/{part}").status_code == 200
        assert compilations == ["space"]
        validated = client.post("/sweeps/validate", json=sweep_body(**THIN))
        assert (validated.status_code, compilations) == (200, ["space", "space"])


@pytest.mark.parametrize(
    ("method", "path", "body", "compiled"),
    [
        ("PATCH", "/sweeps/1", {"add_values": {"perp_leverage": [20]}}, 1),
        ("PATCH", "/sweeps/1", {"extend_to": "2024-03-30"}, 1),
        ("PATCH", "/sweeps/1", {"note": "kept"}, 0),
        ("POST", "/sweeps/1/clone", {"base": {"slippage_bps": 7}}, 1),
        ("POST", "/sweeps/1/probe?trial=0", None, 0),
        ("POST", "/backtests", BASE, 0),
        ("POST", "/backtests/validate", BASE, 1),
        ("GET", "/dashboard/sweeps/new?clone=1", None, 0),
        ("GET", "/dashboard/backtest?sweep=1&trial=0", None, 0),
    ],
)
def test_what_asks_for_work_compiles_its_space_once_and_forms_none(
    home: Path, compilations: list[str], method: str, path: str, body: object, compiled: int
) -> None:
    app = create_app(Settings(home=home, database_url=f"sqlite:///{home / DATABASE}"))
    with TestClient(app, "http://localhost") as client:
        base = {**BASE, "end": "2024-03-01"}
        assert client.post("/sweeps", json=sweep_body(base=base, **THIN)).json()["id"] == 1
        del compilations[:]
        response = client.request(method, path, json=body)
    assert response.status_code in {200, 202}, response.text
    assert compilations == ["space"] * compiled


def test_list_and_state_of_sweeps_without_a_best_trial_read_no_space_at_all(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, forget: Callable[[], None]
) -> None:
    sweep_id = submit(engine, sweep_spec(**THIN))
    forget()
    monkeypatch.setattr(stored_specs.SpecCache, "get", lambda *_: pytest.fail("read a space"))
    with engine.connect() as connection:
        (found,) = list_sweeps(connection).sweeps
        assert (found.summary.name, found.trials_total, found.best) == ("test", THIN_TRIALS, None)
        assert get_sweep(connection, sweep_id).summary == found.summary


def test_worker_and_dispatcher_compile_nothing(
    engine: sa.Engine, compilations: list[str], forget: Callable[[], None]
) -> None:
    sweep_id = submit(engine, sweep_spec(**THIN), size=40)
    del compilations[:]
    forget()
    runner = ChunkRunner(engine, WindowCache(HistoricalDataStore(engine)), SystemClock())
    for chunk_id in range(3):
        runner.run(sweep_id, chunk_id, "me")
    step(engine, 2)
    with engine.connect() as connection:
        assert get_sweep(connection, sweep_id).state == "completed"
    assert compilations == []


def test_extension_replaces_what_is_stored(
    engine: sa.Engine, compilations: list[str], forget: Callable[[], None]
) -> None:
    before = sweep_spec(**THIN)
    sweep_id = submit(engine, before)
    grown = extended_spec(before, add_values={"perp_leverage": [20]})
    with write_transaction(engine) as connection:
        extend_sweep(connection, sweep_id, before, grown)
    del compilations[:]
    forget()
    with engine.connect() as connection:
        assert get_spec(connection, sweep_id).digest == grown.digest
        assert get_spec(connection, sweep_id).trial_count == grown.trial_count
    assert compilations == []


def test_sweeps_of_before_are_shown_and_compiled_once_by_the_dispatcher(
    engine: sa.Engine, compilations: list[str], forget: Callable[[], None]
) -> None:
    first, second = submit(engine, sweep_spec(**THIN)), submit(engine, sweep_spec())
    with engine.connect() as connection:
        summaries = [view.summary for view in list_sweeps(connection).sweeps]
    without_compiled(engine)
    forget()
    with engine.connect() as connection:
        assert [view.summary for view in list_sweeps(connection).sweeps] == summaries
    step(engine, 4)
    del compilations[:]
    forget()
    with engine.connect() as connection:
        assert [view.summary for view in list_sweeps(connection).sweeps] == summaries
        assert [get_spec(connection, one).trial_count for one in (first, second)] == [THIN_TRIALS, 120]
    assert compilations == []


def test_dispatcher_passes_over_a_sweep_that_cannot_be_read_and_compiles_others(
    engine: sa.Engine,
) -> None:
    readable, unreadable = submit(engine, sweep_spec()), submit(engine, sweep_spec())
    without_compiled(engine)
    text = '{"name": "x", "base": {"strategy_mode": "gone"}, "grid": {}}'
    with write_transaction(engine) as connection:
        connection.execute(sweep.update().where(sweep.c.id == unreadable).values(spec=text))
    step(engine, 3)
    with engine.connect() as connection:
        assert list(connection.scalars(sa.select(compiled_sweep.c.sweep_id))) == [readable]
        assert [view.id for view in list_sweeps(connection).sweeps] == [readable]


def test_stored_cells_of_another_text_are_not_used(engine: sa.Engine, forget: Callable[[], None]) -> None:
    sweep_id = submit(engine, sweep_spec())
    other = sweep_spec(base=BASE, grid={"perp_leverage": [1, 2]})
    with write_transaction(engine) as connection:
        connection.execute(sweep.update().values(spec=spec_text(other)))
    forget()
    with engine.connect() as connection:
        assert get_spec(connection, sweep_id).trial_count == 2
        assert get_sweep(connection, sweep_id).summary.axes == ("perp_leverage",)
