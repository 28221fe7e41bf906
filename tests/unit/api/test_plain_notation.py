"""Amounts in every text that leaves: pages, answers, exports and commands, never `0E-8` or `1E+4`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from webservice import DATABASE, Hands, sweep_body

from carrygrid.cli import main

_SCIENTIFIC = re.compile(r"\b\d+(?:\.\d+)?E[+-]?\d+\b")
PAGE = {"Accept": "text/html"}
_PARTS = ("", "/trials", "/trials/0", "/trials/0/equity", "/trials/0/trades", "/trials/0/config")
ODD = {"initial_capital": "1e4", "slippage_bps": "0E-8", "spot_taker": "1E-3", "min_volume_24h": "0e3"}


def odd_run(**changes: Any) -> dict[str, Any]:
    base = dict(sweep_body()["base"])
    return {**base, **ODD, **changes}


def texts(value: object) -> Iterator[str]:
    """Yield every text in a JSON document; its numbers are statistics, in whatever notation JSON has."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from texts(member)


def scientific(text: str) -> list[str]:
    return _SCIENTIFIC.findall(text)


def test_answers_and_pages_of_a_sweep_are_in_plain_notation(client: TestClient, hands: Hands) -> None:
    # Numbers, not texts: an axis keeps the text that its user wrote.
    grid = '{"exit_funding_rate": [0E-8, 5e-5], "perp_leverage": [1e0]}'
    body = json.dumps(sweep_body(base=odd_run(), grid={})).replace('"grid": {}', f'"grid": {grid}')
    answer = client.post("/sweeps", content=body, headers={"Content-Type": "application/json"})
    sweep_id = answer.json()["id"]
    hands.work(sweep_id)
    for part in (*_PARTS, "/heatmap?x=exit_funding_rate&y=perp_leverage"):
        answer = client.get(f"/sweeps/{sweep_id}{part}")
        if answer.status_code != 404:
            assert [found for text in texts(answer.json()) for found in scientific(text)] == [], part
    for file_format in ("csv", "jsonl"):
        exported = client.get(f"/sweeps/{sweep_id}/export?format={file_format}").text
        cells = re.findall(r'"([^"]*)"', exported) if file_format == "jsonl" else exported.split(",")
        money = [cell for cell in cells if re.search(r"\dE", cell)]
        assert money == []
    for page in (f"/dashboard/sweeps/{sweep_id}", f"/dashboard/sweeps/{sweep_id}/trials/0"):
        answer = client.get(page, headers=PAGE)
        assert answer.status_code == 200
        assert scientific(re.sub(r"<script.*?</script>", "", answer.text, flags=re.DOTALL)) == [], page


@pytest.mark.parametrize("changes", [{}, {"min_funding_rate": "1e-1"}])
@pytest.mark.parametrize("command", ["backtest", "compare", "probe"])
def test_commands_print_amounts_in_plain_notation(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    changes: dict[str, str],
) -> None:
    monkeypatch.setenv("CARRYGRID_DATABASE_URL", f"sqlite:///{home / DATABASE}")
    (tmp_path / "config.json").write_text(json.dumps(odd_run(**changes)))
    for as_json in ([], ["--json"]):
        with pytest.raises(SystemExit) as ended:
            main([command, str(tmp_path / "config.json"), *as_json])
        out = capsys.readouterr().out
        assert (ended.value.code, out != "") == (0, True)
        said = texts(json.loads(out)) if as_json else [out]
        assert [found for text in said for found in scientific(text)] == []


def test_backtest_says_what_was_missed_in_plain_notation(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARRYGRID_DATABASE_URL", f"sqlite:///{home / DATABASE}")
    run = odd_run(min_funding_rate="-1", exit_funding_rate="-1", min_holding_periods=1000)
    (tmp_path / "config.json").write_text(json.dumps(run))
    with pytest.raises(SystemExit):
        main(["backtest", str(tmp_path / "config.json")])
    assert (
        "Missed before the first entry 0, between trades 0, after the last exit 0;" in capsys.readouterr().out
    )
