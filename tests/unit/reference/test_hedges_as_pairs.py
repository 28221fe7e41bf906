"""Hedges of spot and perp give what the reference of pairs gives, where nothing newer is asked."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, settings

from tests.reference.hedges.replay import run
from tests.reference.markets import charged_runs, patient_runs, runs
from tests.reference.naive import run as run_pairs

ALL = settings(max_examples=30, derandomize=True)
Market = Mapping[str, Mapping[str, Any]]


def files_of(market: Market) -> dict[str, str]:
    """Return the files that hold a market of pairs on one exchange."""
    files = {}
    for symbol, data in market.items():
        stem = "alpha/" + symbol.partition(":")[0].replace("/", "")
        records = [f"{t},{rate},{hours},{mark or ''}" for t, rate, hours, mark in data["funding"]]
        header = "timestamp_ms,funding_rate,interval_hours,mark_price"
        files[f"{stem}-funding.csv"] = "\n".join([header, *records]) + "\n"
        for leg in ("spot", "perp", "mark"):
            if data[leg] is not None:
                rows = [",".join(map(str, row)) for row in data[leg]]
                files[f"{stem}-{leg}-1h.csv"] = "\n".join(["t,o,h,l,c,v", *rows]) + "\n"
    return files


def assert_same(
    market: Market, config: Mapping[str, Any], fee_rows: Sequence[Mapping[str, str]] = ()
) -> None:
    """Replay a run of pairs both ways, and compare everything that both know."""
    rules = {**market[config["symbols"][0]]["instrument"], "spot_active": True}
    pairs = {symbol: {**data, "instrument": rules} for symbol, data in market.items()}
    asked = {**config, "exchange": "alpha", "end_dead_markets": False, "instrument": rules}
    files = files_of(market)
    if fee_rows:
        files["alpha/fees.json"] = json.dumps({"rows": list(fee_rows)})
    expected = run_pairs(pairs, asked, fee_rows)
    document = run(files, asked)
    assert document["equity"] == [list(point) for point in expected["equity"]]
    for trade, other in zip(document["trades"], expected["trades"], strict=True):
        assert {name: trade[name] for name in other if name in trade} == {
            name: value for name, value in other.items() if name in trade
        }
    common = document["metrics"].keys() & expected["metrics"].keys()
    assert len(common) >= 24
    for name in common:
        assert document["metrics"][name] == expected["metrics"][name], name


@ALL
@given(runs())
def test_pairs_of_the_first_edition_give_the_same(drawn: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert_same(*drawn)


@ALL
@given(patient_runs())
def test_patience_and_styles_of_orders_give_the_same(drawn: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert_same(*drawn)


@ALL
@given(charged_runs())
def test_recorded_fees_give_the_same(
    drawn: tuple[dict[str, Any], dict[str, Any], list[dict[str, str]]],
) -> None:
    assert_same(*drawn)
