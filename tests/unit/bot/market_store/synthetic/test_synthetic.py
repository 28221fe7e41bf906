import itertools
from decimal import Decimal

import numpy as np
import pytest

from bot.backtest import run_backtest
from bot.config.run_config import RunConfig
from bot.errors import DataImportError
from bot.market.records.fee_rows import FeeTable
from bot.market.records.kinds import RECORD_TYPES, RecordKind
from bot.market.rows import SeriesKind
from bot.market.symbols import SYNTHETIC_EXCHANGES
from bot.market_store.deleting import Selection
from bot.market_store.segments import digest
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import (
    DEFAULT_END_MS,
    DEFAULT_SEED,
    PROFILES,
    GeneratedPair,
    generate,
    generate_pair,
    generate_pairs,
)
from bot.market_store.synthetic.records import fee_schedules
from bot.market_store.synthetic.walk import funding_rate
from bot.models import HOUR_MS
from bot.timestamps import parse_time_ms

START, END = parse_time_ms("2024-01-01"), parse_time_ms("2024-06-01")
ETH, DOGE = PROFILES[1], PROFILES[-1]


@pytest.fixture(scope="module")
def doge() -> GeneratedPair:
    return generate_pair(DOGE, DEFAULT_SEED, START, END)


def test_seed_gives_the_same_market_on_every_machine(doge: GeneratedPair) -> None:
    assert {kind.value: digest(rows)[:8] for kind, rows in doge.rows.items()} == {
        "spot": "b23c9f6a",
        "perp": "24503133",
        "mark": "90e418d6",
        "funding": "b08e981a",
    }
    other = generate_pair(DOGE, DEFAULT_SEED + 1, START, END)
    assert digest(other.rows[SeriesKind.PERP]) != digest(doge.rows[SeriesKind.PERP])


def test_candles_obey_the_rules_of_recorded_ones(doge: GeneratedPair) -> None:
    for kind in (SeriesKind.SPOT, SeriesKind.PERP, SeriesKind.MARK):
        values = doge.rows[kind].columns
        opening, high, low, close, volume = (column.mantissas_over(-9) for column in values)
        assert (low > 0).all()
        assert (high >= np.maximum(opening, close)).all()
        assert (low <= np.minimum(opening, close)).all()
        assert (volume >= 0).all()


def test_spot_exchange_is_down_at_times_and_the_perp_trades_on(doge: GeneratedPair) -> None:
    hours = (END - START) // HOUR_MS
    assert len(doge.rows[SeriesKind.PERP]) == len(doge.rows[SeriesKind.MARK]) == hours
    assert hours - 20 < len(doge.rows[SeriesKind.SPOT]) < hours


def test_interval_switches_from_eight_hours_to_four_and_back(doge: GeneratedPair) -> None:
    rows = doge.rows[SeriesKind.FUNDING]
    intervals = rows.columns[1].mantissas.tolist()
    changes = [b for a, b in itertools.pairwise(intervals) if a != b]
    assert (intervals[0], changes) == (8, [4, 8])
    steps = np.diff(rows.times) // HOUR_MS
    assert (steps == np.array(intervals[1:])).all()


def test_borrow_rates_brackets_and_lives_obey_the_rules_of_recorded_ones(doge: GeneratedPair) -> None:
    for kind, rows in doge.records.items():
        recorded = RECORD_TYPES[kind]
        recorded.check_all(rows)
        assert [recorded.parse(recorded.document(row)) for row in rows] == [*rows]
    [dated] = doge.records[RecordKind.BRACKETS]
    assert dated.brackets.maintenance(Decimal(600_000)) == Decimal(500 + 9_000 + 5_000)


def test_inverse_market_trades_around_the_spot_prices_of_its_coin_at_a_premium_of_its_own() -> None:
    linear, inverse, _ = generate_pairs(PROFILES[0], DEFAULT_SEED, START, END)
    assert (linear.symbol, inverse.symbol) == ("BTC/USDT:USDT", "BTC/USD:BTC")
    assert {kind.value: digest(rows)[:8] for kind, rows in inverse.rows.items()} == {
        "perp": "6c8fb437",
        "mark": "3781ca17",
        "funding": "04b203d6",
    }
    apart = [
        np.abs(inverse.rows[kind].columns[3].mantissas / linear.rows[kind].columns[3].mantissas - 1)
        for kind in (SeriesKind.PERP, SeriesKind.MARK)
    ]
    assert all(0 < each.max() < 0.01 for each in apart)
    rates = [pair.rows[SeriesKind.FUNDING].columns[0].mantissas for pair in (linear, inverse)]
    assert 0.7 < np.corrcoef(*rates)[0, 1] < 0.99
    volumes = [pair.rows[SeriesKind.PERP].columns[4].mantissas_over(-3) for pair in (linear, inverse)]
    assert (volumes[0] // 5 == volumes[1]).all()
    [dated] = inverse.records[RecordKind.BRACKETS]
    assert [one.cap for one in dated.brackets] == [2, 12, 119, None]
    made = generate_pairs(DOGE, DEFAULT_SEED, START, START + 100 * HOUR_MS)
    assert [one.symbol for one in made] == [DOGE.symbol, DOGE.symbol]


def test_second_linear_market_has_the_spot_prices_of_its_coin_and_a_premium_of_its_own() -> None:
    first, _, second, _ = generate_pairs(ETH, DEFAULT_SEED, START, END)
    assert (first.symbol, second.symbol) == ("ETH/USDT:USDT", "ETH/USDC:USDC")
    spots, perps = (
        [pair.rows[kind].columns[3].mantissas for pair in (first, second)]
        for kind in (SeriesKind.SPOT, SeriesKind.PERP)
    )
    assert (spots[0] == spots[1]).all()
    assert 0 < np.abs(perps[1] / perps[0] - 1).max() < 0.01
    rates = [pair.rows[SeriesKind.FUNDING].columns[0].mantissas for pair in (first, second)]
    assert 0.7 < np.corrcoef(*rates)[0, 1] < 0.99


def test_second_exchange_settles_its_own_premium_every_hour_around_the_same_spot_prices() -> None:
    first, *_, second = generate_pairs(ETH, DEFAULT_SEED, START, END)
    assert (second.exchange, second.symbol) == ("synthetic-2", first.symbol)
    assert {kind.value: digest(rows)[:8] for kind, rows in second.rows.items()} == {
        "spot": "f7382b50",
        "perp": "34421e67",
        "mark": "0eaf3a47",
        "funding": "d9d84af1",
    }
    assert set(second.rows[SeriesKind.FUNDING].columns[1].mantissas.tolist()) == {1}
    closes = [
        dict(zip(pair.rows[SeriesKind.SPOT].times.tolist(), close(pair), strict=True))
        for pair in (first, second)
    ]
    shared = closes[0].keys() & closes[1].keys()
    assert all(closes[0][t_ms] == closes[1][t_ms] for t_ms in shared)
    assert closes[0].keys() != closes[1].keys(), "each exchange has outages of its own"
    assert second.instrument.mmr == 2 * first.instrument.mmr
    assert second.records[RecordKind.BORROW] != first.records[RecordKind.BORROW]


def close(pair: GeneratedPair) -> list[int]:
    return [int(one) for one in pair.rows[SeriesKind.SPOT].columns[3].mantissas]


def test_delisted_perp_of_the_second_exchange_stops_at_an_end_announced_a_week_ahead() -> None:
    _, dying = generate_pairs(DOGE, DEFAULT_SEED, START, END)
    to_ms = START + 2736 * HOUR_MS
    perp, spot = dying.records[RecordKind.LIFE]
    assert (perp.market, perp.from_ms, perp.to_ms) == ("perp", START, to_ms)
    assert perp.announced_ms == to_ms - 7 * 24 * HOUR_MS
    marks = dying.rows[SeriesKind.MARK]
    assert (int(marks.times[-1]), marks.columns[3].decimals()[-1]) == (to_ms - HOUR_MS, perp.settle_price)
    assert (spot.market, spot.to_ms) == ("spot", None)
    assert dying.rows[SeriesKind.FUNDING].times[-1] < to_ms
    assert dying.rows[SeriesKind.SPOT].times[-1] == END - HOUR_MS
    RECORD_TYPES[RecordKind.LIFE].check_all([perp, spot])


@pytest.mark.parametrize("exchange", SYNTHETIC_EXCHANGES)
def test_fee_schedules_obey_the_rules_of_recorded_ones(exchange: str) -> None:
    rows, kind = fee_schedules(exchange), RECORD_TYPES[RecordKind.FEES]
    kind.check_all(sorted(rows, key=kind.place))
    assert [kind.parse(kind.document(row)) for row in rows] == rows


def test_fee_schedule_has_the_tier_of_a_volume() -> None:
    row = FeeTable(fee_schedules("synthetic")).of_volume("inverse", Decimal(1_500_000), START)
    assert row is not None
    assert (row.tier, row.maker, row.taker) == ("VIP1", Decimal("0.00016"), Decimal("0.00045"))


def test_quiet_premium_settles_at_the_interest_rate_and_extremes_are_capped() -> None:
    assert funding_rate([0] * 8, 8) == 10_000
    assert funding_rate([0] * 4, 4) == 5_000
    assert funding_rate([110_000] * 8, 8) == 60_000
    assert funding_rate([-10_000_000] * 8, 8) == -750_000


def test_generated_data_is_stored_once_labelled_and_kept_apart_from_another_seed(
    store: HistoricalDataStore,
) -> None:
    seen: list[tuple[int, int]] = []
    end = parse_time_ms("2024-03-01")
    first = generate(store, end_ms=end, progress=lambda done, total: seen.append((done, total)))
    again = generate(store, end_ms=end)
    assert first.new == again.already_there > 4 * 3 * 59 * 24
    assert (first.already_there, again.new, seen[-1]) == (0, 0, (4, 4))
    exchange, second = store.listing()
    assert all(symbol.synthetic for one in (exchange, second) for symbol in one.symbols)
    recorded = {
        symbol.symbol: [(one.kind, one.rows, one.source) for one in symbol.records]
        for symbol in exchange.symbols
    }
    linear = [("borrow", 60, "generator"), ("brackets", 1, "generator"), ("life", 2, "generator")]
    inverse = [("brackets", 1, "generator"), ("life", 1, "generator")]
    usual = {profile.symbol: linear for profile in PROFILES}
    assert recorded == usual | {"BTC/USD:BTC": inverse, "ETH/USD:ETH": inverse, "ETH/USDC:USDC": linear}
    assert [*recorded] == [*sorted(usual), "ETH/USDC:USDC", "BTC/USD:BTC", "ETH/USD:ETH"]
    assert (second.exchange, [one.symbol for one in second.symbols]) == ("synthetic-2", sorted(usual))
    assert [(one.kind, one.rows, one.source) for one in second.records] == [("fees", 6, "generator")]
    assert [(one.kind, one.rows, one.source) for one in exchange.records] == [("fees", 9, "generator")]
    # A run that names no data set means the first one.
    before = store.load(None, [DOGE.symbol], DEFAULT_END_MS)
    assert (before.exchange, before.symbols[0].synthetic) == ("synthetic", True)
    assert before.symbols[0].instrument == DOGE.instrument
    with pytest.raises(DataImportError, match="generated data that seed 7 does not give"):
        generate(store, seed=7)
    assert store.load(None, [DOGE.symbol], DEFAULT_END_MS).fingerprint == before.fingerprint


def test_default_strategy_earns_on_it_and_high_leverage_is_liquidated(store: HistoricalDataStore) -> None:
    generate(store)
    data = store.load(None, [DOGE.symbol], DEFAULT_END_MS)
    calm, bold = (
        run_backtest(
            RunConfig.parse(
                {
                    "symbols": [DOGE.symbol],
                    "start": "2024-01-01",
                    "end": "2026-01-01",
                    "perp_leverage": leverage,
                }
            ),
            data,
        ).metrics
        for leverage in (1, 5)
    )
    assert calm.total_trades >= 5
    assert calm.net_pnl > 0
    assert bold.liquidations > calm.liquidations
    assert calm.total_funding > Decimal(0)


def test_store_of_before_gets_the_second_exchange_and_its_first_is_left_alone(
    store: HistoricalDataStore,
) -> None:
    end_ms = parse_time_ms("2024-01-15")
    generate(store, end_ms=end_ms, exchanges=["synthetic"])
    store.remove(Selection.parse(exchange="synthetic", symbol="ETHUSDC"))
    generate(store, end_ms=end_ms, exchanges=["synthetic-2"])
    assert store.exchanges() == ["synthetic", "synthetic-2"]
    assert store.resolve_exchange(None) == "synthetic"
    assert "ETH/USDC:USDC" not in [one.symbol for one in store.listing()[0].symbols]


def test_second_generated_exchange_is_meant_where_it_is_the_only_one_held(store: HistoricalDataStore) -> None:
    generate(store, end_ms=parse_time_ms("2024-01-15"), exchanges=["synthetic-2"])
    assert store.resolve_exchange(None) == "synthetic-2"
