"""Fetch requests: every odd value is refused by its name, whatever its type."""

from typing import Any

import pytest

from bot.errors import InvalidInputError
from bot.market_store.fetch.fetch_request import FetchRequest

ASKED: dict[str, Any] = {"exchange": "bybit", "symbols": ["BTC/USDT:USDT"], "since": "2024-01-01"}


@pytest.mark.parametrize("left_out", [{}, {"until": None, "timeframe": None}, {"until": "", "timeframe": ""}])
def test_what_is_left_out_or_empty_is_until_now_in_hours(left_out: dict[str, Any]) -> None:
    found = FetchRequest.parse(ASKED | left_out)
    assert (found.until_ms, found.timeframe) == (None, "1h")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("exchange", value) for value in ("mtgox", "", None, ["bybit"], 1)),
        *(("symbols", value) for value in ([], "", ["a"] * 0, [1], {"a": 1}, None, ["x" * 65], ["\x07"])),
        *(("since", value) for value in (None, "", True, [1], "soon", {})),
        *(("until", value) for value in (False, 0, [], "2023-12-31", "later")),
        *(("timeframe", value) for value in (False, 0, ["1h"], {"1h": 1}, "7m")),
        ("depth", 1),
    ],
)
def test_odd_value_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        FetchRequest.parse(ASKED | {field: value})
    assert [error.field for error in refused.value.errors] == [field]
