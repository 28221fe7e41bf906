"""Sessions of hedges in a database: what goes in comes out, and no event goes in twice."""

from dataclasses import replace

import pytest
from builders import run_config
from paperhedges import assert_paper_agrees, without_marks_of_contracts
from reference.hedges.drawn import made

from bot.clock import SimulatedClock
from bot.errors import InvalidInputError
from bot.market.records.borrow_rates import parse_borrow_rate
from bot.market.records.contract_life import parse_epoch
from bot.market.records.fee_rows import parse_fee_row
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market_store.paper.hedge_sessions import HedgeSessionStore
from bot.market_store.paper.stored_records import StoredRecords
from bot.market_store.store import HistoricalDataStore
from bot.paper.hedges.session_store import HedgesUpdate, SavedHedges
from bot.paper.hedges.state import HedgesState
from bot.paper.session import session_document
from bot.paper.session_store import SessionStatus, SessionTakenError

CONFIG = run_config(exchange="alpha", structure="reverse", symbols=["X/USDT:USDT"])
NEW = SavedHedges("x", session_document(CONFIG), 3, SessionStatus.OPEN, HedgesState())
T0 = 1_704_067_200_000
PAIR = ("alpha", "X/USDT:USDT")


def event(previous_ms: int, t_ms: int) -> HedgesUpdate:
    return HedgesUpdate(previous_ms, HedgesState(t_ms), CONFIG.initial_capital, (), ())


def test_a_session_killed_after_each_event_is_in_the_database_what_its_replay_is(
    hedge_sessions: HedgeSessionStore,
) -> None:
    files, values = made(93, "perp_perp")
    markets = without_marks_of_contracts(files)
    result = assert_paper_agrees(markets, values, hedge_sessions, crash_every=1, before=False)
    assert result.trades


def test_an_event_is_written_down_once_and_only_after_the_one_before(
    hedge_sessions: HedgeSessionStore,
) -> None:
    hedge_sessions.create(NEW)
    with pytest.raises(SessionTakenError, match='session "x" has just been started'):
        hedge_sessions.create(NEW)
    hedge_sessions.save("x", event(-1, 7))
    for stale in (event(-1, 7), event(5, 8)):
        with pytest.raises(SessionTakenError, match="taken further by another process"):
            hedge_sessions.save("x", stale)
    assert hedge_sessions.find("x") == replace(NEW, state=HedgesState(7))


def test_a_closed_session_takes_no_event_until_it_is_reopened(hedge_sessions: HedgeSessionStore) -> None:
    hedge_sessions.create(NEW)
    hedge_sessions.save("x", replace(event(-1, 7), status=SessionStatus.EMERGENCY))
    with pytest.raises(SessionTakenError):
        hedge_sessions.save("x", event(7, 8))
    hedge_sessions.reopen("x")
    hedge_sessions.save("x", event(7, 8))


def test_recorded_rows_of_its_markets_are_read_as_they_begin_and_as_they_are_added(
    store: HistoricalDataStore,
) -> None:
    clock = SimulatedClock(T0)
    records = StoredRecords(store.engine, CONFIG.hedges, clock)
    assert records.known().pairs[PAIR].rows == {}
    rates = [
        parse_borrow_rate({"timestamp_ms": at, "hourly_rate": "0.00001", "max_quantity": ""})
        for at in (str(T0), str(T0 + 50))
    ]
    fee = {"from_ms": "0", "market": "spot", "tier": "VIP0", "min_volume": "0", "maker": "0", "taker": "0"}
    store.merge_records(RecordKey(*PAIR, RecordKind.BORROW), rates, "test")
    store.merge_records(RecordKey("alpha", "", RecordKind.FEES), [parse_fee_row(fee)], "test")
    assert records.known().pairs[PAIR].rows == {RecordKind.BORROW: tuple(rates[:1])}
    assert records.known().exchanges["alpha"].fees() is not None
    clock.advance_to(T0 + 50)
    assert records.known().pairs[PAIR].rows == {RecordKind.BORROW: tuple(rates)}


def test_a_market_that_had_another_ticker_is_refused_by_both_names(store: HistoricalDataStore) -> None:
    epoch = parse_epoch({"market": "perp", "from_ms": "0", "stem": "OLDUSDT"})
    store.merge_records(RecordKey(*PAIR, RecordKind.LIFE), [epoch], "test")
    told = "X/USDT:USDT@alpha: its recorded life names rows of OLDUSDT, which are not read on paper"
    with pytest.raises(InvalidInputError, match=told):
        StoredRecords(store.engine, CONFIG.hedges, SimulatedClock(100)).known()
