"""Hedges to choose from: names that held markets make up, and what is held of their legs."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from webservice import Hands

from bot.config.run_config import RunConfig
from bot.market_store.deleting import Selection
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import generate
from bot.timestamps import parse_time_ms

START_MS, END_MS = parse_time_ms("2024-01-01"), parse_time_ms("2024-02-01")


@pytest.fixture
def second(hands: Hands) -> HistoricalDataStore:
    """Return the store with a month of a second exchange beside three of the first."""
    store = HistoricalDataStore(hands.engine)
    generate(store, start_ms=START_MS, end_ms=END_MS, exchanges=["synthetic-2"])
    return store


def choices(client: TestClient, **asked: Any) -> dict[str, dict[str, Any]]:
    response = client.get("/data/hedges", params={"exchange": "synthetic", **asked})
    assert response.status_code == 200, response.text
    return {one["name"]: one for one in response.json()["hedges"]}


def test_perps_of_one_coin_on_two_exchanges_are_offered_one_way_and_both_ways(
    client: TestClient, second: HistoricalDataStore
) -> None:
    found = choices(client, structure="perp_perp", short_exchange="synthetic-2")
    assert [*found][:2] == ["BTC/USDT:USDT", "DOGE/USDT:USDT"]
    both = "ETH/USDC:USDC@synthetic<>ETH/USDT:USDT@synthetic-2"
    assert both in found
    for name in found:
        config = RunConfig.parse(
            {
                "exchange": "synthetic",
                "structure": "perp_perp",
                "short_exchange": "synthetic-2",
                "symbols": [name],
                "start": "2024-01-02",
                "end": "2024-01-20",
            }
        )
        assert len(config.hedges) == (2 if "<>" in name else 1)
    assert (found["BTC/USDT:USDT"]["first"], found["BTC/USDT:USDT"]["last"]) == ("2024-01-01", "2024-02-01")
    long, short = found["BTC/USDT:USDT"]["legs"]
    assert (long["exchange"], long["last"], short["exchange"], short["last"]) == (
        *("synthetic", "2024-04-01"),
        *("synthetic-2", "2024-02-01"),
    )
    assert short["records"] == ["brackets", "fees", "life"]


@pytest.mark.parametrize(
    ("structure", "names"),
    [
        ("perp_perp", ["ETH/USDT:USDT<>ETH/USDC:USDC"]),
        ("inverse", ["BTC/USD:BTC", "ETH/USD:ETH"]),
        ("reverse", [*(f"{coin}/USDT:USDT" for coin in ("BTC", "DOGE", "ETH", "SOL")), "ETH/USDC:USDC"]),
    ],
)
def test_names_of_one_exchange_are_those_of_the_structure(
    client: TestClient, structure: str, names: list[str]
) -> None:
    found = choices(client, structure=structure)
    assert [*found] == names
    assert not any(one["lacks"] for one in found.values())


def test_legs_that_are_not_held_are_told(client: TestClient, hands: Hands) -> None:
    store = HistoricalDataStore(hands.engine)
    store.remove(Selection.parse(exchange="synthetic", symbol="BTC/USDT:USDT", series="spot"))
    store.remove(Selection.parse(exchange="synthetic", symbol="SOL/USDT:USDT", series="funding"))
    store.remove(Selection.parse(exchange="synthetic", symbol="ETH/USDT:USDT", series="borrow"))
    found = choices(client, structure="reverse")
    assert found["BTC/USDT:USDT"]["lacks"] == "no spot candles of BTC/USDT are held for synthetic"
    assert found["SOL/USDT:USDT"]["lacks"] == "no settlements of SOL/USDT:USDT are held for synthetic"
    assert found["BTC/USDT:USDT"]["first"] is None
    assert "borrow" in found["DOGE/USDT:USDT"]["legs"][1]["records"]
    assert "borrow" not in found["ETH/USDT:USDT"]["legs"][1]["records"]


def test_names_that_were_written_are_told_of_as_well(client: TestClient, second: HistoricalDataStore) -> None:
    written = "BTC/USDT:USDT@synthetic-2>BTC/USDT:USDT@synthetic"
    wrong = "BTC/USDT:USDT>ETH/USDT:USDT"
    found = choices(client, structure="perp_perp", symbols=[written, wrong])
    assert [leg["exchange"] for leg in found[written]["legs"]] == ["synthetic-2", "synthetic"]
    assert (found[wrong]["lacks"], found[wrong]["legs"]) == (
        f'"{wrong}": its legs are of two coins, BTC and ETH',
        [],
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"structure": "spread"}, "structure"),
        ({"exchange": "nowhere"}, "exchange"),
        ({"short_exchange": "nowhere"}, "short_exchange"),
        ({"symbols": ["x" * 201]}, "symbols.0"),
    ],
)
def test_refused_question_names_the_field(client: TestClient, changes: dict[str, Any], field: str) -> None:
    asked = {"exchange": "synthetic", "structure": "perp_perp", **changes}
    response = client.get("/data/hedges", params=asked)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field


def test_markets_of_all_exchanges_can_be_legs_of_full_names(
    client: TestClient, second: HistoricalDataStore
) -> None:
    asked = {"exchange": "synthetic", "structure": "spot_perp"}
    found = client.get("/data/hedges", params=asked).json()
    assert {"exchange": "synthetic-2", "symbol": "BTC/USDT"} in found["long_markets"]
    assert {"exchange": "synthetic-2", "symbol": "BTC/USDT:USDT"} in found["short_markets"]
    assert all(":" not in one["symbol"] for one in found["long_markets"])
