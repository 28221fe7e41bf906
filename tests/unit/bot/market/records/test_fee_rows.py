"""Fee schedules in force at a time, by the name of a tier or by volume."""

from decimal import Decimal

import pytest

from bot.market.records.fee_rows import FeeRow, FeeTable, fee_row_document, parse_fee_row
from bot.market.rules import RowRefusedError

T0 = 1_704_067_200_000
ROWS = [
    {"from_ms": "0", "market": "linear", "tier": "VIP0", "min_volume": "0"}
    | {"maker": "0.0002", "taker": "0.0005"},
    {"from_ms": "0", "market": "linear", "tier": "VIP1", "min_volume": "1000"}
    | {"maker": "-0.0001", "taker": "0.0004"},
    {"from_ms": str(T0), "market": "linear", "tier": "VIP1", "min_volume": "5000"}
    | {"maker": "0", "taker": "0.0003"},
    {"from_ms": "0", "market": "spot", "tier": "VIP0", "min_volume": "0"}
    | {"maker": "0.001", "taker": "0.001"},
]
TABLE = FeeTable(map(parse_fee_row, ROWS))


def tier(volume: str, t_ms: int) -> tuple[str, Decimal] | None:
    row = TABLE.of_volume("linear", Decimal(volume), t_ms)
    return None if row is None else (row.tier, row.taker)


def test_the_tier_of_a_volume_is_the_highest_whose_newest_row_it_reaches() -> None:
    assert tier("999.99", 0) == ("VIP0", Decimal("0.0005"))
    assert tier("1000", T0 - 1) == ("VIP1", Decimal("0.0004"))
    assert tier("1000", T0) == ("VIP0", Decimal("0.0005"))
    assert tier("5000", T0) == ("VIP1", Decimal("0.0003"))
    assert tier("0", -1) is None


def test_a_named_tier_has_the_row_in_force_and_none_before_it_or_elsewhere() -> None:
    assert TABLE.of_tier("linear", "VIP1", T0 - 1) == parse_fee_row(ROWS[1])
    assert TABLE.of_tier("linear", "VIP1", T0) == parse_fee_row(ROWS[2])
    assert TABLE.of_tier("linear", "VIP9", T0) is None
    assert TABLE.of_tier("spot", "VIP1", T0) is None
    assert TABLE.of_tier("inverse", "VIP0", T0) is None


def test_a_row_reads_back_as_it_was_written() -> None:
    row = parse_fee_row(ROWS[1])
    assert row == FeeRow(0, "linear", "VIP1", Decimal(1000), Decimal("-0.0001"), Decimal("0.0004"))
    assert parse_fee_row(fee_row_document(row)) == row


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"market": "swap"}, 'market "swap" is none of spot, linear, inverse'),
        ({"tier": "auto"}, 'tier "auto" is no name of a tier'),
        ({"tier": ""}, "tier is missing"),
        ({"min_volume": "-1"}, 'min_volume "-1" is negative'),
        ({"maker": "-1"}, 'maker "-1" is not above -1 and below 1'),
        ({"taker": "-0.0001"}, 'taker "-0.0001" is not at least 0 and below 1'),
        ({"rebate": "1"}, 'rebate "1" is no field'),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_field_and_value(changed: dict[str, str], told: str) -> None:
    with pytest.raises(RowRefusedError, match=told):
        parse_fee_row({**ROWS[0], **changed})
