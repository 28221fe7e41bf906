"""Connections that fall silent, break or are slow, while both of their ends live on."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from harms import harmful
from harness import Installation, installation, pause
from oracle import assert_promise_kept
from servers import eventually, postgres_database, postgres_server
from sweeping import sweep_spec
from webservice import fill

pytestmark = pytest.mark.broker

SPEC = sweep_spec(
    name=harmful(trial_ms=10),
    grid={
        "min_funding_rate": {"start": "0.00001", "stop": "0.0004", "step": "0.00001"},
        "exit_funding_rate": {"start": "0", "stop": "0.0001", "step": "0.00001"},
    },
    curves="none",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, market_template: Path) -> Iterator[Installation]:
    """Return a service with PostgreSQL, that waits 10 s for it."""
    folder = tmp_path_factory.mktemp("network")
    limits = {"stall_limit_s": "10"}
    with postgres_server() as server, postgres_database(server, "network_faults") as url:
        fill(url)
        with installation(folder, market_template, postgres_url=url, **limits) as one:
            yield one


@pytest.mark.slow
def test_connections_to_the_broker_that_fall_silent_are_given_up_and_opened_anew(
    running: Installation,
) -> None:
    sweep_id = running.submit(SPEC, size=20)
    running.wait_for_rows(sweep_id, 40)
    before = running.broker_proxy.connections
    assert before >= 3
    running.broker_proxy.swallow()
    running.wait_until_done(sweep_id, seconds=60)
    running.assert_promise_kept(sweep_id, SPEC)
    assert running.keeper.deaths == []


@pytest.mark.postgres
@pytest.mark.parametrize("fault", ["cut", "reset", "refuse for 2 s", "slow for 2 s"])
def test_broken_connections_to_the_database_lose_nothing(running: Installation, fault: str) -> None:
    proxy = running.database_proxy
    assert proxy
    sweep_id = running.submit(SPEC, size=20)
    running.wait_for_rows(sweep_id, 40)
    if fault == "cut":
        proxy.cut()
    elif fault == "reset":
        proxy.reset()
    elif fault == "refuse for 2 s":
        proxy.refuse()
        pause(2)
    else:
        proxy.delay(0.3)
        pause(2)
    proxy.restore()
    running.wait_until_done(sweep_id, seconds=60)
    running.assert_promise_kept(sweep_id, SPEC)


@pytest.mark.slow
@pytest.mark.postgres
def test_process_whose_connection_to_the_database_falls_silent_is_ended_and_started_anew(
    running: Installation,
) -> None:
    """Nothing else would notice: what is sent is acknowledged, and no answer ever comes.

    The server believes the lost connections alive as well, so what they have locked is free after a minute.
    """
    assert running.database_proxy
    sweep_id = running.submit(SPEC, size=20)
    running.wait_for_rows(sweep_id, 40)
    dispatcher = running.keeper.processes["dispatcher"]
    running.database_proxy.swallow()
    eventually(lambda: running.keeper.has_replaced(dispatcher), 30, "the dispatcher is started anew")
    assert re.search(r"Timeout \(0:00:(10|09\.9\d*)\)!", running.service.log_of("dispatcher"))
    running.wait_until_done(sweep_id, seconds=150)
    running.keeper.forsake("api").kill()
    assert_promise_kept(running.engine, sweep_id, SPEC, {})
