"""History as of a moment: closed candles only, however the series begin, stop or pause."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from builders import symbol_data

from bot.market.history import PairHistory
from bot.models import HOUR_MS, Instrument, Ticker

START = 1_704_067_200_000
FAR = START + 10_000 * HOUR_MS


def candles(*closes: str, first_hour: int = 0, volume: str = "1") -> list[tuple[Any, ...]]:
    return [
        (START + (first_hour + n) * HOUR_MS, close, str(Decimal(close) + 1), close, close, volume)
        for n, close in enumerate(closes)
    ]


def history(max_age_hours: str = "2", **series: Any) -> PairHistory:
    rows = {"funding": [(START, "0.0001", 8, None)], **series}
    return PairHistory(symbol_data("X", rows, FAR), Instrument(), Decimal(max_age_hours) * HOUR_MS)


def ticker(pair: PairHistory, t_ms: int) -> Ticker:
    [found] = pair.tickers(np.array([t_ms], dtype=np.int64))
    return found


def test_a_candle_is_invisible_until_it_has_closed() -> None:
    pair = history(spot=candles("10", "11"), perp=candles("20", "21"))
    assert ticker(pair, START + HOUR_MS - 1).spot is None
    assert ticker(pair, START + HOUR_MS).spot == 10
    assert ticker(pair, START + 2 * HOUR_MS - 1).perp == 20
    assert ticker(pair, START + 2 * HOUR_MS).perp == 21


def test_a_price_is_fresh_up_to_its_greatest_age_and_stale_after() -> None:
    pair = history(spot=candles("10"), perp=candles("20", "21", "22", "23"))
    assert ticker(pair, START + 3 * HOUR_MS).fresh
    assert not ticker(pair, START + 3 * HOUR_MS + 1).fresh
    assert ticker(pair, START + 3 * HOUR_MS + 1).spot == 10


def test_without_a_series_there_is_no_price_and_nothing_is_fresh() -> None:
    pair = history(perp=candles("20"))
    assert (ticker(pair, START + HOUR_MS).spot, ticker(pair, START + HOUR_MS).fresh) == (None, False)


def test_volume_is_the_24_newest_stored_candles_whatever_their_age() -> None:
    gapped = [*candles(*["2"] * 20, volume="3"), *candles(*["5"] * 10, first_hour=50, volume="1")]
    pair = history(perp=gapped)
    assert ticker(pair, START + HOUR_MS).volume_24h == 6
    assert ticker(pair, START + 60 * HOUR_MS).volume_24h == 10 * 5 + 14 * 6


def test_volumes_are_exact_where_their_sums_over_the_series_leave_64_bits() -> None:
    traded = "999999999.9999999"  # 16 digits: the sum over all candles does not fit, those over 24 do
    pair = history(perp=candles(*["7"] * 200, volume=traded))
    assert ticker(pair, START + 200 * HOUR_MS).volume_24h == 24 * 7 * Decimal(traded)
    [record] = pair.records(START, FAR)
    late = replace(record, t_ms=START + 200 * HOUR_MS)
    volumes = pair.view(late, ticker(pair, late.t_ms)).volumes
    assert volumes.base_volume(199, 1) == 199 * Decimal(traded)
    assert volumes.base_volume(200, 1) is None


def test_volumes_are_exact_where_those_of_one_day_leave_64_bits() -> None:
    traded = "123456789012345678901234.5678"
    pair = history(perp=candles(*["70000.01"] * 30, volume=traded))
    seen = ticker(pair, START + 30 * HOUR_MS)
    assert seen.volume_24h == Decimal("207407435170370103517037010200.296272")
    [record] = pair.records(START, FAR)
    volumes = pair.view(replace(record, t_ms=seen.t_ms), seen).volumes
    assert volumes.base_volume(2, 3) == Decimal("246913578024691357802469.1356")


def test_the_mark_is_the_perp_until_the_mark_series_begins_and_never_after() -> None:
    pair = history(perp=candles("20", "21", "22"), mark=candles("30", first_hour=1))
    assert ticker(pair, START + HOUR_MS).mark == 20
    assert ticker(pair, START + 2 * HOUR_MS).mark == 30
    assert ticker(pair, START + 3 * HOUR_MS).mark == 30


def test_mark_highs_are_the_peaks_between_moments_from_closed_candles() -> None:
    pair = history(perp=candles("9"), mark=candles("20", "25", "23", "21"))
    times = np.array([START + n * HOUR_MS for n in (1, 3, 4, 9)], dtype=np.int64)
    assert pair.mark_highs(times) == [None, Decimal(26), Decimal(22), None]


def test_mark_candles_carry_the_ticker_of_their_close() -> None:
    pair = history(spot=candles("10", "11"), perp=candles("20", "21"))
    [only] = pair.mark_candles(START + HOUR_MS, START + 2 * HOUR_MS)
    assert (only.closed_at_ms, only.high, only.ticker.spot) == (START + 2 * HOUR_MS, 22, 11)


def test_an_own_mark_price_wins_over_the_mark_series() -> None:
    rows = {
        "funding": [(START + HOUR_MS, "0.0001", 8, "77"), (START + 2 * HOUR_MS, "0.0002", 1, None)],
        "perp": candles("20", "21"),
    }
    pair = PairHistory(symbol_data("X", rows, FAR), Instrument(), Decimal(2 * HOUR_MS))
    tickers = pair.tickers(pair.funding.t_ms)
    first, second = map(pair.view, pair.records(0, FAR), tickers)
    assert (first.funding.mark_price, second.funding.mark_price) == (77, 21)
    assert (first.funding.rate_8h, second.funding.rate_8h) == (Decimal("0.0001"), Decimal("0.0016"))
