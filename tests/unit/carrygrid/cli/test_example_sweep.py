"""The demonstration's sweep: the longest common record, its last two years, several hundred trials."""

from pathlib import Path

import pytest

from bot.errors import InsufficientDataError
from bot.market_store.listing import ExchangeListing, SeriesListing, SymbolListing
from bot.models import DAY_MS, HOUR_MS
from carrygrid.cli.demo import exchange_of
from carrygrid.cli.example_sweep import best_recorded, example_sweep
from sweeps.spec.spec import SweepSpec

DAY_0 = 19_723 * DAY_MS


def listed(
    symbol: str, first_day: int, last_day: int, *kinds: str, missing: int = 0, candle_ms: int = HOUR_MS
) -> SymbolListing:
    series = (
        SeriesListing(
            kind, candle_ms, DAY_0 + first_day * DAY_MS, DAY_0 + last_day * DAY_MS + HOUR_MS, 1, missing, ()
        )
        for kind in kinds
    )
    return SymbolListing(symbol, False, tuple(series))


LEGS = ("funding", "spot", "perp")


def test_the_longest_common_record_is_chosen_and_then_the_most_complete() -> None:
    symbols = (
        listed("A/USDT:USDT", 0, 100, *LEGS),
        listed("B/USDT:USDT", 0, 900, *LEGS, missing=5),
        listed("C/USDT:USDT", 0, 900, *LEGS, missing=1),
        listed("D/USDT:USDT", 0, 2000, "funding", "perp"),
    )
    other = ExchangeListing("other", (listed("E/USDT:USDT", 0, 3000, *LEGS),))
    best = best_recorded([other, ExchangeListing("mine", symbols)], "mine")
    assert (best.exchange, best.symbol) == ("mine", "C/USDT:USDT")


def test_example_covers_the_last_two_years_in_several_hundred_trials() -> None:
    best = best_recorded([ExchangeListing("mine", (listed("BTC/USDT:USDT", 0, 900, *LEGS),))], "mine")
    spec = SweepSpec.parse(example_sweep(best))
    start_ms, end_ms = spec.window()
    assert (end_ms - start_ms) == 730 * DAY_MS
    assert end_ms == DAY_0 + 900 * DAY_MS
    assert 200 < spec.trial_count < 1000
    assert [axis.name for axis in spec.axes] == ["min_funding_rate", "exit_funding_rate", "perp_leverage"]


def test_a_shorter_record_is_used_whole() -> None:
    best = best_recorded([ExchangeListing("mine", (listed("BTC/USDT:USDT", 3, 60, *LEGS),))], "mine")
    start_ms, end_ms = SweepSpec.parse(example_sweep(best)).window()
    assert (start_ms, end_ms) == (DAY_0 + 3 * DAY_MS, DAY_0 + 60 * DAY_MS)


def test_long_candles_may_be_as_old_as_they_are_long_so_that_trials_trade() -> None:
    every_8h = listed("BTC/USDT:USDT", 0, 60, *LEGS, candle_ms=8 * HOUR_MS)
    best = best_recorded([ExchangeListing("mine", (every_8h,))], "mine")
    assert example_sweep(best)["base"]["max_price_age_hours"] == 8
    hourly = best_recorded([ExchangeListing("mine", (listed("BTC/USDT:USDT", 0, 60, *LEGS),))], "mine")
    assert "max_price_age_hours" not in example_sweep(hourly)["base"]


def test_data_without_a_complete_symbol_is_refused() -> None:
    with pytest.raises(InsufficientDataError, match="mine"):
        best_recorded([ExchangeListing("mine", (listed("A/USDT:USDT", 0, 9, "funding", "spot"),))], "mine")


@pytest.mark.parametrize(
    ("name", "exchange"), [("binance", "binance"), ("My Data!", "my-data"), ("(((", "recorded")]
)
def test_data_is_kept_under_the_name_of_its_folder(tmp_path: Path, name: str, exchange: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    file = folder / "BTCUSDT-funding.csv"
    file.touch()
    assert exchange_of(folder) == exchange_of(file) == exchange
