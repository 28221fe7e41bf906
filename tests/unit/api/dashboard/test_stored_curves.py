"""Stored curves and trades are read, not replayed, and shown as a replay shows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sweeping import BASE
from webservice import Hands, sweep_body

from api.work import replays
from bot.market_store.database import write_transaction
from sweeps.jobs.job_runner import JobRunner
from sweeps.storage import curves
from sweeps.storage.leaderboard import NO_CURVE_YET
from sweeps.storage.tables import trial_curve

PAGE = {"Accept": "text/html"}
GRID = {"min_funding_rate": ["0.00002", "0.00004"], "perp_leverage": [1, 3]}
CONTEXT, SEALS, RECORD = 3, 1, 1
"""Statements for a run by itself, for the seals, and for what is stored of the run.

The sweep itself is known already: whether it is there, the run's block, and whether a curve is kept.
"""
RECORDED = CONTEXT + SEALS + RECORD
NUMBER_AND_RUN_KEY = "trial_block.name IN (?, ?, ?) "

_NO_ROUND_TRIP = ("BEGIN", "PRAGMA")


@pytest.fixture
def stored(client: TestClient, hands: Hands) -> int:
    """Return a sweep of which every curve is stored."""
    return worked(client, hands, curves="all")


def worked(client: TestClient, hands: Hands, **changes: Any) -> int:
    body = sweep_body(grid=GRID, reuse=False, **changes)
    sweep_id = int(client.post("/sweeps", json=body).json()["id"])
    hands.work(sweep_id)
    return sweep_id


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the runs that are replayed from now on, by the strategy that they follow."""
    found: list[str] = []
    real = replays.replay_explained

    def noted(config: Any, window: Any) -> Any:
        found.append(config.strategy_mode)
        return real(config, window)

    monkeypatch.setattr(replays, "replay_explained", noted)
    return found


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is decoded from now on: curves, trades."""
    found: list[str] = []
    for name in ("decode_curve", "decode_trades"):
        real = getattr(curves, name)
        monkeypatch.setattr(curves, name, lambda blob, name=name, real=real: found.append(name) or real(blob))
    return found


@contextmanager
def statements(client: TestClient) -> Iterator[list[str]]:
    """Give the statements that requests send meanwhile."""
    engine, found = client.app.state.database.engine, list[str]()  # type: ignore[attr-defined]

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(_NO_ROUND_TRIP):
            found.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(engine, "before_cursor_execute", note)


def shown(client: TestClient, sweep_id: int) -> dict[str, Any]:
    """Return everything that shows curves or trades of a sweep's trials, without where they come from."""
    trial, page = f"/sweeps/{sweep_id}/trials/1", f"/dashboard/sweeps/{sweep_id}/trials/1"
    names = f"{sweep_id}:1,{sweep_id}:3"
    curve = client.get(f"{page}/curve").json()
    del curve["origin"]
    texts = {
        "trades": f"{page}/trades",
        "compared": f"/dashboard/compare/trials?trials={names}",
        "parting": f"/dashboard/compare/parting?trials={names}&at=1",
    }
    return {
        "curve": curve,
        "equity": client.get(f"{trial}/equity").content,
        "documents": client.get(f"{trial}/trades").content,
        "lines": _anonymous(client.get(f"/dashboard/compare/curves?trials={names}").text, sweep_id),
        **{name: _anonymous(client.get(path, headers=PAGE).text, sweep_id) for name, path in texts.items()},
    }


def _anonymous(text: str, sweep_id: int) -> str:
    for before, after in (
        (f"{sweep_id}:", "S:"),
        (f"/sweeps/{sweep_id}", "/sweeps/S"),
        (f"-{sweep_id}-", "-S-"),
    ):
        text = text.replace(before, after)
    return text


def test_stored_curves_and_trades_are_shown_without_a_replay(
    client: TestClient, stored: int, replayed: list[str]
) -> None:
    found = shown(client, stored)
    assert found["curve"]["points"] > 100
    assert found["lines"].count('"equity"') == 3
    assert replayed == []


def test_what_is_stored_is_shown_as_a_replay_shows_it(
    client: TestClient, hands: Hands, stored: int, replayed: list[str]
) -> None:
    without = worked(client, hands, curves="none")
    again = shown(client, without)
    assert replayed == ["simple"] * 2
    assert shown(client, stored) == again


def test_trials_whose_curves_are_still_to_be_worked_out_are_replayed(
    client: TestClient, hands: Hands, stored: int, replayed: list[str]
) -> None:
    whole = shown(client, stored)
    with write_transaction(hands.engine) as connection:
        connection.execute(trial_curve.update().values(equity=NO_CURVE_YET, trades=NO_CURVE_YET))
    assert shown(client, stored) == whole
    assert replayed == ["simple"] * 2


def test_curve_of_a_backtest_is_read_from_its_document(
    client: TestClient, hands: Hands, replayed: list[str]
) -> None:
    job_id = client.post("/backtests", json={**BASE, "min_funding_rate": "0.00002"}).json()["id"]
    JobRunner(hands.engine).run(job_id)
    result = client.get(f"/backtests/{job_id}").json()["result"]
    curve = client.get(f"/dashboard/backtests/{job_id}/curve").json()
    assert (list(map(list, zip(curve["times"], curve["equity"], strict=True))), curve["origin"]) == (
        result["equity"],
        "Stored with the result.",
    )
    assert curve["moves_count"] == 2 * len(result["trades"])
    assert replayed == []


@pytest.mark.parametrize(
    ("part", "sent", "unpacked"),
    [
        ("config.json", CONTEXT, []),
        ("funding", CONTEXT, []),
        ("hold", CONTEXT, []),
        ("report", CONTEXT, []),
        ("trades/0", CONTEXT, []),
        ("trades", RECORDED, ["decode_trades"]),
        ("curve", RECORDED, ["decode_curve", "decode_trades"]),
    ],
)
def test_part_of_a_page_reads_and_decodes_only_what_it_shows(
    client: TestClient, stored: int, decoded: list[str], part: str, sent: int, unpacked: list[str]
) -> None:
    client.get(f"/sweeps/{stored}")
    with statements(client) as found:
        response = client.get(f"/dashboard/sweeps/{stored}/trials/1/{part}", headers=PAGE)
    assert response.status_code == 200
    assert (len(found), decoded) == (sent, unpacked), found
    assert any(one.startswith("SELECT trial_curve.equity") for one in found) == bool(unpacked)
    assert [NUMBER_AND_RUN_KEY in one for one in found if "trial_block.data" in one] == [True]


@pytest.mark.parametrize(
    ("part", "unpacked"), [("curves", ["decode_trades", "decode_curve"]), ("parting", ["decode_trades"])]
)
def test_part_of_a_comparison_reads_the_runs_alone_and_decodes_what_it_shows(
    client: TestClient, stored: int, decoded: list[str], part: str, unpacked: list[str]
) -> None:
    client.get(f"/sweeps/{stored}")
    with statements(client) as found:
        response = client.get(f"/dashboard/compare/{part}?trials={stored}:1,{stored}:3", headers=PAGE)
    assert response.status_code == 200
    assert len(found) == SEALS + 2 * (CONTEXT + RECORD), found
    assert sorted(decoded) == sorted(2 * unpacked)
