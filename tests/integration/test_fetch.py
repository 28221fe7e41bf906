"""Downloads over real HTTP from a server that answers, fails and stops like an exchange."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from exchange_server import DIALECTS, HOUR_MS, ExchangeServer, Failure, serving
from fetching import (
    HOURS,
    INTERVALS,
    NOW,
    RULES,
    SET_UP_REQUESTS,
    START,
    candles,
    fetched,
    name_of,
    rows_held,
    served_pair,
    settlements,
    symbol_at,
)

from bot.accounting.brackets import Bracket, Brackets
from bot.errors import FetchError, UnknownSymbolError
from bot.market.records.fee_rows import FeeRow
from bot.market.records.kinds import RecordKey, RecordKind
from bot.market.rows import SeriesKey, SeriesKind
from bot.market_store.fetch.exchange_calls import ATTEMPTS, ExchangeCalls
from bot.market_store.fetch.exchanges import EXCHANGES, open_client
from bot.market_store.fetch.margin_brackets import PublishedTiers, brackets_of
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms


@pytest.fixture(params=EXCHANGES)
def server(request: pytest.FixtureRequest) -> Iterator[ExchangeServer]:
    with serving(DIALECTS[request.param](served_pair(request.param), NOW)) as server:
        yield server


@pytest.fixture
def binance() -> Iterator[ExchangeServer]:
    with serving(DIALECTS["binance"](served_pair("binance"), NOW)) as server:
        yield server


def test_every_series_arrives_whole_and_exact_and_only_closed_candles(
    server: ExchangeServer, store: HistoricalDataStore
) -> None:
    exchange = name_of(server)
    report = fetched(server, store)
    assert not any(one.refused for one in report.series)
    data = store.load(exchange, [symbol_at(exchange)], NOW, START).symbols[0]
    expected = candles(101, HOURS)
    assert data.perp.open_ms.tolist() == [row[0] for row in expected]
    assert data.perp.close.decimals() == [Decimal(row[4]) for row in expected]
    assert data.perp.volume.decimals() == [Decimal(row[5]) for row in expected]
    assert data.spot.close.decimals() == [Decimal(row[4]) for row in candles(100, HOURS)]
    assert (data.mark is None) == (exchange == "hyperliquid")
    assert data.funding.t_ms.tolist() == [t // HOUR_MS * HOUR_MS for t, _ in settlements()]
    assert data.funding.rates.decimals() == [Decimal(rate) for _, rate in settlements()]
    assert data.funding.interval_hours.tolist() == INTERVALS[: len(data.funding)]
    assert data.funding.has_mark.all() == (exchange == "binance")


def test_settlements_fetched_from_their_middle_on_have_the_intervals_of_one_fetch(
    binance: ExchangeServer, store: HistoricalDataStore
) -> None:
    for since_hours in (1290, 700, 560, 470, 0):
        fetched(binance, store, since=START + since_hours * HOUR_MS)
    funding = store.load("binance", ["BTC/USDT:USDT"], NOW).symbols[0].funding
    assert funding.t_ms.tolist() == [t // HOUR_MS * HOUR_MS for t, _ in settlements()]
    assert funding.interval_hours.tolist() == INTERVALS[: len(funding)]


def test_rules_are_those_of_the_coarser_leg_in_coins(
    server: ExchangeServer, store: HistoricalDataStore
) -> None:
    exchange = name_of(server)
    fetched(server, store, since=NOW - 72 * HOUR_MS)
    held = store.load(exchange, [symbol_at(exchange)], NOW).symbols[0].instrument
    step, least, notional, mmr, spot_taker, perp_taker = RULES[exchange]
    found = (held.qty_step, held.min_qty, held.min_notional, held.mmr)
    assert found == tuple(map(Decimal, (step, least, notional, mmr)))
    rules = next(listed for listed in store.listing() if listed.exchange == exchange).symbols[0].rules
    assert (rules["spot_taker"], rules["perp_taker"]) == (spot_taker, perp_taker)


BRACKETS = {
    # 0.015 * 2000000 - 0.01 * 2000000 makes maintenance continuous at the first cap.
    "bybit": (("2000000", "0.01", "0", "50"), ("3000000", "0.015", "10000", "33.3")),
    # 1000 contracts of a hundredth coin, at a mark price of 104.7 that is rounded to 100.
    "okx": (("1000", "0.004", "0", "100"), ("5000", "0.01", "0", "50")),
    "hyperliquid": (
        ("3000000", "0.02", "0", "25"),
        (None, "0.166666666666666667", "440000.000000000001000000", "3"),
    ),
}


@pytest.mark.parametrize("exchange", BRACKETS)
def test_brackets_are_those_of_today_and_hold_until_others_are_published(
    store: HistoricalDataStore, exchange: str
) -> None:
    key = RecordKey(exchange, symbol_at(exchange), RecordKind.BRACKETS)
    with serving(DIALECTS[exchange](served_pair(exchange), NOW)) as server:
        for _ in range(2):
            fetched(server, store, since=NOW - 2 * HOUR_MS)
            server.now_ms += HOUR_MS
    expected = [
        Bracket(None if cap is None else Decimal(cap), Decimal(mmr), Decimal(amount), Decimal(leverage))
        for cap, mmr, amount, leverage in BRACKETS[exchange]
    ]
    [held] = store.records(key)
    assert held.brackets == Brackets(expected)
    assert held.from_ms == NOW or exchange == "hyperliquid"  # which does not tell its time


def test_a_perp_without_a_listed_margin_table_has_one_bracket(store: HistoricalDataStore) -> None:
    with serving(DIALECTS["hyperliquid"](served_pair("hyperliquid"), NOW)) as server:
        client = open_client("hyperliquid", api_url=server.url, timeout_ms=2000)
        tiers = PublishedTiers(ExchangeCalls(client), "hyperliquid")
        perp = {"symbol": "X/USDC:USDC", "info": {"maxLeverage": "10", "marginTableId": "10"}}
        brackets = brackets_of(tiers.of(perp), continuous=True)
    assert brackets == Brackets([Bracket(None, Decimal("0.05"), Decimal(0), Decimal(10))])


def test_borrow_rates_of_a_year_become_those_of_an_hour_and_only_missing_ones_are_asked_for(
    store: HistoricalDataStore,
) -> None:
    pair = served_pair("okx")
    pair.borrow = [(START + n * HOUR_MS, "0.0876" if n < 1200 else "0.1") for n in range(HOURS + 1)]
    key = RecordKey("okx", "BTC/USDT:USDT", RecordKind.BORROW)
    with serving(DIALECTS["okx"](pair, NOW)) as server:
        for since_hours in (1250, 900, 900):
            asked = len(server.requests)
            fetched(server, store, since=START + since_hours * HOUR_MS)
        again = [path for path, _ in server.requests[asked:] if path.endswith("lending-rate-history")]
    rates = store.records(key)
    assert [rate.from_ms for rate in rates] == [row[0] for row in pair.borrow[900:]]
    assert (rates[0].hourly_rate, rates[0].max_quantity) == (Decimal("0.00001"), None)
    assert rates[-1].hourly_rate == Decimal("0.000011415525114155")
    assert len(again) == 1


def test_borrow_rates_go_on_after_a_break_and_ask_for_no_page_twice(store: HistoricalDataStore) -> None:
    pair = served_pair("okx")
    pair.borrow = [(START + n * HOUR_MS, "0.0876") for n in range(HOURS + 1)]
    key = RecordKey("okx", "BTC/USDT:USDT", RecordKind.BORROW)
    with serving(DIALECTS["okx"](pair, NOW)) as server:
        server.stop_after = 8
        with pytest.raises(FetchError):
            fetched(server, store)
        after_break = [rate.from_ms for rate in store.records(key)]
        server.stop_after, before = None, len(server.requests)
        fetched(server, store)
        asked = [path for path, _ in server.requests[before:] if path.endswith("lending-rate-history")]
    every = [t_ms for t_ms, _ in pair.borrow]
    assert 0 < len(after_break) < len(every)
    assert after_break == every[-len(after_break) :]
    assert [rate.from_ms for rate in store.records(key)] == every
    assert len(asked) < 2 + len(every) // 100 - len(after_break) // 100 + 1


FEES = {
    "binance": (("linear", "0.0002", "0.0005"), ("spot", "0.001", "0.001")),
    "bybit": (("linear", "0.0001", "0.0006"), ("spot", "0.001", "0.001")),
    "okx": (("linear", "0.0002", "0.0005"), ("spot", "0.001", "0.0015")),
    "hyperliquid": (("linear", "0.00015", "0.00045"), ("spot", "0.0004", "0.0007")),
}


def test_fees_are_those_of_the_base_tier_from_now_on_and_not_again_while_they_stay(
    server: ExchangeServer, store: HistoricalDataStore
) -> None:
    exchange, key = name_of(server), RecordKey(name_of(server), "", RecordKind.FEES)
    for _ in range(2):
        fetched(server, store, since=NOW - 2 * HOUR_MS)
        server.now_ms += HOUR_MS
    rows = store.records(key)
    assert tuple((row.market, str(row.maker), str(row.taker)) for row in rows) == FEES[exchange]
    assert {(row.tier, row.min_volume) for row in rows} == {("base", Decimal(0))}
    # Hyperliquid does not tell its time, so that the clock's counts.
    assert all(NOW <= row.from_ms < NOW + HOUR_MS or exchange == "hyperliquid" for row in rows)


def test_a_schedule_from_a_file_is_not_mixed_with_the_fetched_tier(
    binance: ExchangeServer, store: HistoricalDataStore
) -> None:
    key = RecordKey("binance", "", RecordKind.FEES)
    own = FeeRow(0, "linear", "VIP0", Decimal(0), Decimal("0.0002"), Decimal("0.0004"))
    store.merge_records(key, [own], "fees.json")
    fetched(binance, store, since=NOW - 2 * HOUR_MS)
    assert store.records(key) == [own]


NOT_PUBLIC = {
    "binance": [
        (
            "binance shows borrow rates and margin brackets only to authenticated accounts: "
            "import them from files"
        ),
        "binance does not publish lives of contracts: import them from files",
    ],
    "bybit": [
        "bybit shows borrow rates only to authenticated accounts: import them from files",
        "bybit does not publish lives of contracts: import them from files",
    ],
    "okx": ["okx does not publish lives of contracts: import them from files"],
    "hyperliquid": [
        "hyperliquid does not publish borrow rates and lives of contracts: import them from files"
    ],
}


def test_what_an_exchange_does_not_publish_is_a_remark(
    server: ExchangeServer, store: HistoricalDataStore
) -> None:
    said = fetched(server, store, since=NOW - 2 * HOUR_MS).remarks
    expected = NOT_PUBLIC[name_of(server)]
    assert said[-len(expected) :] == expected


def test_a_coin_that_is_not_lent_is_a_remark_and_its_candles_arrive(store: HistoricalDataStore) -> None:
    pair = served_pair("okx")
    pair.borrow = None
    with serving(DIALECTS["okx"](pair, NOW)) as server:
        report = fetched(server, store, since=NOW - 24 * HOUR_MS)
    assert [remark[:32] for remark in report.remarks[:-1]] == ["BTC/USDT:USDT: no borrow rates: "]
    assert "Parameter ccy error" in report.remarks[0]
    assert rows_held(store, "okx")["perp"] == 23


def test_second_fetch_asks_only_for_what_is_new(server: ExchangeServer, store: HistoricalDataStore) -> None:
    exchange = name_of(server)
    fetched(server, store)
    held, asked = rows_held(store, exchange), len(server.requests)
    server.now_ms += 1
    again = fetched(server, store)
    assert (sum(one.new for one in again.series), rows_held(store, exchange)) == (0, held)
    assert len(server.requests) - asked < asked


def test_earlier_history_is_added_backwards_until_the_exchange_has_none(
    binance: ExchangeServer, store: HistoricalDataStore
) -> None:
    fetched(binance, store, since=START + (HOURS - 100) * HOUR_MS)
    assert rows_held(store, "binance")["perp"] == 100
    before = len(binance.requests)
    fetched(binance, store, since=parse_time_ms("2019-01-01"))
    assert rows_held(store, "binance")["perp"] == HOURS
    perp_requests = [path for path, _ in binance.requests[before:] if path == "/fapi/v1/klines"]
    assert len(perp_requests) <= 4


def test_fetch_that_is_cut_off_leaves_no_hole_and_goes_on(
    binance: ExchangeServer, store: HistoricalDataStore
) -> None:
    fetched(binance, store, since=START + 1200 * HOUR_MS)
    cuts = 0
    for _attempt in range(20):
        binance.stop_after = len(binance.requests) + SET_UP_REQUESTS + 3
        try:
            fetched(binance, store)
            break
        except FetchError:
            cuts += 1
        assert [series.missing for series in store.listing()[0].symbols[0].series] == [0] * 4
    assert cuts >= 3
    assert rows_held(store, "binance") == {
        "funding": len(settlements()),
        "mark": HOURS,
        "perp": HOURS,
        "spot": HOURS,
    }


FAILURES = [
    Failure(429, {"Retry-After": "7"}, b'{"code": -1003, "msg": "Too many requests"}'),
    Failure(500, {}, b"<html>oops</html>"),
    Failure(503, {}, b""),
    Failure(),
    Failure(200, {}, b"<html>a proxy's page</html>"),
    Failure(200, {}, b'[["half an answer'),
]


def test_errors_that_pass_are_waited_out_and_retry_after_is_obeyed(
    binance: ExchangeServer, store: HistoricalDataStore
) -> None:
    pauses: list[float] = []
    for failure in FAILURES:
        binance.failures = [failure]
        fetched(binance, store, pauses=pauses)
    assert rows_held(store, "binance")["perp"] == HOURS
    assert len(pauses) == len(FAILURES)
    assert max(pauses) == 7


def test_exchange_that_never_answers_is_said_in_one_sentence(
    binance: ExchangeServer, store: HistoricalDataStore
) -> None:
    binance.failures = [Failure(503)] * ATTEMPTS
    pauses: list[float] = []
    with pytest.raises(FetchError, match="binance gives no usable answer") as refusal:
        fetched(binance, store, pauses=pauses)
    assert "\n" not in refusal.value.message
    assert pauses == [0.5, 1, 2, 4, 8]
    assert store.exchanges() == []


def test_symbol_that_is_not_listed_is_refused_before_anything_is_stored(
    binance: ExchangeServer, store: HistoricalDataStore
) -> None:
    with pytest.raises(UnknownSymbolError, match=r'"BTC/USDC:USDC" is no linear perpetual.*BTC/USDT:USDT'):
        fetched(binance, store, symbol="BTC/USDC:USDC")
    assert store.exchanges() == []


def test_bad_rows_of_an_exchange_are_refused_and_the_others_kept(
    binance: ExchangeServer, store: HistoricalDataStore
) -> None:
    perp = candles(101)
    perp[5] = (perp[5][0], "10", "5", "1", "3", "1")
    binance.pair.perp = perp
    report = fetched(binance, store)
    done = next(one for one in report.series if one.key.kind is SeriesKind.PERP)
    assert (done.new, done.refused) == (HOURS - 1, 1)
    assert "high 5 is below open 10" in done.refusals[0].reason


def test_multiplier_contract_is_hedged_by_the_coin_and_reads_in_its_units(store: HistoricalDataStore) -> None:
    pair = served_pair("binance", coin="1000PEPE", spot="PEPE")
    with serving(DIALECTS["binance"](pair, NOW)) as server:
        fetched(server, store, since=NOW - 72 * HOUR_MS, symbol="1000PEPE/USDT:USDT")
    assert store.extent(SeriesKey("binance", "PEPE/USDT:USDT", SeriesKind.SPOT, HOUR_MS)) is not None
    data = store.load("binance", ["1000PEPE/USDT:USDT"], NOW).symbols[0]
    last = candles(100, HOURS)[-1]
    assert data.spot_units == 1000
    assert data.spot.close.decimal(-1) == Decimal(last[4]) * 1000
    assert data.spot.volume.decimal(-1) == Decimal(last[5]) / 1000
    assert data.instrument.qty_step == Decimal("0.001")


def test_last_settlement_waits_for_its_successor_where_the_interval_may_have_grown(
    binance: ExchangeServer, store: HistoricalDataStore
) -> None:
    times = [START + hours * HOUR_MS for hours in (1, 2, 3, 7)]
    binance.pair.funding = [(t, "0.0001") for t in times]
    binance.now_ms = times[-1] + HOUR_MS
    fetched(binance, store)
    assert rows_held(store, "binance")["funding"] == 3
    binance.pair.funding = [*binance.pair.funding, (times[-1] + 4 * HOUR_MS, "0.0002")]
    binance.now_ms = times[-1] + 5 * HOUR_MS
    fetched(binance, store)
    funding = store.load("binance", ["BTC/USDT:USDT"], binance.now_ms).symbols[0].funding
    assert funding.interval_hours.tolist() == [1, 1, 1, 4, 4]


def test_borrow_rates_of_a_multiplier_contract_are_those_of_its_coin(store: HistoricalDataStore) -> None:
    pair = served_pair("okx", coin="1000PEPE", spot="PEPE")
    pair.borrow = [(NOW - HOUR_MS, "0.0876")]
    with serving(DIALECTS["okx"](pair, NOW)) as server:
        fetched(server, store, since=NOW - 3 * HOUR_MS, symbol="1000PEPE/USDT:USDT")
        asked = [query["ccy"] for path, query in server.requests if path.endswith("lending-rate-history")]
    assert set(asked) == {"PEPE"}
    assert len(store.records(RecordKey("okx", "PEPE/USDT:USDT", RecordKind.BORROW))) == 1
