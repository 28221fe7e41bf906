from decimal import Decimal

import pytest

from bot.accounting.brackets import Bracket, Brackets, bracket_fault

D = Decimal
BRACKETS = Brackets(
    [
        Bracket(cap=D(50_000), mmr=D("0.004"), amount=D(0), max_leverage=D(125)),
        Bracket(cap=D(250_000), mmr=D("0.005"), amount=D(50), max_leverage=D(100)),
        Bracket(cap=None, mmr=D("0.01"), amount=D(1300), max_leverage=D(50)),
    ]
)


@pytest.mark.parametrize(
    ("notional", "maintenance"),
    [
        ("0", "0"),
        ("49999.99", "199.99996"),
        ("50000", "200"),  # 0.004 * 50000, and 0.005 * 50000 - 50 is the same
        ("50000.01", "200.00005"),
        ("100000", "450"),  # 0.005 * 100000 - 50
        ("1000000", "8700"),  # 0.01 * 1000000 - 1300
    ],
)
def test_maintenance_is_that_of_the_first_bracket_whose_cap_is_not_exceeded(
    notional: str, maintenance: str
) -> None:
    assert BRACKETS.maintenance(D(notional)) == D(maintenance)


def test_maintenance_beyond_the_last_cap_is_that_of_the_last_bracket() -> None:
    capped = Brackets(BRACKETS[:2])
    assert capped.maintenance(D(1_000_000)) == D(4950)


def test_second_bracket_of_the_published_case_takes_920_at_47() -> None:
    case = Brackets([Bracket(D(500), D("0.01"), D(0), D(20)), Bracket(None, D("0.1"), D(45), D(5))])
    assert case.maintenance(D(8) * D(115)) == D(47)
    assert case.cap(D(5)) is None


@pytest.mark.parametrize(
    ("leverage", "cap"),
    [("20", None), ("50", None), ("50.1", "250000"), ("100", "250000"), ("125", "50000"), ("126", "0")],
)
def test_leverage_may_open_up_to_the_cap_of_the_last_bracket_that_allows_it(
    leverage: str, cap: str | None
) -> None:
    assert BRACKETS.cap(D(leverage)) == (None if cap is None else D(cap))


@pytest.mark.parametrize(
    ("brackets", "fault"),
    [
        ([], (0, "cap", "no bracket is given")),
        ([Bracket(D(0), D(0))], (0, "cap", "0 is not positive")),
        ([Bracket(None, D(1))], (0, "mmr", "1 is not at least 0 and below 1")),
        ([Bracket(None, D("-0.1"))], (0, "mmr", "-0.1 is not at least 0 and below 1")),
        ([Bracket(None, D(0), D(-1))], (0, "amount", "-1 is negative")),
        ([Bracket(None, D(0), D(0), D(0))], (0, "max_leverage", "0 is not positive")),
        (
            [Bracket(D(5), D(0)), Bracket(D(5), D(0))],
            (1, "cap", "5 is not above 5 of the bracket before"),
        ),
        (
            [Bracket(None, D(0)), Bracket(D(5), D(0))],
            (1, "cap", "5 follows a bracket without a cap, which only the last may be"),
        ),
        (
            [Bracket(D(5), D("0.02")), Bracket(None, D("0.01"))],
            (1, "mmr", "0.01 is below 0.02 of the bracket before"),
        ),
    ],
)
def test_faults_name_place_field_and_value(brackets: list[Bracket], fault: tuple[int, str, str]) -> None:
    assert bracket_fault(brackets) == fault


def test_brackets_in_order_have_no_fault() -> None:
    assert bracket_fault(BRACKETS) is None
