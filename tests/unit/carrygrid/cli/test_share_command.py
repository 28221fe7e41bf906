"""`carrygrid sweep share` makes, lists and revokes links that open a sweep without a token."""

import json

import httpx2
import pytest
from commanding import run
from studying import Study


def test_link_is_shown_once_listed_without_its_token_and_ends_when_revoked(
    study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARRYGRID_API_URL", study.address)
    number = study.sweep.id
    view = f"{study.address}/dashboard/sweeps/{number}?metric=net_pnl"
    assert run("sweep", "share", "create", number, "--name", "desk", "--view", view, "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert (
        httpx2.get(made["address"]).headers["location"].endswith(f"/dashboard/sweeps/{number}?metric=net_pnl")
    )
    assert run("sweep", "share", "list", number) == 0
    listed = capsys.readouterr().out
    assert "desk" in listed
    assert made["address"].rpartition("/")[2] not in listed
    assert run("sweep", "share", "revoke", number, made["id"]) == 0
    assert capsys.readouterr().out == f"link {made['id']} to sweep {number} revoked\n"
    assert httpx2.get(made["address"]).status_code == 404
    assert run("sweep", "share", "revoke", number, made["id"]) == 2
    assert run("sweep", "share", "list", number) == 0
    assert "no links yet" in capsys.readouterr().out
