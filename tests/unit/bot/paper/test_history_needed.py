"""History that a paper session reads before it begins follows from what its strategy looks back on."""

from pathlib import Path

import pytest
from builders import run_config
from example_plugin import installed_example

from bot.models import DAY_MS, HOUR_MS
from bot.paper.history_needed import candles_needed, funding_needed_ms


def test_a_month_is_read_for_a_strategy_that_looks_at_the_newest_settlement_alone() -> None:
    config = run_config(strategy_mode="simple", trend_ema_span=1_000)
    assert (funding_needed_ms(config), candles_needed(config)) == (30 * DAY_MS, 30 * 24)


def test_signals_get_the_spans_that_their_average_needs_to_forget_and_both_halves_of_the_volume() -> None:
    config = run_config(strategy_mode="composite", trend_ema_span=9, volume_lookback_days=20)
    assert (funding_needed_ms(config), candles_needed(config)) == (15 * 10 * 8 * HOUR_MS, 2 * 20 * 24)


def test_long_runs_of_high_settlements_are_read_whole() -> None:
    config = run_config(strategy_mode="composite", persistence_max_periods=500)
    assert funding_needed_ms(config) == 500 * 8 * HOUR_MS


def test_plug_in_gets_the_settlements_that_it_looks_back_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with installed_example(tmp_path, monkeypatch):
        config = run_config(strategy_mode="smoothed-rate", smoothing_settlements=400)
        assert funding_needed_ms(config) == 400 * 8 * HOUR_MS
