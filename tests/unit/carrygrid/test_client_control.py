"""A client starts, follows, changes and ends sweeps, and says clearly what is refused."""

import threading
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from servers import eventually, free_port
from sweeping import BASE, metrics_of_trials
from webservice import Hands, serving, sweep_body

from bot.market_store.deleting import Selection
from bot.market_store.store import HistoricalDataStore
from carrygrid import Client, FieldProblem, Progress, ServiceError
from sweeps.jobs.job_runner import JobRunner


def test_spec_of_python_values_is_submitted_exactly(client: Client) -> None:
    base = {**BASE, "start": date(2024, 1, 10)}
    grid = {
        "min_funding_rate": [Decimal("0.00002"), Decimal("1E-4")],
        "perp_leverage": np.array([1, 2, 5]),
        "min_holding_periods": [np.int64(30)],
    }
    sweep = client.submit(sweep_body(base=base, grid=grid))
    assert sweep.document["trials_total"] == 6
    assert sweep.document["spec"]["grid"]["min_funding_rate"] == ["0.00002", "0.0001"]


def test_spec_in_a_file_and_as_text_is_the_same_sweep(client: Client, tmp_path: Path) -> None:
    text = (
        b'{"name": "f", "base": {"symbols": ["BTC/USDT:USDT"], "start": "2024-01-10", "end": "2024-02-01"}}'
    )
    (tmp_path / "spec.json").write_bytes(text)
    from_file, from_text = client.submit(tmp_path / "spec.json"), client.submit(text)
    assert from_file.document["spec"] == from_text.document["spec"]


def test_same_key_answers_the_same_sweep_and_another_spec_is_refused(client: Client) -> None:
    first = client.submit(sweep_body(), idempotency_key="mine")
    assert client.submit(sweep_body(), idempotency_key="mine").id == first.id
    with pytest.raises(ServiceError) as refused:
        client.submit(sweep_body(name="other"), idempotency_key="mine")
    assert (refused.value.code, refused.value.status) == ("idempotency_conflict", 409)


@pytest.mark.parametrize("key", ["", " ", "mine ", "kéy", "a\nb", "x" * 201])
def test_key_that_no_header_can_hold_is_refused_by_its_name(client: Client, key: str) -> None:
    with pytest.raises(ServiceError) as refused:
        client.submit(sweep_body(), idempotency_key=key)
    assert [error.field for error in refused.value.errors] == ["idempotency_key"]
    assert not refused.value.unavailable
    assert client.sweeps() == []


def test_refused_fields_are_named(client: Client) -> None:
    with pytest.raises(ServiceError) as refused:
        client.submit(sweep_body(grid={"perp_leverage": [1, "x"]}))
    assert refused.value.errors[0].field == "grid.perp_leverage.values[1]"
    assert isinstance(refused.value.errors[0], FieldProblem)
    with pytest.raises(TypeError, match="has no form in JSON"):
        client.submit(sweep_body(name=object()))


def test_sweep_tells_that_its_data_are_no_longer_held(client: Client, hands: Hands) -> None:
    sweep = client.submit(sweep_body())
    assert sweep.data_changed is None
    selection = Selection.parse(exchange="synthetic", symbol="BTCUSDT", series="perp", from_="2024-02-01")
    HistoricalDataStore(hands.engine).remove(selection)
    told = client.sweep(sweep.id).data_changed
    assert str(told).startswith("the market data that it was submitted on are no longer held")


def test_waiting_tells_the_progress_and_ends_with_the_sweep(
    client: Client, hands: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = client.submit(sweep_body())
    hands.split(sweep.id, 5)
    seen: list[Progress] = []

    def work_on(progress: Progress) -> None:
        seen.append(progress)
        hands.work(sweep.id, chunks=1)

    assert sweep.wait(progress=work_on).state == "completed"
    assert [progress.done for progress in seen] == [0, 5, 10, 15, 20]
    sweep.wait()
    assert "[##############################] 20 of 20" in capsys.readouterr().err
    sweep.wait(progress=False)
    assert capsys.readouterr().err == ""


def test_waiting_ends_in_time_and_at_a_pause(client: Client) -> None:
    sweep = client.submit(sweep_body())
    with pytest.raises(TimeoutError, match=r"sweep 1 is not over after 0.1 s"):
        sweep.wait(progress=False, timeout_s=0.1)
    assert sweep.pause().wait(progress=False).state == "paused"


def test_waiting_outlasts_a_service_that_restarts(home: Path, hands: Hands) -> None:
    port = free_port()
    states: list[str] = []
    with serving(home, port=port) as address:
        client = Client(address)
        sweep = client.submit(sweep_body())
        waiting = threading.Thread(
            target=lambda: sweep.wait(progress=lambda progress: states.append(progress.state))
        )
        waiting.start()
        eventually(lambda: bool(states), 20, "the client waits")
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"{address}/healthz")
    hands.work(sweep.id)
    with serving(home, port=port):
        waiting.join(30)
    client.close()
    assert not waiting.is_alive()
    assert states[-1] == "completed"


def test_a_sweep_is_paused_resumed_cancelled_grown_copied_and_deleted(client: Client, hands: Hands) -> None:
    sweep = client.submit(sweep_body())
    assert sweep.pause().state == "paused"
    assert sweep.resume().state == "queued"
    assert sweep.cancel().state == "cancelled"
    assert sweep.resume().state == "queued"
    hands.work(sweep.id)
    assert sweep.retry().state == "completed"
    assert sweep.label(tags=["btc"], note="look again").document["tags"] == ["btc"]
    assert sweep.document["note"] == "look again"
    assert sweep.extend({"perp_leverage": [Decimal(2)]}).document["trials_total"] == 30
    copy = sweep.clone({"name": "copy"})
    assert [found.name for found in client.sweeps()] == ["copy", sweep.name]
    assert [found.id for found in client.sweeps(tag="btc")] == [sweep.id]
    copy.delete()
    with pytest.raises(ServiceError) as gone:
        copy.refresh()
    assert (gone.value.code, gone.value.status) == ("not_found", 404)


def test_promoted_trial_run_on_its_own_is_the_same_run(client: Client, hands: Hands) -> None:
    sweep = client.submit(sweep_body())
    hands.work(sweep.id)
    best = sweep.top(1)[0]
    found: list[Any] = []
    asking = threading.Thread(target=lambda: found.append(client.backtest(sweep.promote(best.number))))
    asking.start()
    assert eventually_ran(hands, 1) == "completed"
    asking.join(30)
    run = found[0]
    assert run.run_key == best.run_key
    stored = metrics_of_trials(run.metrics)
    assert {name: best.metrics[name] for name in stored} == stored
    assert run.equity[-1].equity == best.metrics["final_equity"]
    assert sum(trade.net_pnl for trade in run.trades) == best.metrics["net_pnl"]
    assert run.config["perp_leverage"] == f"{best.params['perp_leverage']:f}"


def test_backtest_that_is_refused_names_the_field(client: Client) -> None:
    with pytest.raises(ServiceError) as refused:
        client.backtest({**BASE, "perp_leverage": "-1"})
    assert refused.value.errors[0].field == "perp_leverage"


def eventually_ran(hands: Hands, job_id: int) -> str | None:
    """Run a job as soon as it is there."""
    states: list[str | None] = []

    def ran() -> bool:
        state = JobRunner(hands.engine).run(job_id)
        states.append(state)
        return state is not None

    eventually(ran, 30, "the job is there")
    return states[-1]


def test_token_is_sent_and_asked_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(home, api_token="secret") as address:
        with Client(address) as stranger, pytest.raises(ServiceError) as refused:
            stranger.sweeps()
        assert refused.value.status == 401
        with Client(address, "geheim€") as wrong, pytest.raises(ServiceError) as also_refused:
            wrong.sweeps()
        assert also_refused.value.status == 401
        monkeypatch.setenv("CARRYGRID_API_URL", address)
        monkeypatch.setenv("CARRYGRID_API_TOKEN", "secret")
        with Client() as named:
            assert named.sweeps() == []
            assert "secret" not in repr(named)


def test_service_that_does_not_answer_is_an_error_with_the_remedy() -> None:
    with Client(f"http://127.0.0.1:{free_port()}") as client, pytest.raises(ServiceError) as away:
        client.sweep(1).wait()
    assert (away.value.code, away.value.status) == ("api_unreachable", 503)
    assert "carrygrid up" in away.value.detail
