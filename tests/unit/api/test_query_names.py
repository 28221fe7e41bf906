"""Names in the query of an address: one that nothing reads is refused by name, by pages as by routes."""

import pytest
from markupsafe import escape
from webservice import Reader

from api.routes.query_names import QueryNames

PAGES = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/sweeps?sate=queued", "sate"),
        ("/sweeps/{id}?verbose=1", "verbose"),
        ("/sweeps/{id}/trials?limt=3", "limt"),
        ("/sweeps/{id}/heatmap?x=perp_leverage&y=exit_funding_rate&mtric=sharpe", "mtric"),
        ("/sweeps/{id}/export?formt=csv", "formt"),
        ("/data/suggestion?symbols=BTC/USDT:USDT&form=2024-01-01", "form"),
        ("/?sate=queued", "sate"),
        ("/dashboard/sweeps/{id}?mtric=sharpe", "mtric"),
        ("/dashboard/compare?symbol=BTC/USDT:USDT", "symbol"),
        ("/dashboard/data/pairs?slipage_bps=3", "slipage_bps"),
    ],
)
def test_name_that_nothing_reads_is_refused(reader: Reader, address: str, name: str) -> None:
    path = address.format(id=reader.sweep_id)
    answer = reader.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert name in [one["field"] for one in answer.json()["errors"]]
    if path.startswith(("/?", "/dashboard")):
        page = reader.client.get(path, headers=PAGES)
        assert page.status_code == 422
        assert all(part in page.text for part in (name, "is not a known parameter"))


@pytest.mark.parametrize(
    ("address", "name", "hint"),
    [
        ("/sweeps?limit=10&limit=5", "limit", ""),
        ("/sweeps/{id}/export?format=csv&format=csv", "format", ""),
        ("/sweeps/{id}/trials?limit=10&limit=5", "limit", ", as a value or lowest..highest"),
        ("/data/suggestion?symbols=BTC/USDT:USDT&symbols=ETH/USDT:USDT&start=1&start=2", "start", ""),
        ("/?q=a&q=b", "q", ""),
        ("/dashboard/sweeps/{id}?metric=sharpe&metric=net_pnl", "metric", ""),
        ("/dashboard/sweeps/{id}/trials?sort=sharpe&sort=net_pnl", "sort", ""),
        ("/dashboard/compare?symbols=BTC/USDT:USDT&symbols=ETH/USDT:USDT&end=2024&end=2025", "end", ""),
        ("/dashboard/data/pairs?spot_taker=0.001&spot_taker=0.002", "spot_taker", ""),
    ],
)
def test_name_given_twice_of_which_one_value_is_read_is_refused(
    reader: Reader, address: str, name: str, hint: str
) -> None:
    answer = reader.client.get(address.format(id=reader.sweep_id))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    [error] = answer.json()["errors"]
    assert error["field"] == name
    assert error["message"].startswith("is given 2 times: [")
    assert error["message"].endswith(f"; give it once{hint}")


@pytest.mark.parametrize(
    "address",
    [
        "/sweeps?state=completed&limit=3",
        "/sweeps/{id}/trials?perp_leverage=1..5&net_pnl=0..",
        "/dashboard/sweeps/{id}?metric=sharpe&perp_leverage=5&zoom=1&log=x&columns=sharpe&allocation=0.5&symbols=X",
        "/dashboard/data/pairs?days=30&spot_taker=0.001",
        "/data/suggestion?symbols=BTC/USDT:USDT&symbols=ETH/USDT:USDT",
        "/data/hedges?structure=perp_perp&symbols=BTC/USDT:USDT&symbols=ETH/USDT:USDT",
        "/dashboard/compare?symbols=BTC/USDT:USDT&symbols=ETH/USDT:USDT&exchange=synthetic&start=2024-01-10&end=2024-02-10",
        "/healthz?probe=1&probe=2",
        "/metrics?instance=1",
    ],
)
def test_names_that_are_read_and_those_of_probes_are_taken(reader: Reader, address: str) -> None:
    assert reader.client.get(address.format(id=reader.sweep_id)).status_code == 200


def test_names_of_a_route_are_kept_as_they_were_given() -> None:
    assert QueryNames("a", "b").names == {"a", "b"}
    assert not QueryNames().names


@pytest.mark.parametrize(
    ("address", "field", "said"),
    [
        (
            "/dashboard/sweeps/{id}?metric=nope",
            "metric",
            '"nope" is no metric of this sweep; there are net_pnl, ',
        ),
        (
            "/dashboard/sweeps/{id}?risk=nope",
            "risk",
            '"nope" is no metric of this sweep; there are net_pnl, ',
        ),
        ("/dashboard/sweeps/{id}?cols=sharpe,nope", "cols", '"nope" is no metric of this sweep; there are '),
        (
            "/dashboard/sweeps/{id}?columns=nope",
            "columns",
            '"nope" is no axis or metric of this sweep; there are ',
        ),
        (
            "/dashboard/sweeps/{id}?x=allocation",
            "x",
            '"allocation" is no axis of this sweep; there are min_funding_rate, exit_funding_rate, ',
        ),
        (
            "/dashboard/sweeps/{id}?x=perp_leverage&y=perp_leverage",
            "y",
            '"perp_leverage" is the x axis already',
        ),
        (
            "/dashboard/sweeps/{id}?agg=most",
            "agg",
            '"most" is no aggregate of cells; there are best, mean, median, worst',
        ),
        ("/dashboard/sweeps/{id}?scenarios=nope", "scenarios", '"nope" is no axis of this sweep; it has '),
        (
            "/dashboard/sweeps/{id}?scenario_rank=best",
            "scenario_rank",
            '"best" is no rank over scenarios; there are worst, median',
        ),
        (
            "/dashboard/sweeps/{id}/trials?rows=7",
            "rows",
            '"7" is no number of rows; there are 25, 50, 100, 250',
        ),
        (
            "/dashboard/sweeps/{id}/trials?sort=nope",
            "sort",
            '"nope" is neither a metric nor an axis of this sweep',
        ),
        ("/dashboard/sweeps/{id}?log=z", "log", '"z" is no axis of the scatter plot; there are x, y'),
        (
            "/?state=done",
            "state",
            '"done" is none of queued, running, paused, completed, failed, cancelled, ',
        ),
        (
            "/?sort=luck",
            "sort",
            '"luck" is none of newest, oldest, name, annualized_return, net_pnl_over_hold',
        ),
    ],
)
def test_page_refuses_a_choice_that_there_is_not_by_field_and_value(
    reader: Reader, address: str, field: str, said: str
) -> None:
    path = address.format(id=reader.sweep_id)
    answer = reader.client.get(path)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, field)
    assert error["message"].startswith(said)
    page = reader.client.get(path, headers=PAGES)
    assert (page.status_code, f"<strong>{field}</strong>: {escape(said)}" in page.text) == (422, True)


def test_page_takes_choices_without_a_value_as_the_usual_ones(reader: Reader) -> None:
    usual = reader.client.get(f"/dashboard/sweeps/{reader.sweep_id}/trials").text
    empty = (
        f"/dashboard/sweeps/{reader.sweep_id}/trials?metric=&x=&cols=&rows=&distinct=&scenario_rank=&sort="
    )
    assert reader.client.get(empty).text == usual
    assert reader.client.get("/?state=&sort=&q=").status_code == 200


def test_address_that_leads_nowhere_is_quoted_as_every_value(reader: Reader) -> None:
    assert reader.client.get("/nowhere").json()["detail"] == 'there is nothing at "/nowhere"'
    assert reader.client.put("/sweeps").json()["detail"] == 'PUT is not possible at "/sweeps"'
