"""Formats of numbers on a page."""

from decimal import Decimal

import pytest

from api.presentation.formats import breakable, duration, rate, shown, unbroken, utc
from api.presentation.rate_words import rate_words


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (Decimal("1234567.895"), "money", "1,234,567.90"),
        (Decimal("-0.001"), "money", "0.00"),
        (Decimal("-12.5"), "money", "-12.50"),
        (Decimal("92233720368.54775807"), "money", "92,233,720,368.55"),
        (None, "money", "–"),
        (0.0523, "share", "5.23 %"),
        (1.23456, "ratio", "1.235"),
        (1e300, "ratio", f"{Decimal('1e300'):,f}"),
        (12345, "count", "12,345"),
        (0.5, "percent", "50 %"),
        (Decimal("42333.123456789"), "price", "42,333.12"),
        (Decimal("0.00000012345678"), "price", "0.000000123457"),
        (Decimal(120), "price", "120"),
        (Decimal("0.10320"), "quantity", "0.1032"),
        (26.5, "hours", "26.50 h"),
    ],
)
def test_number_is_shown_in_the_format_of_its_kind(
    value: Decimal | float | None, kind: str, text: str
) -> None:
    assert shown(value, kind) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.4, "0 s"), (59, "59 s"), (60, "1 min 00 s"), (3_700, "1 h 01 min"), (90_000, "1 d 1 h")],
)
def test_duration_names_its_two_largest_units(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_rate_time_and_names_are_readable() -> None:
    assert [rate(None), rate(0.123456), rate(1234.5)] == ["–", "0.123", "1,234"]
    assert utc(1_706_716_800_000) == "2024-01-31 16:00"
    assert breakable("a_<b>") == "a_<wbr>&lt;b&gt;"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("min_funding_rate", "0.00005", "0.5 bp per 8 h, 5.48 % a year"),
        ("exit_funding_rate", Decimal("-0.0001"), "-1 bp per 8 h, -10.95 % a year"),
        ("rate_cap", "0.003", "30 bp per 8 h, 328.5 % a year"),
        ("min_funding_rate", "none", ""),
        ("spot_taker", "0.001", ""),
    ],
)
def test_rates_alone_are_said_in_basis_points_and_percent_a_year(
    name: str, value: object, words: str
) -> None:
    assert rate_words(name, value) == words


def test_numbers_of_a_sentence_stand_in_one_line_with_their_units() -> None:
    told = unbroken("Made 2.23 % a year at 0.78 to 1 bp per 8 h, 40 hedges held 3 h")
    assert (
        told == "Made 2.23\u00a0% a year at 0.78 to 1\u00a0bp\u00a0per\u00a08\u00a0h, 40 hedges held 3\u00a0h"
    )
