"""Paper sessions in every database the product supports."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import sqlalchemy as sa
from builders import run_config

from bot.market_store.paper.pair_sessions import PaperStore
from bot.models import CloseReason, FundingPayment, Position, Trade
from bot.paper.session import new_session
from bot.paper.session_store import SessionTakenError, SessionUpdate
from bot.trading.account import AccountState, OpenHedge, RoundTrips

THIRD = Decimal(1) / Decimal(3)
HEDGE = OpenHedge(Position("X", 5, Decimal(2), THIRD, THIRD, THIRD, THIRD, THIRD), THIRD, 1)
TRADE = Trade(
    *("X", 5, 8, Decimal(2), THIRD, THIRD, THIRD, None),
    *(THIRD, THIRD, THIRD, THIRD, 1, CloseReason.EMERGENCY),
)
PAYMENT = FundingPayment(7, "X", THIRD, 8, THIRD, Decimal(2), THIRD)


def test_events_come_back_digit_for_digit(engine: sa.Engine) -> None:
    store, session = PaperStore(engine), new_session("x", run_config(), 3)
    store.create(session)
    account = AccountState(7, THIRD, THIRD, (HEDGE,), 4)
    store.save("x", SessionUpdate(-1, account, THIRD, (TRADE,), (PAYMENT,)))
    account = replace(account, round_trips={"X": RoundTrips(1, 8)})  # counted among the trades
    found = replace(session, account=account, booked=frozenset({("X", 7)}), recent=(TRADE,))
    assert store.find("x") == found
    assert (store.trades("x"), store.payments("x"), store.equity("x")) == ([TRADE], [PAYMENT], [(7, THIRD)])


def test_of_two_processes_at_one_event_only_one_writes_it_down(engine: sa.Engine) -> None:
    store = PaperStore(engine)
    store.create(new_session("x", run_config(), 3))

    def write(t_ms: int) -> int:
        account = AccountState(t_ms, THIRD, THIRD, (), 0)
        try:
            store.save("x", SessionUpdate(-1, account, THIRD, (TRADE,), ()))
        except SessionTakenError:
            return 0
        return t_ms

    with ThreadPoolExecutor(4) as pool:
        written = [t_ms for t_ms in pool.map(write, (7, 8, 9, 10)) if t_ms]
    assert [t_ms for t_ms, _ in store.equity("x")] == written
    assert len(store.trades("x")) == len(written) == 1
