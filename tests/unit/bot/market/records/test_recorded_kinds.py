"""Reading of recorded rows against the numbers of the specification's cases."""

from decimal import Decimal
from typing import Any

import pytest

from bot.accounting.brackets import Bracket
from bot.market.records.borrow_rates import BorrowRate, BorrowRates
from bot.market.records.bracket_history import BracketHistory, parse_dated_brackets
from bot.market.records.contract_life import ContractLife, lives, parse_epoch
from bot.market.records.kinds import RECORD_TYPES, RecordKind
from bot.market.rules import RowRefusedError
from bot.models import HOUR_MS

D = Decimal
T0 = 1_704_067_200_000
REUSED = [
    {"market": "perp", "from_ms": "1703980800000", "to_ms": "1704110400000"}
    | {"announced_ms": "1704096000000", "settle_price": "95"},
    {"market": "perp", "from_ms": "1704139200000"},
]
REDENOMINATED = [
    {"market": "perp", "from_ms": "1703980800000", "to_ms": "1704110400000", "units": "0.001"},
    {"market": "perp", "from_ms": "1704110400000", "to_ms": None, "units": "1", "carried": True},
]


def life(rows: list[dict[str, Any]]) -> ContractLife:
    epochs = [parse_epoch(row) for row in rows]
    RECORD_TYPES[RecordKind.LIFE].check_all(epochs)
    return lives(epochs)["perp"]


def test_a_borrow_rate_is_in_force_from_its_time_until_the_next() -> None:
    first, second = BorrowRate(T0, D("0.00001"), D(3)), BorrowRate(T0 + 10 * HOUR_MS, D("0.00002"))
    rates = BorrowRates([first, second])
    assert [rates.in_force(T0 + after) for after in (-1, 0, 10 * HOUR_MS - 1, 10 * HOUR_MS)] == [
        None,
        first,
        first,
        second,
    ]


def test_interest_of_the_published_case_is_that_of_the_hours_begun() -> None:
    # Three coins for 16 h: 7*0.003 + 0.0027, 2*0.0027, 5*0.0054 + 3*80*0.00002.
    rates = BorrowRates([BorrowRate(T0, D("0.00001")), BorrowRate(T0 + 10 * HOUR_MS, D("0.00002"))])
    begun = [rates.in_force(T0 + hour * HOUR_MS) for hour in range(16)]
    spot = [100] * 7 + [90] * 8 + [80]
    interest = [3 * price * rate.hourly_rate for price, rate in zip(spot, begun, strict=True) if rate]
    assert sum(interest) == D("0.0609")


def test_brackets_are_in_force_from_their_time_on() -> None:
    rows = [
        {"from_ms": "0", "brackets": [{"cap": "50000", "mmr": "0.004", "max_leverage": "125"}]},
        {"from_ms": str(T0), "brackets": [{"cap": None, "mmr": "0.005", "amount": "50"}]},
    ]
    history = BracketHistory([parse_dated_brackets(row) for row in rows])
    before, after = history.in_force(T0 - 1), history.in_force(T0)
    assert before is not None
    assert after is not None
    assert before.brackets == (Bracket(D(50_000), D("0.004"), D(0), D(125)),)
    assert after.brackets.maintenance(D(100_000)) == D(450)


def test_a_reused_ticker_is_two_contracts_with_nothing_between_them() -> None:
    found = life(REUSED)
    first, second = found.contracts
    assert (first.from_ms, first.to_ms, first.settle_price) == (1703980800000, 1704110400000, D(95))
    assert (second.from_ms, second.to_ms, second.units) == (1704139200000, None, None)
    at = [found.contract_at(t) for t in (1703980799999, 1704110399999, 1704110400000, 1704139200000)]
    assert at == [None, first, None, second]
    assert [first.end_announced(t) for t in (1704095999999, 1704096000000)] == [False, True]
    assert not second.end_announced(2**60)


def test_epochs_own_settlements_before_their_end() -> None:
    epoch = life(REUSED).epochs[0]
    end_ms = 1704110400000
    assert [epoch.owns_settlement(t) for t in (end_ms - 1, end_ms)] == [True, False]


def test_a_redenominated_contract_lives_on_with_prices_in_units_of_its_last_epoch() -> None:
    found = life(REDENOMINATED)
    [contract] = found.contracts
    assert (contract.from_ms, contract.to_ms, contract.units) == (1703980800000, None, D(1))
    old, new = (found.epoch_at(t) for t in (1704110399999, 1704110400000))
    assert old is not None
    assert new is not None
    assert (old.factor(D(1)), new.factor(D(1))) == (D(1000), D(1))


PERP = {"market": "perp", "from_ms": str(T0)}
UNFIT = {
    "borrow": [
        (
            {"timestamp_ms": str(T0), "hourly_rate": "-0.1"},
            'hourly_rate "-0.1" is not at least 0 and below 1',
        ),
        ({"timestamp_ms": str(T0), "hourly_rate": "NaN"}, 'hourly_rate "NaN" is not a finite decimal number'),
        ({"timestamp_ms": str(T0), "hourly_rate": ""}, "hourly_rate is missing"),
        (
            {"timestamp_ms": str(T0), "hourly_rate": "0", "max_quantity": "-1"},
            'max_quantity "-1" is negative',
        ),
        (
            {"timestamp_ms": "17", "hourly_rate": "0"},
            "timestamp_ms 17 is not in milliseconds, or not in 2009",
        ),
    ],
    "brackets": [
        ("[]", '"[]" is no object with from_ms, brackets'),
        ({"from_ms": "0"}, "brackets null is no list of brackets"),
        ({"from_ms": "7", "brackets": []}, "from_ms 7 is not in milliseconds"),
        ({"from_ms": "0", "brackets": [{"cap": "5"}]}, "brackets[0].mmr is missing"),
        ({"from_ms": "0", "brackets": [{"mmr": "x"}]}, 'brackets[0].mmr "x" is not a finite decimal number'),
        ({"from_ms": "0", "brackets": [{"mmr": "0", "cum": "1"}]}, 'brackets[0].cum "1" is no field; known'),
        (
            {"from_ms": "0", "brackets": [{"cap": "9", "mmr": "0"}, {"cap": "8", "mmr": "0"}]},
            "brackets[1].cap 8 is not above 9 of the bracket before",
        ),
    ],
    "life": [
        (PERP | {"market": "option"}, 'market "option" is none of perp, spot'),
        (PERP | {"to_ms": str(T0)}, f"to_ms {T0} is not after from_ms {T0}"),
        (PERP | {"settle_price": "1"}, "settle_price 1 belongs to an end, but there is no to_ms"),
        (PERP | {"to_ms": str(T0 + 5), "settle_price": "0"}, "settle_price 0 is not positive"),
        (PERP | {"to_ms": str(T0 + 5), "announced_ms": str(T0 + 6)}, f"announced_ms {T0 + 6} is after to_ms"),
        (PERP | {"units": "20"}, "units 20 is no power of ten"),
        (PERP | {"units": "1.00000000000000000000000000001"}, "units 1.00000000000000000000000000001 is no"),
        (PERP | {"units": "-1"}, "units -1 is no power of ten"),
        (PERP | {"\x07": "1"}, r'"\u0007" "1" is no field; known are market, from_ms'),
        (PERP | {"stem": "???"}, 'stem "???"'),
        (PERP | {"carried": "yes"}, 'carried "yes" is neither true nor false'),
        (PERP | {"units": ["1"]}, 'units ["1"] is neither a number nor text'),
    ],
}


@pytest.mark.parametrize(
    ("kind", "row", "reason"), [(kind, *case) for kind, cases in UNFIT.items() for case in cases]
)
def test_a_row_that_breaks_a_rule_is_refused_naming_field_and_value(
    kind: str, row: object, reason: str
) -> None:
    with pytest.raises(RowRefusedError) as refused:
        RECORD_TYPES[RecordKind(kind)].parse(row)
    assert str(refused.value).startswith(reason)


TOGETHER = {
    "borrow": ([{"timestamp_ms": str(T0), "hourly_rate": "0"}] * 2, f"timestamp_ms {T0} repeats that"),
    "brackets": (
        [{"from_ms": text, "brackets": [{"mmr": "0"}]} for text in (str(T0), "0")],
        f"from_ms 0 is not after {T0} of a row before",
    ),
    "life": ([PERP, PERP | {"from_ms": str(T0 + 5)}], f"from_ms {T0 + 5} follows an epoch of perp without"),
}


@pytest.mark.parametrize("kind", TOGETHER)
def test_rows_that_cannot_follow_each_other_are_refused_naming_the_later(kind: str) -> None:
    rows, reason = TOGETHER[kind]
    found = RECORD_TYPES[RecordKind(kind)]
    with pytest.raises(RowRefusedError) as refused:
        found.check_all([found.parse(row) for row in rows])
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize(
    ("begins", "carried", "reason"),
    [
        (T0 + 4, False, f"from_ms {T0 + 4} overlaps the epoch before, which ends at to_ms {T0 + 5}"),
        (T0 + 6, True, f"from_ms {T0 + 6} leaves a gap after to_ms {T0 + 5}, but carried is true"),
    ],
)
def test_epochs_that_overlap_or_leave_a_gap_are_refused(begins: int, carried: bool, reason: str) -> None:
    with pytest.raises(RowRefusedError) as refused:
        life([PERP | {"to_ms": str(T0 + 5)}, PERP | {"from_ms": str(begins), "carried": carried}])
    assert str(refused.value) == reason


def test_the_first_epoch_cannot_be_carried() -> None:
    with pytest.raises(RowRefusedError, match="carried true of the first perp epoch continues nothing"):
        life([PERP | {"carried": True}])


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("borrow", {"timestamp_ms": str(T0), "hourly_rate": "0.0000021", "max_quantity": "12.5"}),
        (
            "brackets",
            {"from_ms": "0", "brackets": [{"cap": "5", "mmr": "0", "amount": "0", "max_leverage": None}]},
        ),
        ("life", REUSED[0] | {"units": "0.001", "stem": "OLDUSDT"}),
    ],
)
def test_a_row_is_the_same_after_being_written_and_read(kind: str, row: object) -> None:
    found = RECORD_TYPES[RecordKind(kind)]
    assert found.document(found.parse(row)) == row
