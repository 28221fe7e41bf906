"""The data of hedges, straight from files."""

from decimal import Decimal

from hedge_files import hedge_data

from bot.market.hedge_data import wanted_pairs
from bot.market.hedge_names import hedges_of
from bot.market.records.borrow_rates import BorrowRate

HOUR = 3_600_000
START = 1_704_067_200_000
FUNDING = (
    f"timestamp_ms,funding_rate,interval_hours,mark_price\n{START},0.001,8,\n{START + 8 * HOUR},0.002,8,99\n"
)
CANDLES = (
    f"timestamp_ms,open,high,low,close,volume\n{START - HOUR},1,3,1,2,10\n{START + 7 * HOUR},2,4,2,3,20\n"
)
FEES = (
    '{"rows":[{"from_ms":0,"market":"inverse","tier":"VIP0","min_volume":"0","maker":"0","taker":"0.0005"}]}'
)
BORROW = f"timestamp_ms,hourly_rate,max_quantity\n{START},0.00001,3\n{START + 9 * HOUR},0.00002,\n"
FILES = {
    "alpha/AAAUSDT-spot-1h.csv": CANDLES,
    "alpha/AAAUSDT-borrow.csv": BORROW,
    "alpha/AAAUSD_PERP-funding.csv": FUNDING,
    "alpha/AAAUSD_PERP-perp-1h.csv": CANDLES,
    "alpha/fees.json": FEES,
    "beta/AAAUSDT-funding.csv": FUNDING,
    "beta/AAAUSDT-perp-1h.csv": CANDLES,
}
CONFIG = {"exchange": "alpha", "end": START + 8 * HOUR}


def test_files_become_pairs_of_their_exchanges_with_empty_series_where_nothing_is_held() -> None:
    data = hedge_data(FILES, CONFIG)
    rows = {key: (len(one.funding), len(one.spot), len(one.perp)) for key, one in data.pairs.items()}
    assert rows == {
        ("alpha", "AAA/USDT:USDT"): (0, 2, 0),
        ("alpha", "AAA/USD:AAA"): (2, 0, 2),
        ("beta", "AAA/USDT:USDT"): (2, 0, 2),
    }
    assert (data.exchange, data.end_ms) == ("alpha", START + 8 * HOUR)
    assert data.pairs["alpha", "AAA/USD:AAA"].instrument.contract_size == 1


def test_recorded_rows_are_read_as_far_as_they_begin_by_the_end() -> None:
    data = hedge_data(FILES, CONFIG)
    rates = data.pairs["alpha", "AAA/USDT:USDT"].recorded.borrow_rates()
    assert rates.rows == (BorrowRate(START, Decimal("0.00001"), Decimal(3)),)
    fees = data.exchanges["alpha"].fees()
    assert fees is not None
    row = fees.of_tier("inverse", "VIP0", START)
    assert row is not None
    assert row.taker == Decimal("0.0005")
    assert "beta" not in data.exchanges


def test_rows_after_the_end_are_cut() -> None:
    [early] = {len(one.perp) for one in hedge_data(FILES, {**CONFIG, "end": START}).pairs.values()} - {0}
    assert early == 1


def test_pairs_of_hedges_are_those_of_both_legs_and_of_a_spot_market_that_may_stand_in() -> None:
    inverse = hedges_of(["AAA/USD:AAA"], "inverse", "alpha")
    assert wanted_pairs(inverse) == {("alpha", "AAA/USDT:USDT"), ("alpha", "AAA/USD:AAA")}
    two = hedges_of(["AAA/USDT:USDT"], "perp_perp", "alpha", short_exchange="beta")
    assert wanted_pairs(two) == {("alpha", "AAA/USDT:USDT"), ("beta", "AAA/USDT:USDT")}
    thousand = hedges_of(["1000AAA/USDT:USDT"], "spot_perp", "alpha")
    assert wanted_pairs(thousand) == {("alpha", "1000AAA/USDT:USDT"), ("alpha", "AAA/USDT:USDT")}
