import pytest

from bot.accounting.event_order import ENDINGS, EXITS, INTERRUPTIONS, is_before_funding, is_due, last_due
from bot.models import CloseReason


def test_exchanges_come_before_accounts_and_margin_before_signals_and_the_end_last() -> None:
    exits = ["margin", "distance", "basis", "seam", "signal"]
    assert [*INTERRUPTIONS, *EXITS] == ["liquidation", "delisted", "adl", *exits]
    assert list(ENDINGS) == [*INTERRUPTIONS, *EXITS, CloseReason.END]


@pytest.mark.parametrize(("settled", "due"), [(9, False), (10, False), (11, True), (20, True), (21, False)])
def test_settlements_are_due_from_the_one_after_opening_up_to_the_closing(settled: int, due: bool) -> None:
    assert is_due(settled, 10, last_due(20, before_funding=is_before_funding(CloseReason.MARGIN))) is due


def test_what_an_exchange_takes_at_a_settlement_does_not_collect_it() -> None:
    assert not is_due(20, 10, last_due(20, before_funding=is_before_funding(CloseReason.LIQUIDATION)))
    assert not is_due(20, 10, last_due(20, before_funding=is_before_funding(CloseReason.DELISTED)))
    assert not is_due(20, 10, last_due(20, before_funding=is_before_funding(CloseReason.ADL)))


def test_an_open_hedge_is_due_whatever_settles_after_its_opening() -> None:
    assert is_due(10**15, 10)
    assert not is_due(10, 10)
