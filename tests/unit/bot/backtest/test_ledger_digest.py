"""The digest of a ledger: equal for equal books, another one as soon as anything booked differs."""

from decimal import Decimal

import pytest

from bot.backtest.ledger_digest import OUT_OF_RANGE, ledger_of
from bot.models import CloseReason, Trade
from bot.numbers.money import exact
from bot.statistics.trial_metrics import DIGEST_BYTES

ONE = Decimal("1.00000001")
TRADE = Trade("X", 5, 8, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, 3, CloseReason.SIGNAL)


def digest(*trades: Trade) -> bytes:
    with exact():
        return ledger_of(trades)


def test_equal_books_have_equal_digests_however_amounts_are_written() -> None:
    padded = TRADE._replace(funding=Decimal("1.000000010"))
    assert digest(TRADE, padded) == digest(padded, TRADE)
    assert len(digest()) == DIGEST_BYTES


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "Y"},
        {"opened_at_ms": 6},
        {"closed_at_ms": 9},
        {"funding": Decimal("1.00000002")},
        {"fees": Decimal(1)},
        {"price_pnl": Decimal("-1.00000001")},
        {"funding_payments": 4},
        {"reason": CloseReason.END},
    ],
)
def test_one_booking_that_differs_changes_the_digest(change: dict[str, object]) -> None:
    changed = TRADE._replace(**change)  # type: ignore[arg-type]
    assert len({digest(TRADE, TRADE), digest(TRADE, changed), digest(changed, TRADE), digest(TRADE)}) == 4


def test_amounts_that_no_table_takes_have_the_digest_of_nothing() -> None:
    assert digest(TRADE._replace(fees=Decimal(10) ** 12)) == OUT_OF_RANGE
