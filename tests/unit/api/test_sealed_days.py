"""Every route and command, walked for days past a seal: a new one is caught until it says what it does."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from webservice import BASE, DATABASE, Hands, copy_of, sweep_body

from api.application import create_app
from api.settings import Settings
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms
from carrygrid.cli import main
from carrygrid.cli.app import app as commands
from sweeps.jobs.job_runner import JobRunner

DAY = "2024-03-10"
FROM_MS, LAST_MS = parse_time_ms(DAY), parse_time_ms("2024-04-02")
BEFORE = {**BASE, "start": "2024-01-05", "end": "2024-03-09", "min_funding_rate": "0.00002"}
ACROSS = {**BEFORE, "end": "2024-03-20"}
PATHS = {"sweep_id": 1, "number": 0, "job_id": 1, "seal_id": 1}
QUERY = {
    "structure": "perp_perp",
    "exchange": "synthetic",
    "symbol": "BTC/USDT:USDT",
    "symbols": "BTC/USDT:USDT",
    "days": "0",
    "x": "perp_leverage",
    "y": "exit_funding_rate",
    "z": "slippage_bps",
    "metric": "net_pnl",
    "sweep": "1",
    "trial": "0",
    "trials": "1:0,1:1",
    "sweeps": "1,1",
    "one": "1:0",
    "other": "1:1",
    "at": str(parse_time_ms("2024-03-08")),
}
STREAMS = {"/sweeps/{sweep_id}/events"}
"""Progress for as long as somebody listens; of days they say nothing."""

TIMES_ALONE = {
    "/data/coverage": "times and counts of what is held",
    "/dashboard/data": "the same as a page",
    "/dashboard/data/coverage": "the same as a part of it",
    "/dashboard/data/pair": "the same of one pair; its figures are those of the route for it",
    "/seals": "the looks that were written down, with the end of their replays",
    "/looks": "the last day that a look at the holdout has read",
}
WRITES: dict[tuple[str, str], Any] = {
    ("POST", "/backtests"): ACROSS,
    ("POST", "/backtests/validate"): ACROSS,
    ("POST", "/sweeps"): sweep_body(base=ACROSS, grid={}),
    ("POST", "/sweeps/validate"): sweep_body(base=ACROSS, grid={}),
    ("POST", "/sweeps/{sweep_id}/clone"): {"base": {"end": "2024-03-20"}},
    ("PATCH", "/sweeps/{sweep_id}"): {"extend_to": "2024-03-20"},
}
"""Requests that reach beyond the seal; all other writes are named in `HARMLESS`."""

HARMLESS = {
    "/sweeps/{sweep_id}/shares",
    "/sweeps/{sweep_id}/shares/{share_id}",
    "/backtests/validate",
    "/sweeps/validate",
    "/sweeps/{sweep_id}",
    "/sweeps/{sweep_id}/cancel",
    "/sweeps/{sweep_id}/pause",
    "/sweeps/{sweep_id}/resume",
    "/sweeps/{sweep_id}/retry",
    "/sweeps/{sweep_id}/probe",
    "/sweeps/{sweep_id}/notification",
    "/sweeps/{sweep_id}/selection",
    "/sweeps/{sweep_id}/trials/{number}",
    "/sweeps/{sweep_id}/trials/{number}/promote",
    "/data/imports",
    "/data/fetches",
    "/data/rows",
    "/data/jobs/{job_id}/cancel",
    "/seals",
    "/seals/{seal_id}/looks",
    "/seals/{seal_id}/open",
    "/promotions/{promotion_id}/decay",
    "/dashboard/login",
    "/dashboard/logout",
}
OVER_HTTP = "asks the routes above"
ONLY_WRITES = "stores, copies or serves, and prints times and counts at most"
COMMANDS = {
    **dict.fromkeys(("backtest", "compare", "probe", "data suggest"), "refuses"),
    **dict.fromkeys(
        (
            *("looks", "seal list", "seal set", "seal look", "seal open"),
            *("promotion list", "promotion decay", "sweep notify"),
            *("sweep submit", "sweep list", "sweep show", "sweep top", "sweep trial", "sweep judge"),
            *("sweep cancel", "sweep resume", "sweep pause", "sweep retry", "sweep delete", "sweep extend"),
            *("sweep clone", "sweep tag", "sweep promote", "sweep export", "sweep walk-forward"),
            *("sweep rename", "sweep verdict", "sweep mark", "sweep marks"),
            *("sweep share create", "sweep share list", "sweep share revoke"),
        ),
        OVER_HTTP,
    ),
    **dict.fromkeys(
        (
            *("up", "demo", "dispatch", "migrate", "strategies", "prune", "backup", "restore"),
            "webhook-secret",
            *("data import", "data fetch", "data list", "data delete", "data verify"),
            *("token create", "token list", "token revoke", "sweep verify"),
        ),
        ONLY_WRITES,
    ),
    "paper": "trades on the exchange's own feed, which no seal closes",
}


@dataclass(frozen=True)
class Sealed:
    """An application over a store with a sealed month, in which everything else has been asked for once."""

    client: TestClient
    home: Path


@pytest.fixture(scope="module")
def sealed(market_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    home = copy_of(market_template, tmp_path_factory.mktemp("sealed"))
    hands = Hands(home)
    app = create_app(Settings(home=home, database_url=f"sqlite:///{home / DATABASE}"))
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as client:
        grid = {"perp_leverage": [1, 5], "exit_funding_rate": ["0", "0.00005"], "slippage_bps": [5, 6]}
        body = sweep_body(base=BEFORE, grid=grid)
        hands.work(int(client.post("/sweeps", json=body).json()["id"]))
        client.post("/backtests", json=BEFORE)
        client.post("/sweeps/1/probe")
        jobs = JobRunner(hands.engine)
        jobs.run(1)
        jobs.run(2)
        client.get("/data/pairs", params={"days": 0})  # figures kept from before there was a seal
        assert client.post("/seals", json={"exchange": "synthetic", "from": DAY}).status_code == 201
        assert client.post("/seals/1/looks", json={"sweep": 1, "trial": 0}).status_code == 200
        yield Sealed(client, home)
    hands.close()


def routes() -> list[APIRoute]:
    """Return every route of the application, pages included."""
    home = Path("/nowhere")
    app = create_app(Settings(home=home, database_url="sqlite:////nowhere/carrygrid.db", docs=False))
    found: list[APIRoute] = []
    for held in app.routes:
        inner = getattr(held, "original_router", None)
        found += [one for one in ([held] if inner is None else inner.routes) if isinstance(one, APIRoute)]
    return found


def questions(route: APIRoute) -> list[tuple[str, bool]]:
    """Return the names of a route's query parameters, and whether each is required."""
    names: list[tuple[str, bool]] = []
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        names += [(one.alias, one.field_info.is_required()) for one in dependant.query_params]
        waiting += dependant.dependencies
    return names


READS = sorted({route.path for route in routes() if "GET" in route.methods} - STREAMS)


def past_the_seal(text: str) -> list[str]:
    """Return what in a text is a time of the sealed days, as a date or in ms."""
    dates = re.findall(r"2024-03-(?:1\d|2\d|3\d)[T\d:Z]*|2024-04-\d\d", text)
    moments = [one for one in re.findall(r"(?<!\d)17\d{11}(?!\d)", text) if FROM_MS <= int(one) <= LAST_MS]
    boundary = {DAY, f"{DAY}T00:00:00Z", str(FROM_MS)}
    return [one for one in (*dates, *moments) if one not in boundary]


def test_application_has_the_routes_that_are_walked() -> None:
    assert len(READS) > 40


@pytest.mark.parametrize("path", READS)
def test_no_answer_shows_a_day_past_the_seal(sealed: Sealed, path: str) -> None:
    [route, *_] = [one for one in routes() if one.path == path and "GET" in one.methods]
    unknown = [name for name, needed in questions(route) if needed and name not in QUERY]
    assert unknown == [], "say in QUERY what to ask this route for"
    asked = {name: QUERY[name] for name, _ in questions(route) if name in QUERY}
    address = re.sub(r"\{(\w+)\}", lambda match: str(PATHS[match[1]]), path)
    answer = sealed.client.get(address, params=asked, headers={"Accept": "text/html, application/json"})
    assert answer.status_code < 500 or path == "/readyz", answer.text
    if path not in TIMES_ALONE:
        assert past_the_seal(answer.text) == []


def test_figures_of_pairs_are_those_of_a_store_without_the_sealed_days(
    sealed: Sealed, market_template: Path, tmp_path: Path
) -> None:
    home = copy_of(market_template, tmp_path / "cut")
    with TestClient(
        create_app(Settings(home=home, database_url=f"sqlite:///{home / DATABASE}")), "http://localhost"
    ) as cut:
        removed = cut.delete("/data/rows", params={"exchange": "synthetic", "from": DAY})
        assert removed.status_code == 200
        pair = {"exchange": "synthetic", "symbol": "BTC/USDT:USDT", "days": 30}
        window = {"exchange": "synthetic", "symbols": "BTC/USDT:USDT"}
        for path, query in (
            ("/data/pairs", {"days": 90}),
            ("/data/pair", pair),
            ("/data/suggestion", window),
        ):
            assert sealed.client.get(path, params=query).json() == cut.get(path, params=query).json(), path


def test_every_write_that_reaches_sealed_days_is_refused(sealed: Sealed) -> None:
    walked = set()
    for route in routes():
        for method in route.methods - {"GET", "HEAD"}:
            known = (method, route.path) in WRITES
            assert known or route.path in HARMLESS, f"say in WRITES what {method} {route.path} is to be sent"
            if known:
                address = re.sub(r"\{(\w+)\}", lambda match: str(PATHS[match[1]]), route.path)
                answer = sealed.client.request(method, address, json=WRITES[method, route.path])
                assert "urn:carrygrid:problem:sealed" in answer.text, f"{route.path}: {answer.text}"
                assert answer.status_code == 409
                walked.add((method, route.path))
    assert walked <= WRITES.keys()
    assert len(walked) >= 6


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the commands by their words."""
    if not hasattr(command, "commands"):
        yield " ".join(path)
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, (*path, name))


def test_every_command_says_what_it_does_with_sealed_days() -> None:
    assert set(leaves(typer.main.get_command(commands))) - COMMANDS.keys() == set()


@pytest.mark.parametrize("command", [name for name, does in COMMANDS.items() if does == "refuses"])
def test_command_that_reads_sealed_days_ends_with_2_and_one_line(
    sealed: Sealed,
    command: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CARRYGRID_HOME", str(sealed.home))
    config = tmp_path / "run.json"
    config.write_text(json.dumps(ACROSS))
    window = ["--exchange", "synthetic", "--symbols", "BTC/USDT:USDT", "--end", ACROSS["end"]]
    rest = window if command == "data suggest" else [str(config)]
    with pytest.raises(SystemExit) as left:
        main([*command.split(), *rest])
    told = capsys.readouterr()
    assert (left.value.code, told.out, told.err.count("\n")) == (2, "", 1)
    assert "2024-03-20T00:00:00Z is sealed: synthetic is closed from 2024-03-10 on" in told.err


def test_store_reads_no_sealed_row_whatever_asks(sealed: Sealed) -> None:
    store = HistoricalDataStore(Hands(sealed.home).engine)
    for one in store.listing():
        for symbol in one.symbols:
            for series in symbol.series:
                assert all(gap.to_ms < FROM_MS for gap in series.gaps)
                assert all(found.to_ms is None or found.to_ms < FROM_MS for found in series.findings)
    assert store.pair_series("synthetic", "BTC/USDT:USDT", 0).funding.t_ms.max() < FROM_MS
