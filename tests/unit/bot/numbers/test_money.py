from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import FloatMoneyError, InvalidNumberError
from bot.numbers.money import book, dec, exact, plain


@pytest.mark.parametrize("value", [0.1, 1.0, True, False])
def test_dec_refuses_binary_floats_and_bools(value: object) -> None:
    with pytest.raises(FloatMoneyError):
        dec(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-inf", "sNaN", "1_000", "", "12a", "１２"])
def test_dec_refuses_text_that_is_no_finite_number(text: str) -> None:
    with pytest.raises(InvalidNumberError, match="number"):
        dec(text)


def test_dec_keeps_every_digit() -> None:
    assert str(dec("0.1000000000000000055511151231257827")) == "0.1000000000000000055511151231257827"


@pytest.mark.parametrize(
    ("amount", "booked"),
    [
        ("0.000000005", "0E-8"),
        ("0.000000015", "2E-8"),
        ("-0.000000025", "-2E-8"),
        ("1.123456789", "1.12345679"),
    ],
)
def test_book_rounds_half_to_even_at_eight_places(amount: str, booked: str) -> None:
    assert str(book(Decimal(amount))) == booked


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E+3", "1000"), ("-0", "0"), ("0.10", "0.1"), ("1E-7", "0.0000001"), ("100", "100")],
)
def test_plain_is_canonical(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**15), max_value=10**15))
def test_plain_text_reads_back_equal(number: Decimal) -> None:
    assert dec(plain(number)) == number


def test_operators_inside_exact_refuse_floats_and_keep_forty_digits() -> None:
    with exact():
        assert Decimal("1.0000000000000000001") * Decimal("1.0000000000000000001") == Decimal(
            "1.00000000000000000020000000000000000001"
        )
        with pytest.raises(Exception, match="FloatOperation"):
            Decimal(0.5)  # noqa: RUF032 - the float is what is refused
