"""`carrygrid sweep ...` against a served application."""

import io
import json
import sys
from pathlib import Path

import httpx2
import pytest
from commanding import run
from servers import free_port
from webservice import Hands, sweep_body, working

from bot.kernel import loading
from bot.kernel.loading import UnusableLibraryError
from carrygrid.cli import demo as demo_command
from carrygrid.cli import serving as serving_command


def test_a_sweep_is_submitted_shown_ranked_cancelled_and_resumed(
    address: str, spec: Path, hands: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sweep", "submit", spec) == 0
    assert f"sweep 1: 20 trials; {address}/dashboard/sweeps/1" in capsys.readouterr().out
    assert run("sweep", "cancel", 1) == 0
    assert "cancelled" in capsys.readouterr().out
    assert run("sweep", "resume", 1, "--json") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "queued"
    hands.work(1)
    capsys.readouterr()
    assert run("sweep", "show", 1) == 0
    assert "20 of 20 done, 0 failed" in capsys.readouterr().out
    assert run("sweep", "top", 1, "--sort=-net_pnl", "--limit", 3, "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
    assert run("sweep", "top", 1) == 0
    assert "Annualized" in capsys.readouterr().out
    assert run("sweep", "top", 1, "--sort", "foo") == 2
    said = 'error: sort: "foo" is neither a metric nor an axis of this sweep\n'
    assert capsys.readouterr() == ("", said)


def test_wait_follows_a_sweep_to_its_end_and_prints_its_best_trials(
    address: str, spec: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with working(home):
        assert run("sweep", "submit", spec, "--wait") == 0
    printed = capsys.readouterr().out
    assert "Best trials of sweep 1" in printed
    assert "is being judged" not in printed


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (json.dumps(sweep_body(nmae=1)), "nmae"),
        (json.dumps(sweep_body(grid={"perp_leverage": [1, "x"]})), "grid.perp_leverage.values[1]"),
        ('{"base": NaN}', "NaN"),
        ("", "spec.json"),
    ],
)
def test_refused_spec_is_one_line_naming_the_field(
    address: str, spec: Path, capsys: pytest.CaptureFixture[str], text: str, named: str
) -> None:
    spec.write_text(text)
    assert run("sweep", "submit", spec) == 2
    captured = capsys.readouterr()
    assert named in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert run("sweep", "submit", spec, "--json") == 2
    assert json.loads(capsys.readouterr().out)["status"] == 422


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("extend", "error: extend: nothing to extend by: give --add, --to or --samples\n"),
        ("tag", "error: tag: nothing to replace: give --tag or --note\n"),
    ],
)
def test_change_that_names_nothing_to_change_is_bad_input(
    capsys: pytest.CaptureFixture[str], command: str, said: str
) -> None:
    assert run("sweep", command, 1) == 2
    assert capsys.readouterr().err == said


def test_group_without_a_command_shows_its_help_and_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sweep") == 2
    captured = capsys.readouterr()
    assert "Submit and follow parameter sweeps" in captured.out
    assert captured.err == ""


def test_sweep_that_does_not_exist_is_bad_input(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sweep", "show", 77) == 2
    assert capsys.readouterr().err == "error: there is no sweep 77\n"


def test_api_that_does_not_answer_is_one_line_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARRYGRID_API_URL", f"http://127.0.0.1:{free_port()}")
    assert run("sweep", "show", 1) == 1
    message = capsys.readouterr().err
    assert "carrygrid up" in message
    assert message.count("\n") == 1


def test_dry_run_prints_size_time_and_space_and_submits_nothing(
    address: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(json.dumps(sweep_body(constraints=["exit_funding_rate < min_funding_rate"])))
    assert run("sweep", "submit", spec, "--dry-run") == 0
    told = capsys.readouterr().out
    assert "trials      16 of 20 combinations" in told
    assert "left out    4 by exit_funding_rate < min_funding_rate" in told
    assert "measured on its window" in told
    assert run("sweep", "submit", spec, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["trials"] == 16
    assert httpx2.get(f"{address}/sweeps").json()["sweeps"] == []


def test_dry_run_says_that_a_sample_has_fewer_trials_than_were_asked_for(
    address: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for asked, said in ((20, False), (1_200, True)):
        spec.write_text(json.dumps(sweep_body(sampler={"kind": "random", "n": asked})))
        assert run("sweep", "submit", spec, "--dry-run") == 0
        told = capsys.readouterr().out
        assert told.startswith("trials      20 of 20 combinations\n")
        assert ("sample      1,200 asked for: the sampler finds no more different trials\n" in told) is said


def test_dry_run_names_axes_without_a_value_and_writes_an_empty_list_as_one(
    address: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    never = {"values": ["0.1", "0.2"], "when": {"perp_leverage": [3]}}
    stresses: list[object] = [[], [{"at": "2024-01-20"}]]
    spec.write_text(json.dumps(sweep_body(grid={"stress": stresses, "exit_funding_rate": never})))
    assert run("sweep", "submit", spec, "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("  stress  2 values, [] to at 2024-01-20T00:00:00Z")
    assert lines[2] == "  exit_funding_rate  0 values, conditional"
    said = 'exit_funding_rate is left out of every trial: its "when" {"perp_leverage": [3]} holds in none'
    assert lines[3] == f"unread      {said}"
    assert run("sweep", "submit", spec, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["unread"] == [
        {"axis": "exit_funding_rate", "when": None, "trials": 0, "message": said}
    ]


def test_dry_run_up_and_demo_say_once_how_slow_sweeps_are_without_the_kernel(
    address: str, spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "found", lambda: UnusableLibraryError("it has not been built"))
    said = (
        "no replay kernel (it has not been built): sweeps run plainly, 100 to 250 times slower; "
        "`python -m bot.kernel.build` builds it"
    )
    assert run("sweep", "submit", spec, "--dry-run") == 0
    assert f"SLOW        {said}\n" in capsys.readouterr().out
    monkeypatch.setattr(serving_command, "LocalStack", _Interrupted)
    monkeypatch.setattr(demo_command, "_prepared", _Interrupted)
    for command in ("up", "demo"):
        assert run(command) == 130
        assert capsys.readouterr().err.splitlines()[0] == f"SWEEPS RUN PLAINLY: {said}"


class _Interrupted:
    """Start of a service that a signal ends."""

    def __init__(self, *_: object, **__: object) -> None:
        raise KeyboardInterrupt


def test_a_sweep_of_one_trial_is_counted_in_the_singular(
    address: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(json.dumps(sweep_body(grid={"perp_leverage": [1]})))
    assert run("sweep", "submit", spec, "--dry-run") == 0
    told = capsys.readouterr().out
    assert "trials      1 of 1 combination\n  perp_leverage  1 value, 1\n" in told
    assert "with 1 process, " in told
    assert run("sweep", "submit", spec) == 0
    assert capsys.readouterr().out == f"sweep 1: 1 trial; {address}/dashboard/sweeps/1\n"


def test_a_sweep_is_tagged_paused_extended_cloned_listed_and_deleted(
    address: str, spec: Path, hands: Hands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sweep", "submit", spec, "--tag", "btc", "--tag", "draft", "--note", "first try") == 0
    assert run("sweep", "pause", 1) == 0
    assert "paused" in capsys.readouterr().out
    assert run("sweep", "resume", 1) == 0
    hands.work(1)
    capsys.readouterr()
    assert run("sweep", "retry", 1) == 0
    assert "no trial of sweep 1 has failed: there is nothing to retry\nsweep 1 " in capsys.readouterr().out
    assert run("sweep", "extend", 1, "--add", "perp_leverage=2,3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["trials_total"] == 40
    changes = tmp_path / "changes.json"
    changes.write_text('{"name": "copy", "grid": {"perp_leverage": [1]}}')
    assert run("sweep", "clone", 1, changes) == 0
    assert "note    cloned from sweep 1" in capsys.readouterr().out
    hands.work(2)
    assert run("sweep", "show", 2) == 0
    assert "10 of 10 done, 0 failed, 10 taken over" in capsys.readouterr().out
    assert run("sweep", "tag", 2, "--tag", "copy") == 0
    capsys.readouterr()
    assert run("sweep", "list", "--tag", "btc", "--json") == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["id"], found["symbols"], found["exchanges"]) == (1, ["BTC/USDT:USDT"], ["synthetic"])
    assert (found["start"][:10], found["candidate"]) == ("2024-01-10", None)
    assert run("sweep", "list") == 0
    listed = capsys.readouterr().out
    assert "btc, draft" in listed
    assert "minus" in listed
    assert run("sweep", "delete", 2, "--yes") == 0
    assert run("sweep", "show", 2) == 2


def test_strategies_are_listed_with_defaults_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("strategies") == 0
    told = capsys.readouterr().out
    assert "composite 1.1  Weighted funding signals" in told
    assert "preset aggressive: min_funding_rate 0.0001" in told
    assert "  exit_liquidation_distance   –         close where" in told
    assert "  stress                      –         closings" in told
    assert "  end_dead_markets            false     close a hedge" in told
    assert run("strategies", "--json") == 0
    assert json.loads(capsys.readouterr().out)["account"]["defaults"]["perp_leverage"] == "1"


@pytest.fixture
def completed(address: str, spec: Path, hands: Hands, capsys: pytest.CaptureFixture[str]) -> int:
    """Return the number of a completed sweep."""
    assert run("sweep", "submit", spec) == 0
    hands.work(1)
    capsys.readouterr()
    return 1


@pytest.mark.parametrize("name", ["trials.csv", "trials.jsonl", "trials.parquet"])
def test_trials_are_exported_to_a_file_with_its_manifest(
    completed: int, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / name
    assert run("sweep", "export", completed, "--output", path, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    served = httpx2.get(f"{address}/sweeps/1/export", params={"format": path.suffix[1:]}).content
    assert path.read_bytes() == served
    assert told == {"path": str(path), "manifest": f"{path}.manifest.json", "bytes": len(served)}
    assert json.loads(Path(told["manifest"]).read_text())["sweep"]["trials_done"] == 20
    assert run("sweep", "export", completed, "--output", path) == 2
    assert "--force" in capsys.readouterr().err
    assert run("sweep", "export", completed, "--output", path, "--force") == 0
    assert f"sweep 1: {path} ({len(served):,} bytes)" in capsys.readouterr().out


def test_trials_are_exported_to_a_pipe(
    address: str, spec: Path, hands: Hands, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run("sweep", "submit", spec) == 0
    hands.work(1)
    capfdbinary.readouterr()
    for arguments, kind in (((), "csv"), (("--format", "parquet"), "parquet")):
        assert run("sweep", "export", 1, *arguments) == 0
        served = httpx2.get(f"{address}/sweeps/1/export", params={"format": kind}).content
        assert capfdbinary.readouterr().out == served


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--output", "/nowhere/trials.csv"), "/nowhere/trials.csv"),
        (("--output", "trials.xls"), "trials.xls: its suffix names no format"),
        (("--format", "xls"), "xls"),
    ],
)
def test_export_that_cannot_be_written_is_one_line(
    completed: int, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], named: str
) -> None:
    assert run("sweep", "export", completed, *arguments) == 2
    captured = capsys.readouterr()
    assert named in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_view_that_is_refused_leaves_the_file_that_it_was_to_replace(
    completed: int, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "view.csv"
    path.write_text("mine")
    assert run("sweep", "export", completed, "--view", "odd=1", "--output", path, "--force") == 2
    assert path.read_text() == "mine"
    assert run("sweep", "export", completed, "--view", "odd=1", "--output", tmp_path / "new.csv") == 2
    assert list(tmp_path.glob("*.csv*")) == [path]
    query = "sort=-net_pnl&columns=net_pnl"
    assert run("sweep", "export", completed, "--view", query, "--output", path, "--force") == 0
    assert path.read_bytes() == httpx2.get(f"{address}/sweeps/1/export/view?{query}").content


def test_export_as_json_needs_a_file(completed: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sweep", "export", completed, "--json") == 2
    assert json.loads(capsys.readouterr().out)["errors"][0]["field"] == "--json"


def test_deletion_and_promotion_are_told_as_json(
    completed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.json"
    assert run("sweep", "promote", completed, 3, "--output", path, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"sweep": 1, "trial": 3, "path": str(path)}
    assert run("sweep", "delete", completed, "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"deleted": 1}


@pytest.mark.parametrize(("answer", "left"), [("n", 0), ("y", 2)])
def test_deletion_of_a_sweep_needs_somebody_to_agree(
    completed: int,
    answer: str,
    left: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run("sweep", "delete", completed) == 2
    assert capsys.readouterr().err == "error: --yes: nobody can be asked here; add --yes\n"
    terminal = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert run("sweep", "delete", completed) == 0
    said = capsys.readouterr()
    assert "Delete sweep 1 (entry x exit x leverage) with its 20 trials? [y/N]" in said.err
    assert said.out.strip() == ("sweep 1 is deleted" if left else "nothing was deleted")
    assert run("sweep", "show", completed) == left


def test_waiting_for_a_sweep_that_does_not_complete_leaves_with_status_1(
    address: str, spec: Path, hands: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sweep", "submit", spec) == 0
    assert run("sweep", "cancel", 1) == 0
    assert run("sweep", "show", 1) == 0
    assert run("sweep", "show", 1, "--wait") == 1
    assert run("sweep", "resume", 1) == 0
    hands.work(1)
    capsys.readouterr()
    assert run("sweep", "show", 1, "--wait", "--json") == 0
    assert json.loads(capsys.readouterr().out)["trials_done"] == 20


def test_submission_with_the_same_key_is_the_sweep_there_is(
    address: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert run("sweep", "submit", spec, "--key", "nightly", "--json") == 0
        assert json.loads(capsys.readouterr().out)["id"] == 1
    spec.write_text(json.dumps(sweep_body(name="another")))
    assert run("sweep", "submit", spec, "--key", "nightly") == 2
    assert capsys.readouterr().err.count("\n") == 1
