"""Exports over HTTP: files with a name, a manifest beside them, and an end when nobody listens."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from servers import eventually
from webservice import Reader, serving

from api.routes import exports


@pytest.mark.parametrize(
    ("query", "media_type"),
    [
        ("", "text/csv; charset=utf-8"),
        ("?format=csv", "text/csv; charset=utf-8"),
        ("?format=jsonl", "application/x-ndjson"),
        ("?format=parquet", "application/vnd.apache.parquet"),
    ],
)
def test_export_is_a_named_file_that_points_to_its_manifest(
    reader: Reader, query: str, media_type: str
) -> None:
    response = reader.client.get(f"/sweeps/{reader.sweep_id}/export{query}")
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    ending = query.partition("=")[2] or "csv"
    assert f'filename="sweep-{reader.sweep_id}.{ending}"' in response.headers["content-disposition"]
    path = response.headers["link"].partition(">")[0].removeprefix("<")
    manifest = reader.client.get(path).json()
    assert manifest["sweep"]["trials_done"] == 20
    assert manifest["data_pin"]


def test_exported_lines_are_the_trials_of_the_pages(reader: Reader) -> None:
    text = reader.client.get(f"/sweeps/{reader.sweep_id}/export?format=jsonl").text
    page = reader.client.get(f"/sweeps/{reader.sweep_id}/trials?sort=number").json()["trials"]
    lines = [json.loads(line) for line in text.splitlines()]
    shown = ("number", "params", "state", "metrics", "error", "run_key")
    assert [{name: line[name] for name in shown} for line in lines] == [
        {name: trial[name] for name in shown} for trial in page
    ]


@pytest.mark.parametrize("path", ["/sweeps/77/export", "/sweeps/77/export/manifest"])
def test_export_of_no_sweep_is_refused(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_unknown_format_is_refused_by_name(reader: Reader) -> None:
    response = reader.client.get(f"/sweeps/{reader.sweep_id}/export?format=xlsx")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "format"


def test_export_ends_when_the_client_leaves(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def endless(*_: object) -> Iterator[bytes]:
        nonlocal made
        while True:
            made += 1
            yield b"x" * 65_536

    monkeypatch.setattr(exports, "exported", endless)
    with serving(home) as address, httpx2.Client(timeout=60) as client:
        body = {"base": {"symbols": ["BTC/USDT:USDT"], "start": "2024-01-10", "end": "2024-01-20"}}
        sweep_id = client.post(f"{address}/sweeps", json=body).json()["id"]
        headers = {"Accept-Encoding": "identity"}
        with client.stream("GET", f"{address}/sweeps/{sweep_id}/export", headers=headers) as response:
            next(response.iter_raw())

        def stopped() -> bool:
            before = made
            time.sleep(0.2)
            return made == before

        eventually(stopped, 10, "the export stops")
