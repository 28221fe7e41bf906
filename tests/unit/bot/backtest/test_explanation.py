from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from example_plugin import installed_example
from toy_market import RULES, START, configured, pair, window

from bot.backtest import Baselines, RunExplanation, blocked_entries, explain, replay
from bot.backtest.decision_trace import decision_snapshots
from bot.models import HOUR_MS


def explanation(market: dict[str, Any], **overrides: Any) -> RunExplanation:
    config = configured(market, initial_capital=1000, **overrides)
    shown = window(market, config)
    return explain(replay(config, shown), shown, Baselines(shown))


def test_missed_carry_is_split_by_when_it_was_missed() -> None:
    rates = {1: "0.0001", 2: "0.0002", 3: "0.001", 4: "0.003", 5: "0.00004", 6: "0.00005", 7: "0.002"}
    rates |= {8: "0.00006", 9: "0.00007"}
    carry = explanation({"X": pair(rates, ["100"] * 9)}, exit_funding_rate="0.0001").carry
    per_unit = Decimal(5 * 100)
    assert carry.available_funding == per_unit * sum(map(Decimal, list(rates.values())[1:]))
    assert carry.missed_before_entry == per_unit * (Decimal("0.0002") + Decimal("0.001"))
    assert carry.missed_between == per_unit * (Decimal("0.00005") + Decimal("0.002"))
    assert carry.missed_after_exit == per_unit * Decimal("0.00007")
    captured = per_unit * (Decimal("0.003") + Decimal("0.00004") + Decimal("0.00006"))
    assert carry.captured_share == float(captured / carry.available_funding)
    assert carry.extra_round_trips == 1


def test_holding_itself_misses_nothing_and_pays_nothing_extra() -> None:
    market = {"X": pair({1: "0.001", 2: "-0.002", 3: "0.001"}, ["100"] * 3)}
    carry = explanation(market, strategy_mode="hold", spot_taker="0.001").carry
    assert (carry.missed_before_entry, carry.missed_between, carry.missed_after_exit) == (0, 0, 0)
    assert (carry.extra_round_trips, carry.extra_fees) == (0, 0)
    assert carry.captured_share is None


def test_the_baseline_is_shared_by_runs_that_differ_only_in_their_strategy() -> None:
    market = {"X": pair({1: "0.001", 2: "0.001"}, ["100"] * 2)}
    config = configured(market)
    baselines = Baselines(window(market, config))
    strict = config.varied({"min_funding_rate": Decimal(1)})
    assert baselines.of(config) is baselines.of(strict)
    assert baselines.of(config) is not baselines.of(config.varied({"perp_leverage": Decimal(2)}))


def test_a_run_without_trades_names_the_gates_and_the_nearest_misses() -> None:
    rates = {1: "0.0001", 2: "0.00025", 3: "0.0002", 30: "0.01", 31: "0.01"}
    [stale, low] = sorted(
        explanation({"X": pair(rates, ["100"] * 3)}, min_funding_rate="0.0003").blocked, key=lambda r: r.gate
    )
    assert (stale.gate, stale.blocked) == ("fresh_prices", 1)
    assert low.document() == {
        "gate": "min_funding_rate",
        "blocked": 3,
        "needed": "0.0003",
        "nearest": "0.00025",
        "symbol": "X",
        "at": START + 2 * HOUR_MS,
        "note": None,
    }


def test_an_account_too_small_to_open_is_blocked_by_size() -> None:
    market = {"X": pair({1: "0.01", 2: "0.01"}, ["100"] * 2, instrument={**RULES, "min_qty": "1000"})}
    [report] = explanation(market).blocked
    assert (report.gate, report.blocked) == ("size", 1)


def test_composite_explains_rate_score_and_volume() -> None:
    market = {"X": pair({1: "-0.0001", 2: "0.0001", 3: "0.0002", 4: "0"}, ["100"] * 4)}
    reports = {report.gate: report for report in explanation(market, strategy_mode="composite").blocked}
    assert reports.keys() == {"positive_rate", "entry_threshold"}
    assert reports["entry_threshold"].blocked == 2
    assert reports["entry_threshold"].nearest.needed == Decimal("0.5")


def test_a_run_with_trades_needs_no_explanation() -> None:
    assert explanation({"X": pair({1: "0.01", 2: "0.01"}, ["100"] * 2)}).blocked == ()


def test_a_run_with_trades_counts_what_kept_it_out_between_them() -> None:
    rates = {1: "0.0001", 2: "0.001", 3: "0.0009", 4: "0.0009", 5: "0.0001", 6: "0"}
    market = {"X": pair(rates, ["100"] * 6), "Y": pair(rates, ["100"] * 6)}
    config = configured(market, initial_capital=1000, exit_funding_rate="0.00095")
    shown = window(market, config)
    counted = {report.gate: report.blocked for report in blocked_entries(replay(config, shown), shown)}
    assert counted == {"min_funding_rate": 4, "slots": 1, "just_closed": 2}


def test_a_strategy_that_names_no_condition_is_said_to_want_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = {"X": pair({1: "0.0001", 2: "0.0002", 3: "0.0001"}, ["100"] * 3)}
    with installed_example(tmp_path, monkeypatch):
        config = configured(market, strategy_mode="smoothed-rate", smoothed_entry="0.01")
        shown = window(market, config)
        [report] = blocked_entries(replay(config, shown), shown)
        [seen] = decision_snapshots(config, shown, [(START + 2 * HOUR_MS, "X")]).values()
    assert (report.gate, report.blocked) == ("strategy", 2)
    assert seen.figures == {"smoothed_rate": Decimal("0.00015")}
