"""Sessions in a database: what goes in comes out, and no event goes in twice."""

from dataclasses import replace
from decimal import Decimal

import pytest
from builders import run_config

from bot.market_store.paper.pair_sessions import PaperStore
from bot.models import CloseReason, FundingPayment, Leg, OrderRequest, Position, Side, Trade
from bot.paper.session import new_session
from bot.paper.session_store import SessionStatus, SessionTakenError, SessionUpdate
from bot.trading.account import (
    AccountState,
    Aim,
    LegFills,
    OpenHedge,
    PendingHedge,
    RoundTrips,
    UnfinishedHedge,
    UnwoundSpot,
    Waiting,
)

THIRD = Decimal(1) / Decimal(3)
POSITION = Position("X", 5, Decimal(2), THIRD, THIRD * 2, Decimal("0.66666667"), Decimal(1), Decimal("1E-8"))
TRADE = Trade(
    *("X", 5, 8, Decimal(2), THIRD, THIRD, THIRD, None),
    *(Decimal("0.5"), Decimal("0.1"), Decimal(-3), Decimal("-2.6"), 1, CloseReason.LIQUIDATION),
)
PAYMENT = FundingPayment(7, "X", Decimal("-0.0001"), 8, THIRD, Decimal(2), Decimal("-0.00006667"))
NEW = new_session("x", run_config(), 3)


def progress(previous_ms: int, t_ms: int, *hedges: OpenHedge) -> SessionUpdate:
    account = AccountState(t_ms, Decimal("9999.00000001"), Decimal(1), hedges, 4)
    return SessionUpdate(previous_ms, account, THIRD, (), ())


def test_a_new_session_is_found_as_it_was_created(paper_store: PaperStore) -> None:
    assert paper_store.find("x") is None
    paper_store.create(NEW)
    assert paper_store.find("x") == NEW
    with pytest.raises(SessionTakenError, match='"x" has just been started'):
        paper_store.create(NEW)


def test_every_digit_of_an_event_comes_back(paper_store: PaperStore) -> None:
    paper_store.create(NEW)
    hedges = OpenHedge(POSITION, Decimal("0.00000001"), 1), OpenHedge(POSITION._replace(symbol="A"), THIRD, 0)
    before = progress(-1, 7, *hedges)
    waiting = replace(before.account, waiting={"A": Waiting(5, THIRD, Decimal(3), 2)})
    event = replace(before, account=waiting, trades=(TRADE, TRADE), payments=(PAYMENT,))
    paper_store.save("x", event)
    found = paper_store.find("x")
    assert found is not None
    account = replace(event.account, round_trips={"X": RoundTrips(2, 8)})
    assert (found.account, found.booked) == (account, frozenset({("X", 7)}))
    assert (paper_store.trades("x"), paper_store.payments("x")) == ([TRADE, TRADE], [PAYMENT])
    assert paper_store.equity("x") == [(7, THIRD)]


def test_a_hedge_with_unequal_legs_comes_back_with_the_order_that_is_still_unknown(
    paper_store: PaperStore,
) -> None:
    paper_store.create(NEW)
    unknown = OrderRequest("X", Leg.PERP, Side.BUY, THIRD, forced=True, number=12)
    closing = UnfinishedHedge(
        *("X", Aim.CLOSE, Decimal(2), POSITION, CloseReason.MARGIN),
        spot_sold=LegFills(Decimal(2), THIRD, Decimal("1E-8"), 6),
        unknown=unknown,
    )
    opening = UnfinishedHedge("A", Aim.UNWIND, Decimal(1), spot_bought=LegFills(THIRD, THIRD, THIRD, 6))
    pending = PendingHedge(closing, THIRD, 3), PendingHedge(opening, Decimal(0), 0)
    account = AccountState(7, THIRD, Decimal(1), (), 4, pending, orders=12)
    unwound = UnwoundSpot("B", 7, THIRD, THIRD, Decimal(2), Decimal("0.1"), Decimal("-0.5"))
    paper_store.save("x", SessionUpdate(-1, account, THIRD, (), (), (unwound, unwound)))
    found = paper_store.find("x")
    assert found is not None
    assert found.account == account
    assert paper_store.unwound("x") == [unwound, unwound]


def test_a_trade_revised_by_a_late_settlement_replaces_what_was_written(paper_store: PaperStore) -> None:
    paper_store.create(NEW)
    other = TRADE._replace(opened_at_ms=6)
    paper_store.save("x", replace(progress(-1, 7), trades=(TRADE, other)))
    revised = TRADE._replace(funding=THIRD, net_pnl=THIRD, funding_payments=2)
    paper_store.save("x", replace(progress(7, 8), revised=(revised,), payments=(PAYMENT,)))
    assert paper_store.trades("x") == [revised, other]
    found = paper_store.find("x")
    assert found is not None
    assert (found.recent, found.booked) == ((revised, other), frozenset({("X", 7)}))


def test_an_event_is_written_down_once_and_only_after_the_one_before(paper_store: PaperStore) -> None:
    paper_store.create(NEW)
    paper_store.save("x", progress(-1, 7))
    for stale in (progress(-1, 7), progress(-1, 8), progress(6, 8)):
        with pytest.raises(SessionTakenError, match="taken further by another process"):
            paper_store.save("x", stale)
    assert paper_store.equity("x") == [(7, THIRD)]


def test_an_event_that_cannot_be_written_whole_is_not_written_at_all(paper_store: PaperStore) -> None:
    paper_store.create(NEW)
    with pytest.raises(Exception, match="UNIQUE"):
        paper_store.save("x", replace(progress(-1, 7), trades=(TRADE,), payments=(PAYMENT, PAYMENT)))
    assert paper_store.find("x") == NEW
    assert paper_store.trades("x") == []


def test_a_closed_session_takes_no_event_until_it_is_reopened(paper_store: PaperStore) -> None:
    paper_store.create(NEW)
    paper_store.save("x", replace(progress(-1, 7), status=SessionStatus.EMERGENCY))
    with pytest.raises(SessionTakenError):
        paper_store.save("x", progress(7, 8))
    paper_store.reopen("x")
    paper_store.save("x", progress(7, 8))


def test_closing_right_after_an_event_replaces_its_equity_point(paper_store: PaperStore) -> None:
    paper_store.create(NEW)
    paper_store.save("x", progress(-1, 7))
    paper_store.save("x", replace(progress(7, 7), equity=Decimal(5)))
    assert paper_store.equity("x") == [(7, Decimal(5))]
