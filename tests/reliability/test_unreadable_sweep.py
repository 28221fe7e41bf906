"""A stored sweep that this installation cannot read, as when the strategy it names was uninstalled."""

import json
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from sweeping import BASE, chunks_of, state_of, submit, sweep_spec
from webservice import Hands, serving

from bot.market_store.database import write_transaction
from sweeps.errors import UnreadableSweepError
from sweeps.queue.leases import ATTEMPT_LIMIT
from sweeps.storage.tables import sweep
from sweeps.work.dispatch import Dispatcher

SPEC = sweep_spec(grid={"perp_leverage": [1, 2]}, curves="none")


def name_strategy(engine: sa.Engine, sweep_id: int, strategy: str) -> None:
    document = SPEC.document() | {"base": BASE | {"strategy": strategy}}
    with write_transaction(engine) as connection:
        connection.execute(sweep.update().where(sweep.c.id == sweep_id).values(spec=json.dumps(document)))


def test_it_is_ended_with_the_reason_after_its_attempts_and_holds_up_no_other(hands: Hands) -> None:
    unreadable, other = submit(hands.engine, SPEC), submit(hands.engine, SPEC)
    name_strategy(hands.engine, unreadable, "gone")
    for attempt in range(1, ATTEMPT_LIMIT + 1):
        with pytest.raises(UnreadableSweepError, match="gone"):
            hands.work(unreadable)
        (found,) = chunks_of(hands.engine, unreadable)
        assert found.attempts == attempt
        assert "gone" in found.last_error
    Dispatcher(hands.engine, hands, "test").step()
    hands.work(other)
    assert state_of(hands.engine, other) == "completed"
    assert state_of(hands.engine, unreadable) == "cancelled"
    with hands.engine.connect() as connection:
        reason = connection.execute(sa.select(sweep.c.reason).where(sweep.c.id == unreadable)).scalar_one()
    assert reason.startswith("this installation cannot read the sweep: ")
    assert "gone" in reason


def test_a_sweep_that_ends_while_it_cannot_be_read_is_complete(hands: Hands) -> None:
    sweep_id = submit(hands.engine, SPEC)
    hands.work(sweep_id)
    with write_transaction(hands.engine) as connection:
        connection.execute(sweep.update().values(state="running", finished_ms=None))
    name_strategy(hands.engine, sweep_id, "gone")
    Dispatcher(hands.engine, hands, "test").step()
    assert state_of(hands.engine, sweep_id) == "completed"


def test_it_hides_no_other_from_lists_says_why_and_can_be_deleted(hands: Hands, home: Path) -> None:
    unreadable, other = submit(hands.engine, SPEC), submit(hands.engine, SPEC)
    name_strategy(hands.engine, unreadable, "gone")
    with serving(home) as url, httpx2.Client(base_url=url, trust_env=False, timeout=60) as client:
        assert [found["id"] for found in client.get("/sweeps").json()["sweeps"]] == [other]
        assert client.get("/", follow_redirects=True).status_code == 200
        refused = client.get(f"/sweeps/{unreadable}")
        assert refused.status_code == 422
        assert refused.json()["type"].endswith(":unreadable_sweep")
        assert "gone" in refused.json()["detail"]
        assert client.delete(f"/sweeps/{unreadable}").status_code == 204
        assert client.get(f"/sweeps/{unreadable}").status_code == 404
