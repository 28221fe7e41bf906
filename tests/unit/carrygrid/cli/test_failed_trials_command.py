"""Commands say why trials failed, and do not call a sweep with failures simply completed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from commanding import run
from sweeping import OUTGROWN, partly_failing
from webservice import Hands, sweep_body, working

from bot.market_store.database import write_transaction
from carrygrid import Client, FailureReason
from sweeps.errors import ResultRangeError
from sweeps.queue.leases import claim_chunk, save_trials
from sweeps.storage.results import Results, failed_row
from sweeps.work import replay

LINE = f"failed  2 trials, such as {{}}: out_of_range: {OUTGROWN}\n"


def body() -> dict[str, Any]:
    return sweep_body(**partly_failing(perp_leverage=[1, 2]))


def submitted(hands: Hands, address: str) -> int:
    with Client(address) as client:
        sweep_id = client.submit(body()).id
    hands.work(sweep_id)
    return sweep_id


@pytest.mark.parametrize("command", ["show", "top"])
def test_show_and_top_say_why_trials_failed(
    address: str, hands: Hands, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    sweep_id = submitted(hands, address)
    assert run("sweep", command, sweep_id) == 0
    assert LINE.format(2) in capsys.readouterr().out


def test_completed_sweep_with_failures_is_called_so(
    address: str, hands: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep_id = submitted(hands, address)
    assert run("sweep", "show", sweep_id) == 0
    assert "state   completed with failures\n" in capsys.readouterr().out
    assert run("sweep", "list") == 0
    listed = capsys.readouterr().out
    assert "completed with failures" in listed
    assert "2: out_of_range" in listed
    assert run("sweep", "list", "--outcome", "completed_with_failures", "--json") == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["state"], found["outcome"], found["trials_failed"]) == (
        "completed",
        "completed_with_failures",
        2,
    )
    assert run("sweep", "list", "--outcome", "completed", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_retry_says_how_many_trials_run_again(
    address: str, hands: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep_id = submitted(hands, address)
    capsys.readouterr()
    assert run("sweep", "retry", sweep_id) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"2 failed trials run again\nsweep {sweep_id} ")
    assert "trials  2 of 4 done, 0 failed\n" in told
    assert run("sweep", "retry", sweep_id) == 0
    nothing = f"no trial of sweep {sweep_id} has failed: there is nothing to retry\n"
    assert capsys.readouterr().out.startswith(nothing)
    assert run("sweep", "retry", sweep_id, "--json") == 0
    assert json.loads(capsys.readouterr().out)["trials_failed"] == 0


def test_retry_of_a_paused_sweep_says_that_its_trials_wait_until_it_is_resumed(
    address: str, hands: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep_id = submitted(hands, address)
    assert run("sweep", "extend", sweep_id, "--add", "perp_leverage=3") == 0
    assert run("sweep", "pause", sweep_id) == 0
    capsys.readouterr()
    assert run("sweep", "retry", sweep_id) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"2 failed trials run again once sweep {sweep_id} is resumed\nsweep {sweep_id} ")
    assert "state   paused\n" in told
    assert run("sweep", "resume", sweep_id) == 0
    hands.work(sweep_id)
    capsys.readouterr()
    assert run("sweep", "show", sweep_id) == 0
    assert "state   completed with failures\n" in capsys.readouterr().out


def test_retry_counts_no_failed_trial_of_a_chunk_in_work(
    address: str, hands: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    with Client(address) as client:
        sweep_id = client.submit(body()).id
    with write_transaction(hands.engine) as connection:
        claim = claim_chunk(connection, sweep_id, 0, "w")
        assert claim is not None
        failed = [failed_row(sweep_id, 2, "test", "made to fail")]
        save_trials(connection, claim, Results.of(sweep_id, failed=failed), last=False)
    assert run("sweep", "retry", sweep_id) == 0
    told = "0 failed trials run again; those of chunks in work (1) can be retried once these are done\n"
    assert capsys.readouterr().out.startswith(told)


def waited_for(home: Path, spec: Path) -> int:
    with working(home):
        return run("sweep", "submit", spec, "--wait")


def test_waiting_for_a_sweep_with_some_failures_says_why_and_ends_with_status_0(
    address: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(body()))
    assert waited_for(home, spec) == 0
    out = capsys.readouterr().out
    assert "Best trials of sweep 1" in out
    assert out.endswith(LINE.format(2))


def test_waiting_for_a_sweep_of_failures_says_why_and_ends_with_status_1(
    address: str,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_spec: Any, numbers: Sequence[int]) -> Any:
        raise ResultRangeError(f"net_pnl of {numbers[0]}00 does not fit")

    monkeypatch.setattr(replay, "window_groups", refuse)
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(sweep_body()))
    assert waited_for(home, spec) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "no trial completed",
        "failed  20 trials, such as 0: out_of_range: net_pnl of 000 does not fit",
    ]


def test_client_tells_outcome_and_reasons(address: str, hands: Hands) -> None:
    sweep_id = submitted(hands, address)
    with Client(address) as client:
        sweep = client.sweep(sweep_id)
        assert (sweep.state, sweep.outcome) == ("completed", "completed_with_failures")
        assert sweep.failures() == [FailureReason("out_of_range", OUTGROWN, 2, 2)]
        assert str(sweep.progress()).endswith("completed, 2 failed")
        assert [one.id for one in client.sweeps(outcome="completed_with_failures")] == [sweep_id]
        clean = client.submit(sweep_body())
        assert (clean.outcome, clean.failures()) == (None, [])
