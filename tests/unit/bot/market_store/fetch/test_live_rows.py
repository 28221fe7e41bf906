"""Exact rows and rules from the answers of ccxt."""

from decimal import Decimal

from bot.market.rows import SeriesKind
from bot.market_store.fetch.live_rows import candle_rows, settlements
from bot.models import HOUR_MS

NOON = 1_704_110_400_000


def record(t_ms: int, rate: str = "0.0001", mark: str | None = None) -> dict[str, object]:
    return {"timestamp": t_ms, "fundingRate": rate, "info": {"markPrice": mark}}


def test_settlements_are_snapped_and_told_their_interval_by_what_came_before() -> None:
    rows = settlements([record(NOON + 3), record(NOON + 4 * HOUR_MS - 7)], 0, NOON * 2, [NOON - 4 * HOUR_MS])
    assert rows.times.tolist() == [NOON, NOON + 4 * HOUR_MS]
    assert rows.columns[1].decimals() == [4, 4]


def test_a_first_settlement_alone_counts_as_eight_hours() -> None:
    assert settlements([record(NOON)], 0, NOON, []).columns[1].decimals() == [8]


def test_an_own_mark_price_is_kept_and_a_blank_one_is_none() -> None:
    rows = settlements(
        [record(NOON, mark="40000.123456789"), record(NOON + HOUR_MS, mark="")], 0, NOON * 2, []
    )
    assert rows.columns[2].decimals() == [Decimal("40000.123456789"), 0]
    assert rows.columns[3].decimals() == [1, 0]


def test_refused_rows_are_left_out_and_the_rest_kept() -> None:
    rows = settlements(
        [record(NOON + 90_000), record(NOON, rate="nan"), record(NOON + HOUR_MS)], 0, NOON * 2, []
    )
    assert rows.times.tolist() == [NOON + HOUR_MS]
    candles = [[NOON, "1", "2", "0.5", "1.5", "7"], [NOON + HOUR_MS, "1", "0.5", "2", "1", "7"]]
    assert candle_rows(candles, SeriesKind.SPOT).times.tolist() == [NOON]


def test_spot_of_a_multiplier_contract_is_counted_in_its_units() -> None:
    rows = candle_rows([[NOON, "1", "2", "0.5", "1.5", "7"]], SeriesKind.SPOT, 1000)
    assert [column.decimal(0) for column in rows.columns] == [1000, 2000, 500, 1500, Decimal("0.007")]
