"""The parts of the client that no service is needed for."""

import io
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import carrygrid
from carrygrid import Client, Progress, ServiceError, Sweep
from carrygrid.connection import Connection
from carrygrid.encoding import body_bytes, query_text
from carrygrid.progress import ProgressLine
from carrygrid.records import moment
from carrygrid.runs import run_of
from carrygrid.trials import TrialColumns

MANIFEST = {
    "columns": [
        {"name": "number", "kind": "whole", "of": "trial"},
        {"name": "param_state", "kind": "text", "of": "params"},
        {"name": "param_free", "kind": "flag", "of": "params"},
        {"name": "symbols", "kind": "text", "of": "params"},
        {"name": "net_pnl", "kind": "exact", "of": "metrics"},
        {"name": "trades", "kind": "whole", "of": "metrics"},
    ]
}
DOCUMENT = {
    "number": 3,
    "state": "completed",
    "params": {"state": "x", "param_free": True, "symbols": ["A", "B"]},
    "metrics": {"net_pnl": "1.50", "trades": 2},
    "error": None,
    "run_key": "k",
}


def test_parameter_named_like_a_column_is_told_apart_from_it() -> None:
    columns = TrialColumns.of(MANIFEST)
    assert columns.axes == ["state", "param_free", "symbols"]
    table = columns.table([DOCUMENT])
    assert table[0].params == {"state": "x", "param_free": True, "symbols": "A B"}
    row = table.pandas().iloc[0]
    assert (row["state"], row["param_state"], row["param_free"]) == ("completed", "x", True)
    assert table.polars()["net_pnl"].to_list() == [Decimal("1.50")]
    assert repr(table).startswith("<Table of 1 row: number, state, param_state")


def test_trial_is_read_whether_or_not_the_service_tells_of_eligibility() -> None:
    told = {**DOCUMENT, "eligible": False, "ineligible": "4 trades, 5 needed"}
    table = TrialColumns.of(MANIFEST).table([DOCUMENT, told])
    assert [trial.eligible for trial in table] == [None, False]
    assert [trial.ineligible for trial in table] == [None, "4 trades, 5 needed"]
    assert table.polars()["eligible"].to_list() == [None, False]


def test_frames_have_the_chance_of_luck_and_the_plateau_of_each_trial() -> None:
    judged = {**DOCUMENT, "p_luck": 0.25, "plateau": 1.5}
    table = TrialColumns.of(MANIFEST).table([DOCUMENT, judged])
    assert table.polars().select("p_luck", "plateau").rows() == [(None, None), (0.25, 1.5)]
    assert table.pandas()[["p_luck", "plateau"]].iloc[1].to_list() == [0.25, 1.5]


def test_trial_without_result_has_no_metrics_and_empty_cells() -> None:
    failed = {**DOCUMENT, "state": "failed", "metrics": None, "params": {}, "error": "end: before start"}
    table = TrialColumns.of(MANIFEST).table([DOCUMENT, failed])
    assert table[1].metrics == {}
    assert table.pandas()["net_pnl"].to_list() == [Decimal("1.50"), None]
    assert table.pandas()["trades"].isna().to_list() == [False, True]
    assert table.polars()["param_free"].to_list() == [True, None]
    assert [trial.number for trial in table[1:]] == [3]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1E-7"), "0.0000001"),
        (0.0001, "0.0001"),
        (True, "true"),
        (None, ""),
        (["A/B", "C/D"], "A/B,C/D"),
        ("x", "x"),
    ],
)
def test_value_of_an_axis_is_asked_for_as_queries_write_it(value: object, text: str) -> None:
    assert query_text(value) == text


def test_body_keeps_numbers_as_they_were_written(tmp_path: Path) -> None:
    body = {"a": Decimal("0.10"), "b": date(2024, 1, 2), "c": 0.0001, "d": datetime(2024, 1, 2, tzinfo=UTC)}
    assert body_bytes(body) == (
        b'{"a": "0.10", "b": "2024-01-02", "c": 0.0001, "d": "2024-01-02T00:00:00+00:00"}'
    )
    assert body_bytes(b"{}") == b"{}"
    with pytest.raises(FileNotFoundError):
        body_bytes(tmp_path / "none.json")


def test_progress_line_says_counts_rate_and_time_left_once() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream)
    progress = Progress("running", 1500, 3000, 2, 123.4, 12.0)
    line(progress)
    line(progress)
    line.end()
    half = "#" * 15 + "." * 15
    assert stream.getvalue() == f"\r[{half}] 1,500 of 3,000  123 trials/s  12 s left  running, 2 failed\n"


def test_moment_keeps_milliseconds() -> None:
    assert moment(1_704_067_200_001) == datetime(2024, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)


def test_failed_run_is_an_error_that_says_why() -> None:
    job = {"state": "failed", "error": {"code": "insufficient_data", "detail": "no candles"}, "result": None}
    with pytest.raises(ServiceError, match="no candles") as failed:
        run_of(job)
    assert failed.value.code == "insufficient_data"
    assert run_of({"state": "running"}) is None


class _BrokenOff(socketserver.StreamRequestHandler):
    """Promises a long file and hangs up after its first bytes."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")


class _Babbling(socketserver.StreamRequestHandler):
    """Answers something else than this service would."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>")


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), request.param) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("server", [_BrokenOff], indirect=True)
def test_export_that_breaks_off_leaves_the_file_before_and_no_part(server: str, tmp_path: Path) -> None:
    path = tmp_path / "trials.csv"
    path.write_text("whole")
    connection = Connection(server, None, 10)
    with pytest.raises(ServiceError) as broken:
        Sweep(connection, {"id": 1}).export(path)
    connection.close()
    assert broken.value.unavailable
    assert [found.read_text() for found in tmp_path.iterdir()] == ["whole"]


@pytest.mark.parametrize("server", [_Babbling], indirect=True)
def test_answer_that_is_no_document_is_an_error(server: str, tmp_path: Path) -> None:
    with Client(server) as client, pytest.raises(ServiceError, match="no JSON"):
        client.sweeps()
    connection = Connection(server, None, 10)
    with pytest.raises(ServiceError, match="the API answered 502"):
        Sweep(connection, {"id": 1}).export(tmp_path / "trials.csv")
    connection.close()


def test_every_name_of_the_package_is_found_in_its_module_and_no_other_is() -> None:
    assert {name: getattr(carrygrid, name).__name__ for name in carrygrid.__all__} == {
        name: name for name in carrygrid._MODULES
    }
    with pytest.raises(AttributeError, match="module 'carrygrid' has no attribute 'Nothing'"):
        carrygrid.Nothing  # noqa: B018


def test_package_loads_the_client_only_when_it_is_asked_for() -> None:
    loaded = "print('carrygrid.client' in sys.modules)"
    script = f"import sys, carrygrid; {loaded}; carrygrid.Client; {loaded}"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "True"]


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "nonsense",
        "ftp://host",
        "http://",
        "http://host:x",
        "http://[::",
        "http://h:99999",
        "http://host?x=1",
        "http://host/#top",
        "",
    ],
)
def test_address_that_is_none_is_refused_by_the_name_of_its_variable(url: str) -> None:
    with pytest.raises(ServiceError, match="CARRYGRID_API_URL: .* is no address such as") as refused:
        Connection(url, None, 1)
    assert (refused.value.code, refused.value.status) == ("invalid_input", 422)


def test_token_with_a_line_break_is_refused_and_not_shown() -> None:
    with pytest.raises(ServiceError, match="CARRYGRID_API_TOKEN: holds a character") as refused:
        Connection("http://127.0.0.1:8000", "secret\n", 1)
    assert "secret" not in refused.value.detail
