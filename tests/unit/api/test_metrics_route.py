"""Numbers for monitors: right after work, deletion and failures, and the ones the dashboard file asks for."""

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sweeping import partly_failing
from webservice import Hands, sweep_body

from bot.market_store.database import write_transaction
from sweeps.queue.counters import bucket_name, chunk_took, count
from sweeps.storage.tables import chunk

DASHBOARD = Path(__file__).parents[3] / "deploy" / "grafana" / "carrygrid.json"


def samples(client: TestClient) -> dict[str, float]:
    """Return every sample by name and labels."""
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        sample.name
        + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_numbers_of_an_idle_service_are_all_there(client: TestClient) -> None:
    found = samples(client)
    assert found["carrygrid_trials_total state=completed"] == 0
    assert found["carrygrid_trials_total state=failed"] == 0
    assert found["carrygrid_lease_expiries_total"] == 0
    assert found["carrygrid_chunk_seconds_count"] == 0
    assert found["carrygrid_processes kind=worker"] == 0
    assert found["carrygrid_queue_window"] == 4


def test_finished_trials_are_counted_and_stay_so_when_their_sweep_goes(
    client: TestClient, finished: int
) -> None:
    before = samples(client)
    assert before["carrygrid_trials_total state=completed"] == 20
    assert before["carrygrid_sweeps state=completed"] == 1
    assert before["carrygrid_chunk_seconds_count"] == 1
    assert before["carrygrid_chunk_seconds_bucket le=+Inf"] == 1
    assert before["carrygrid_processes kind=dispatcher"] == 1
    client.delete(f"/sweeps/{finished}")
    after = samples(client)
    assert after["carrygrid_trials_total state=completed"] == 20
    assert after["carrygrid_sweeps state=completed"] == 0


def test_failed_trials_are_counted_each_time_they_fail(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body(**partly_failing())).json()["id"]
    hands.work(sweep_id)
    assert samples(client)["carrygrid_trials_total state=failed"] == 1
    assert samples(client)["carrygrid_sweeps state=completed"] == 1
    assert samples(client)["carrygrid_sweeps_completed_with_failures"] == 1
    client.post(f"/sweeps/{sweep_id}/resume")
    hands.work(sweep_id)
    found = samples(client)
    assert found["carrygrid_trials_total state=failed"] == 2
    assert found["carrygrid_trials_total state=completed"] == 1


def test_open_work_is_shown_as_chunks_and_trials(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    hands.split(sweep_id, 5)
    hands.work(sweep_id, chunks=1)
    found = samples(client)
    assert found["carrygrid_open_chunks state=pending"] == 3
    assert found["carrygrid_trials_waiting"] == 15
    assert found["carrygrid_messages_outstanding"] == 3


def test_expired_lease_is_counted(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    with write_transaction(hands.engine) as connection:
        connection.execute(
            chunk.update().where(chunk.c.sweep_id == sweep_id).values(state="running", lease_until_ms=1)
        )
    hands.work(sweep_id)
    assert samples(client)["carrygrid_lease_expiries_total"] == 1


@pytest.mark.parametrize(
    ("elapsed_ms", "bucket"), [(0, 0.1), (100, 0.1), (101, 0.25), (60_000, 60.0), (60_001, None)]
)
def test_chunk_falls_into_the_first_bucket_that_holds_it(elapsed_ms: int, bucket: float | None) -> None:
    assert chunk_took(elapsed_ms) == {bucket_name(bucket): 1, "chunk_seconds_ms": elapsed_ms}


def test_counts_of_many_writers_add_up(client: TestClient, hands: Hands) -> None:
    for writer in range(40):
        with write_transaction(hands.engine) as connection:
            count(connection, {"trials_completed": writer, "trials_failed": 0}, writer=writer)
    assert samples(client)["carrygrid_trials_total state=completed"] == sum(range(40))


def test_every_number_the_dashboard_file_asks_for_exists(client: TestClient, finished: int) -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    names = {name for text in asked for name in re.findall(r"carrygrid_\w+", text)}
    assert len(names) >= 10
    assert names <= {key.partition(" ")[0] for key in samples(client)}
    labels = {label for text in asked for label in re.findall(r'\{(\w+)="', text)}
    assert labels <= {"state", "kind"}


def test_panels_of_the_dashboard_file_have_a_place_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    spots = [
        (x, y)
        for grid in (panel["gridPos"] for panel in panels)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(spots) == len(set(spots))
    assert max(x for x, _ in spots) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
