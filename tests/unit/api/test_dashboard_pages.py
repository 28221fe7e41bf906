"""The pages: real rows as text, names of strangers harmless, empty states that say what to do."""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sweeping import partly_failing
from webservice import Hands, Reader, sweep_body

from bot.plurals import counted

PAGE = {"Accept": "text/html"}
HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} javascript:x \" ' &amp;"


def test_empty_list_says_how_to_submit_a_first_sweep(client: TestClient) -> None:
    text = client.get("/", headers=PAGE).text
    assert "No sweeps yet" in text
    assert "carrygrid sweep submit" in text
    assert "carrygrid data import" not in text


def test_empty_store_says_how_to_import_data(make_client: Callable[..., TestClient], tmp_path: Path) -> None:
    client = make_client(database_url=f"sqlite:///{tmp_path / 'empty.db'}")
    assert "carrygrid data import" in client.get("/", headers=PAGE).text
    assert "carrygrid data import" in client.get("/dashboard/data", headers=PAGE).text


def test_list_shows_state_progress_and_best_and_labels_generated_data(reader: Reader) -> None:
    for path in ("/", "/dashboard/sweep-list"):
        text = reader.client.get(path, headers=PAGE).text
        assert "entry x exit x leverage" in text
        assert "completed" in text
        assert "20 trials" in text
        assert "BTC</bdi>" in text
        assert "2024-01-10</time> to" in text
        assert "synthetic data" in text
        assert ">Candidate minus holding</a>" in text
        assert '<span class="hint">highest Sharpe of 20</span>' in text


def test_sweep_of_one_trial_is_counted_in_the_singular_by_the_list(client: TestClient, hands: Hands) -> None:
    hands.work(client.post("/sweeps", json=sweep_body(grid={})).json()["id"])
    assert '<span class="hint">1 trial</span>' in client.get("/", headers=PAGE).text


def test_page_holds_one_script_and_its_policy_allows_that_one_alone(client: TestClient) -> None:
    answer = client.get("/", headers=PAGE)
    (script,) = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert f"script-src 'self' 'sha256-{digest}'" in policy
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"].partition("style-src-attr")[0]


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/sweeps"])
def test_address_cut_short_leads_to_the_list(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=PAGE, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/")


def test_sweep_page_shows_the_best_trial_first_with_the_numbers_of_the_api(reader: Reader) -> None:
    text = reader.client.get(f"/dashboard/sweeps/{reader.sweep_id}", headers=PAGE).text
    best = reader.client.get(f"/sweeps/{reader.sweep_id}").json()["best_trial"]
    assert f"{float(best['metrics']['net_pnl']):,.2f}" in text
    rows = text.partition("<tbody>")[2]
    assert rows.partition("/trials/")[2].startswith(f'{best["number"]}"')
    assert "Synthetic data." in text


def test_trial_page_and_trades_show_metrics_configuration_and_reasons(reader: Reader) -> None:
    number = reader.client.get(f"/sweeps/{reader.sweep_id}").json()["best_trial"]["number"]
    path = f"/dashboard/sweeps/{reader.sweep_id}/trials/{number}"
    text = reader.client.get(path, headers=PAGE).text
    trades = reader.client.get(f"/sweeps/{reader.sweep_id}/trials/{number}/trades").json()["trades"]
    table = reader.client.get(f"{path}/trades", headers=PAGE).text
    assert "max_simultaneous_positions" in text
    assert "Annualized return" in text
    assert f"1 to {len(trades)} of {counted(len(trades), 'trade')}," in table
    assert all(trade["reason"] in table for trade in trades)


def test_pending_and_failed_trials_explain_themselves(client: TestClient, hands: Hands) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body(**partly_failing())).json()["id"]
    assert "Not replayed yet" in client.get(f"/dashboard/sweeps/{sweep_id}/trials/0", headers=PAGE).text
    hands.work(sweep_id)
    assert "does not fit" in client.get(f"/dashboard/sweeps/{sweep_id}/trials/1", headers=PAGE).text
    assert 'class="slices single"' in client.get(f"/dashboard/sweeps/{sweep_id}", headers=PAGE).text


def test_open_sweep_without_workers_says_that_nothing_happens(client: TestClient) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
    assert "No worker has reported" in client.get(f"/dashboard/sweeps/{sweep_id}/progress", headers=PAGE).text


def test_hostile_name_is_text_on_every_page(client: TestClient) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body(name=HOSTILE)).json()["id"]
    for path in ("/", f"/dashboard/sweeps/{sweep_id}", f"/dashboard/sweeps/{sweep_id}/trials/0"):
        text = client.get(path, headers=PAGE).text
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text
        assert "{{ 7 * 7 }}" in text


@pytest.mark.parametrize("path", ["/dashboard/sweeps/77", "/dashboard/sweeps/x", "/dashboard/nothing"])
def test_missing_page_is_a_page(client: TestClient, path: str) -> None:
    response = client.get(path, headers=PAGE)
    assert response.status_code in {404, 422}
    assert "All sweeps" in response.text


def test_static_files_are_kept_by_browsers_and_pages_are_not(reader: Reader) -> None:
    page = reader.client.get("/", headers=PAGE)
    style = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    script = page.text.partition('type="module" src="')[2].partition('"')[0]
    assert page.headers["cache-control"] == "no-store"
    for path in (style, script):
        response = reader.client.get(path)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]


def test_styles_of_all_pages_are_one_file_and_an_unknown_name_among_them_is_none(reader: Reader) -> None:
    page = reader.client.get("/", headers=PAGE)
    [address] = re.findall(r'rel="stylesheet" href="([^"]+)"', page.text)
    folder, _, names = address.rpartition("/")
    parts = [reader.client.get(f"{folder}/{name}").text for name in names.split("+")]
    together = reader.client.get(address)
    assert len(parts) == 5
    assert (together.text, together.headers["content-type"]) == ("\n".join(parts), "text/css; charset=utf-8")
    assert reader.client.get(f"{address}+../pages.py").status_code == 404


def test_page_names_no_other_host(reader: Reader) -> None:
    for path in ("/", "/docs", f"/dashboard/sweeps/{reader.sweep_id}", "/dashboard/data"):
        text = reader.client.get(path, headers=PAGE).text
        assert "https://" not in text.replace("http://www.w3.org", "")
        assert "cdn." not in text
