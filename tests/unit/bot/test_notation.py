import json
from decimal import Decimal

import pytest

from bot.notation import LONGEST_QUOTE, is_printable, plain, quoted


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0E-8", "0"),
        ("-0", "0"),
        ("1E+3", "1000"),
        ("1.500", "1.5"),
        ("1E-10", "0.0000000001"),
        ("-2.50", "-2.5"),
    ],
)
def test_decimals_are_in_plain_notation(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", '"x"'),
        (Decimal("0E-8"), "0"),
        (Decimal("1e500"), "1E+500"),
        (True, "true"),
        (None, "null"),
        ({"a": Decimal("1.0"), "b": ["c", 2, False]}, '{"a": 1, "b": ["c", 2, false]}'),
        ([], "[]"),
    ],
)
def test_refused_values_are_quoted_as_they_were_written(value: object, text: str) -> None:
    assert quoted(value) == text


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("x" * 1_000_000, "1,000,000 characters"),
        (["y"] * 5000, "5,000 members"),
        ({str(index): 1 for index in range(3000)}, "3,000 members"),
        (Decimal("0." + "1" * 5000), "5,002 characters"),
    ],
)
def test_large_values_are_cut_and_their_size_is_said(value: object, size: str) -> None:
    text = quoted(value)
    assert text.endswith(f"... ({size})")
    assert len(text) < LONGEST_QUOTE + 40


@pytest.mark.parametrize(
    ("text", "printable"),
    [
        ("family \U0001f468\u200d\U0001f469\u200d\U0001f467", True),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", True),
        ("plain", True),
        ("bell\x07", False),
        ("turned \u202e round", False),
        ("\u200d", False),
    ],
)
def test_joiners_between_letters_can_be_shown_but_nothing_that_hides(text: str, printable: bool) -> None:
    assert is_printable(text) is printable


@pytest.mark.parametrize(
    "value",
    [
        "",
        "it's",
        'say "x"',
        "a\\b",
        "line\nnext",
        "\u202eleft",
        "caf\u00e9",
        "\x7f",
        "\U0001f600",
        "\U000e0001",
    ],
)
def test_quoted_text_is_json_without_what_cannot_be_printed(value: str) -> None:
    text = quoted(value)
    assert json.loads(text) == value
    assert text.isprintable()


def test_quoted_values_are_json() -> None:
    value = {"top": 0, "of": ["all", None, True, {"x": "1"}]}
    assert quoted(value) == json.dumps(value)
