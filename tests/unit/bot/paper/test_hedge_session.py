"""Session of hedges with rows that come late or twice, and with recorded rows that change."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from builders import run_config

from bot.errors import InsufficientDataError, SessionError
from bot.market.records.borrow_rates import BorrowRate
from bot.market.records.contract_life import Epoch
from bot.market.records.kinds import RecordKind
from bot.market.records.recorded import RecordedRows
from bot.market.rows import Rows, SeriesKind, funding_values
from bot.models import HOUR_MS, CloseReason, Instrument
from bot.paper.feed import FeedRows, Listing
from bot.paper.hedges.document import session_result
from bot.paper.hedges.records import KnownRecords
from bot.paper.hedges.session import HedgeAccounts, HedgeSession
from bot.paper.hedges.session_store import HedgesUpdate, SavedHedges
from bot.paper.session_store import SessionStatus

PAIR = "X/USDT:USDT"
NAME = f"{PAIR}@test"
KEY = ("test", PAIR)
START = 1_704_067_200_000
LEGS = (SeriesKind.SPOT, SeriesKind.PERP)
LISTED = {NAME: Listing(Instrument(qty_step=Decimal(1), mmr=Decimal(0)), dict.fromkeys(LEGS, HOUR_MS))}


@dataclass
class Records:
    """Recorded rows of the pair as a test sets them."""

    rows: dict[RecordKind, tuple[Any, ...]] = field(default_factory=dict)

    def known(self) -> KnownRecords:
        return KnownRecords({KEY: RecordedRows(self.rows)} if self.rows else {})


def hours(number: float) -> int:
    return START + int(number * HOUR_MS)


def prices(first: int, last: int, price: str = "100", high: str | None = None) -> list[FeedRows]:
    """Candles of both legs that close at the hours `first` to `last`."""
    number, top = Decimal(price), Decimal(high or price)
    times = [hours(hour - 1) for hour in range(first, last + 1)]
    rows = [(number, top, number, number, Decimal(10))] * len(times)
    return [FeedRows(NAME, kind, Rows.of(times, rows, kind)) for kind in LEGS]


def funding(*settled: tuple[int, str]) -> FeedRows:
    values = [funding_values(Decimal(rate), 8, None) for _, rate in settled]
    times = [hours(hour) for hour, _ in settled]
    return FeedRows(NAME, SeriesKind.FUNDING, Rows.of(times, values, SeriesKind.FUNDING))


def session(records: Records | None = None, saved: SavedHedges | None = None, **values: Any) -> HedgeSession:
    free = {"spot_taker": 0, "perp_taker": 0, "slippage_bps": 0, "min_volume_24h": 0, "allocation": 1}
    usual = {"exchange": "test", "symbols": [PAIR], "initial_capital": 1000, "cooldown_hours": 1}
    config = run_config(**{**usual, **free, **values})
    accounts = HedgeAccounts(records or Records())
    opened = accounts.account(config, saved or accounts.new_session("x", config, START), LISTED)
    opened.warm_up(())
    return opened


def opened(paper: HedgeSession) -> HedgesUpdate:
    """Enter at hour 1 and return the update."""
    paper.receive([*prices(1, 1), funding((1, "0.01"))])
    [update] = paper.advance(hours(1), hours(1))
    assert update.open_names == (PAIR,)
    return update


def test_a_row_told_twice_changes_nothing() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(1, 1, price="50"), funding((1, "0.9"))])
    assert list(paper.advance(hours(2), hours(2))) == []
    paper.receive([*prices(2, 2), funding((1, "0.9"), (2, "0.001"))])
    [update] = paper.advance(hours(2), hours(2))
    assert [payment.amount for payment in update.payments] == [Decimal("0.5")]


def test_an_event_that_is_noticed_too_late_is_booked_and_not_decided_on() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 5), funding((2, "-0.01"), (5, "-0.01"))])
    missed, fresh = paper.advance(hours(5), hours(5))
    assert (missed.payments[0].amount, missed.trades) == (-5, ())
    assert [trade.reason for trade in fresh.trades] == [CloseReason.SIGNAL]


def test_a_price_that_becomes_known_after_its_event_liquidates_with_the_next() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 4), *prices(6, 9), funding((9, "0.01"))])
    [before] = paper.advance(hours(9), hours(9))
    paper.receive([*prices(5, 5, high="201"), *prices(10, 10), funding((10, "0.01"))])
    [after] = paper.advance(hours(10), hours(10))
    assert (before.trades, after.payments) == ((), ())
    assert [trade.reason for trade in after.trades] == [CloseReason.LIQUIDATION]


def test_a_settlement_that_becomes_known_after_its_event_is_paid_once_with_the_next() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 9), funding((9, "0.01"))])
    list(paper.advance(hours(9), hours(9)))
    paper.receive([*prices(10, 11), funding((5, "0.004"), (10, "0.01"), (11, "0.01"))])
    next_event, last = paper.advance(hours(11), hours(11))
    paid = [(payment.t_ms, payment.amount) for payment in next_event.payments]
    assert paid == [(hours(5), 2), (hours(10), 5)]
    assert [payment.t_ms for payment in last.payments] == [hours(11)]


def test_an_order_whose_candle_becomes_known_after_the_next_event_is_filled_after_that() -> None:
    paper = session(fill_lag_candles=1)
    paper.receive([*prices(1, 1), funding((1, "0.01"))])
    [decided] = paper.advance(hours(1), hours(1))
    paper.receive([funding((2, "0.01"))])
    [without] = paper.advance(hours(2), hours(2))
    paper.receive([*prices(2, 3), funding((3, "0.01"))])
    [filled] = paper.advance(hours(3), hours(3))
    assert decided.under_way == (f"entry of {PAIR} decided at 2024-01-01T01:00:00Z",)
    assert (without.open_names, filled.open_names, filled.under_way) == ((), (PAIR,), ())
    assert filled.state.hedges[0].opened_ms == hours(2) + 1


def test_closing_books_what_settles_then_and_closing_right_after_an_event_books_nothing_twice() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 2, price="110"), funding((2, "0.01"))])
    closed = paper.close(CloseReason.EMERGENCY, hours(2), hours(2))
    [trade] = closed.trades
    assert (trade.reason, trade.long_exit, trade.funding_payments) == (CloseReason.EMERGENCY, 110, 1)
    assert (closed.status, closed.open_names) == (SessionStatus.EMERGENCY, ())
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 2), funding((2, "0.01"))])
    [event] = paper.advance(hours(2), hours(2))
    closed = paper.close(CloseReason.EMERGENCY, hours(2), hours(2))
    assert (len(event.payments), closed.payments, closed.trades[0].funding_payments) == (1, (), 1)


def test_the_document_of_an_open_session_tells_its_metrics_and_what_is_open() -> None:
    values = {"exchange": "test", "symbols": [PAIR], "cooldown_hours": 1}
    config = run_config(**values)
    update = opened(session())
    accounts = HedgeAccounts(Records())
    saved = replace(accounts.new_session("x", config, START), state=update.state)
    document = session_result(config, saved, update.trades, [(update.event_ms, update.equity)])
    assert (document["open"], document["under_way"], document["trades"]) == ([PAIR], [], [])
    assert (document["metrics"]["total_trades"], document["metrics"]["time_in_market"]) == (0, 1)
    assert session_result(config, accounts.new_session("x", config, START), (), ())["metrics"] is None


def test_an_end_that_is_announced_while_a_session_runs_is_acted_on() -> None:
    records = Records()
    paper = session(records, exit_on_announcement=True)
    opened(paper)
    records.rows[RecordKind.LIFE] = (Epoch("perp", 0, hours(20), hours(1)),)
    paper.receive([*prices(2, 2), funding((2, "0.01"))])
    [update] = paper.advance(hours(2), hours(2))
    assert [trade.reason for trade in update.trades] == [CloseReason.DELISTING]


def test_an_end_that_is_recorded_only_after_it_came_ends_the_hedge_when_time_moves_on() -> None:
    records = Records()
    paper = session(records)
    opened(paper)
    paper.receive([*prices(2, 3), funding((3, "0.01"))])
    list(paper.advance(hours(3), hours(3)))
    before = Epoch("perp", 0, hours(-5))
    records.rows[RecordKind.LIFE] = (before, Epoch("perp", hours(-5), hours(2)))
    paper.receive([*prices(4, 4), funding((4, "0.01"))])
    assert list(paper.advance(hours(4), hours(4))) == []
    closed = paper.close(CloseReason.END, hours(4), hours(4))
    assert [(trade.reason, trade.closed_at_ms) for trade in closed.trades] == [
        (CloseReason.DELISTED, hours(4))
    ]


def test_a_market_that_is_redenominated_while_a_session_runs_ends_it_by_name() -> None:
    records = Records({RecordKind.LIFE: (Epoch("perp", 0, units=Decimal(1)),)})
    paper = session(records)
    opened(paper)
    first = Epoch("perp", 0, hours(2), units=Decimal(1))
    then = Epoch("perp", hours(2), units=Decimal(1000), carried=True)
    records.rows[RecordKind.LIFE] = (first, then)
    paper.receive([*prices(2, 2), funding((2, "0.01"))])
    with pytest.raises(SessionError, match="X/USDT:USDT is counted in units of 1000 coins by its recorded"):
        list(paper.advance(hours(2), hours(2)))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"structure": "reverse"}, "borrow_rate_hourly: X/USDT: no borrow rate is recorded"),
        ({"margin_model": "brackets"}, "margin_model: X/USDT:USDT: no margin brackets are recorded"),
        ({"fee_model": "recorded"}, "fee_model: X/USDT: no fee schedule of test is recorded"),
    ],
)
def test_what_is_asked_for_and_not_held_is_refused_at_the_start(values: dict[str, Any], told: str) -> None:
    with pytest.raises(InsufficientDataError) as refused:
        session(**values)
    assert refused.value.message.startswith(told)


def test_a_borrow_rate_that_is_recorded_lets_a_session_begin() -> None:
    rows = {RecordKind.BORROW: (BorrowRate(START, Decimal("0.000001")),)}
    paper = session(Records(rows), structure="reverse")
    assert paper.state.t_ms == -1
