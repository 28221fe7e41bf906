"""Session with rows that come late, twice, or after it has been away."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from builders import run_config

from bot.market.rows import Rows, SeriesKind, funding_values
from bot.models import HOUR_MS, CloseReason, Instrument
from bot.paper.feed import FeedRows, Listing
from bot.paper.session import PaperSession, new_session
from bot.paper.session_store import SavedSession, SessionStatus, SessionUpdate

SYMBOL = "X/USDT:USDT"
START = 1_704_067_200_000
LEGS = (SeriesKind.SPOT, SeriesKind.PERP)
LISTED = {SYMBOL: Listing(Instrument(qty_step=Decimal(1), mmr=Decimal(0)), dict.fromkeys(LEGS, HOUR_MS))}


def hours(number: float) -> int:
    return START + int(number * HOUR_MS)


def prices(first: int, last: int, price: str = "100", high: str | None = None) -> list[FeedRows]:
    """Candles of both legs that close at the hours `first` to `last`."""
    number, top = Decimal(price), Decimal(high or price)
    times = [hours(hour - 1) for hour in range(first, last + 1)]
    rows = [(number, top, number, number, Decimal(10))] * len(times)
    return [FeedRows(SYMBOL, kind, Rows.of(times, rows, kind)) for kind in LEGS]


def funding(*settled: tuple[int, str]) -> FeedRows:
    values = [funding_values(Decimal(rate), 8, None) for _, rate in settled]
    return FeedRows(
        SYMBOL, SeriesKind.FUNDING, Rows.of([hours(hour) for hour, _ in settled], values, SeriesKind.FUNDING)
    )


def session(
    saved: SavedSession | None = None, history: tuple[FeedRows, ...] = (), **values: Any
) -> PaperSession:
    free = {"spot_taker": 0, "perp_taker": 0, "slippage_bps": 0, "min_volume_24h": 0, "allocation": 1}
    config = run_config(**{"symbols": [SYMBOL], "initial_capital": 1000, **free, **values})
    opened = PaperSession(config, saved or new_session("x", config, START), LISTED)
    opened.warm_up(history)
    return opened


def saved_at(progress: SessionUpdate, started: PaperSession, *booked: int) -> SavedSession:
    keys = frozenset((SYMBOL, hours(hour)) for hour in booked)
    blank = new_session("x", run_config(), START)
    return replace(blank, account=progress.account, booked=keys)


def opened(paper: PaperSession, until: int = 1) -> SessionUpdate:
    """Enter at hour 1 and return the progress."""
    paper.receive([*prices(1, 1), funding((1, "0.01"))])
    *_, progress = paper.advance(hours(until), hours(until))
    assert len(progress.account.hedges) == 1
    return progress


def test_a_row_told_twice_changes_nothing() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(1, 1, price="50"), funding((1, "0.9"))])
    assert list(paper.advance(hours(2), hours(2))) == []
    paper.receive([*prices(2, 2), funding((1, "0.9"), (2, "0.001"))])
    [progress] = paper.advance(hours(2), hours(2))
    assert progress.payments[0].amount == Decimal("0.5")


def test_an_event_that_is_noticed_too_late_is_booked_and_not_decided_on() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 5), funding((2, "-0.01"), (5, "-0.01"))])
    missed, fresh = paper.advance(hours(5), hours(5))
    assert (missed.payments[0].amount, missed.trades) == (-5, ())
    assert [trade.reason for trade in fresh.trades] == [CloseReason.SIGNAL]


def test_a_liquidation_is_booked_however_late_it_is_noticed() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 2, high="201"), *prices(3, 90), funding((90, "0.01"))])
    [progress] = paper.advance(hours(95), hours(95))
    [trade] = progress.trades
    assert (trade.reason, trade.closed_at_ms) == (CloseReason.LIQUIDATION, hours(2))
    assert progress.account.hedges == ()


def test_a_price_that_becomes_known_after_its_event_liquidates_with_the_next() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 4), *prices(6, 9), funding((9, "0.01"))])
    [before] = paper.advance(hours(9), hours(9))
    paper.receive([*prices(5, 5, high="201"), *prices(10, 10), funding((10, "0.01"))])
    [after] = paper.advance(hours(10), hours(10))
    [trade] = after.trades
    assert (before.trades, after.payments) == ((), ())
    assert (trade.reason, trade.closed_at_ms) == (CloseReason.LIQUIDATION, hours(5))


def test_a_price_before_the_entry_that_becomes_known_late_liquidates_nothing() -> None:
    paper = session(history=(*prices(1, 4), *prices(6, 9)))
    paper.receive([funding((9, "0.01"))])
    list(paper.advance(hours(9), hours(9)))
    paper.receive([*prices(5, 5, high="201"), *prices(10, 10), funding((10, "0.01"))])
    [progress] = paper.advance(hours(10), hours(10))
    assert (len(progress.account.hedges), progress.trades) == (1, ())


def test_a_settlement_that_becomes_known_after_its_event_is_paid_with_the_next() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 9), funding((9, "0.01"))])
    [progress] = paper.advance(hours(9), hours(9))
    paper.receive([*prices(10, 10), funding((5, "0.004"), (10, "0.01"))])
    [progress] = paper.advance(hours(10), hours(10))
    assert [(payment.t_ms, payment.amount) for payment in progress.payments] == [
        (hours(5), 2),
        (hours(10), 5),
    ]


def ended() -> tuple[PaperSession, SessionUpdate]:
    """Enter at hour 1 and leave at hour 9; the settlement of hour 5 is not known yet."""
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 9), funding((9, "-0.01"))])
    [progress] = paper.advance(hours(9), hours(9))
    return paper, progress


def test_a_settlement_that_becomes_known_after_the_hedge_was_closed_is_added_to_its_trade() -> None:
    paper, progress = ended()
    [trade] = progress.trades
    paper.receive([*prices(10, 10), funding((5, "0.004"), (10, "-0.01"))])
    [after] = paper.advance(hours(10), hours(10))
    assert [(payment.t_ms, payment.amount) for payment in after.payments] == [(hours(5), 2)]
    assert after.account.cash == progress.account.cash + 2
    [revised] = after.revised
    assert revised == trade._replace(
        funding=trade.funding + 2,
        net_pnl=trade.net_pnl + 2,
        funding_payments=trade.funding_payments + 1,
    )


def test_a_settlement_of_a_closed_hedge_missed_before_a_restart_is_added_after_it_once() -> None:
    _, progress = ended()
    history = (*prices(1, 9), funding((1, "0.01"), (5, "0.004"), (9, "-0.01")))
    for booked, expected in (((9,), [5]), ((5, 9), [])):
        saved = replace(saved_at(progress, session(), *booked), recent=progress.trades)
        paper = session(saved, history)
        paper.receive([*prices(10, 10), funding((10, "-0.01"))])
        [after] = paper.advance(hours(10), hours(10))
        assert [payment.t_ms for payment in after.payments] == [hours(hour) for hour in expected]
        assert [trade.funding_payments for trade in after.revised] == [2] * len(expected)


def test_a_settlement_before_the_entry_that_becomes_known_late_is_not_paid() -> None:
    paper = session(history=(*prices(1, 9),))
    paper.receive([funding((9, "0.01"))])
    list(paper.advance(hours(9), hours(9)))
    paper.receive([*prices(10, 10), funding((5, "0.004"), (10, "0.01"))])
    [progress] = paper.advance(hours(10), hours(10))
    assert [payment.t_ms for payment in progress.payments] == [hours(10)]


def test_a_settlement_missed_before_a_restart_is_paid_after_it_once() -> None:
    progress = opened(session())
    missed = replace(progress, account=replace(progress.account, t_ms=hours(9)))
    history = (*prices(1, 9), funding((1, "0.01"), (5, "0.004"), (9, "0.01")))
    for booked, expected in (((9,), [5, 10]), ((5, 9), [10])):
        paper = session(saved_at(missed, session(), *booked), history)
        paper.receive([*prices(10, 10), funding((10, "0.01"))])
        [after] = paper.advance(hours(10), hours(10))
        assert [payment.t_ms for payment in after.payments] == [hours(hour) for hour in expected]


def test_closing_books_what_settles_at_that_moment_and_ends_at_its_prices() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 2, price="110"), funding((2, "0.01"))])
    progress = paper.close(CloseReason.EMERGENCY, hours(2), hours(2))
    [trade] = progress.trades
    assert (trade.reason, trade.spot_exit, trade.funding_payments) == (CloseReason.EMERGENCY, 110, 1)
    assert (progress.status, progress.account.hedges) == (SessionStatus.EMERGENCY, ())


def test_closing_right_after_an_event_books_nothing_of_it_twice() -> None:
    paper = session()
    opened(paper)
    paper.receive([*prices(2, 2), funding((2, "0.01"))])
    [event] = paper.advance(hours(2), hours(2))
    progress = paper.close(CloseReason.EMERGENCY, hours(2), hours(2))
    assert (len(event.payments), progress.payments) == (1, ())
    assert progress.trades[0].funding_payments == 1


def test_rules_of_the_config_replace_those_of_the_exchange() -> None:
    paper = session(instrument={"qty_step": "2"})
    assert opened(paper).account.hedges[0].position.quantity == 4
