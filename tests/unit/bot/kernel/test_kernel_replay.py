"""The kernel gives the whole summary of a plain replay, in every bit, or leaves the run to it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from builders import market_data, run_config
from example_plugin import installed_example
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded_sweeps import recorded_sweep
from reference.markets import CHOICES, configs, markets
from toy_market import RULES, START, configured, pair, window

from bot.backtest import Baselines, ReplayWindow, replay
from bot.config.parameter_columns import ParameterColumns
from bot.config.run_config import RunConfig
from bot.kernel import decision_tables, replayer
from bot.kernel.loading import Library
from bot.kernel.replayer import KernelReplayer
from bot.kernel.unfit import Reason
from bot.models import HOUR_MS, CloseReason
from bot.statistics.daily_returns import DailyReturns
from bot.statistics.trial_metrics import TrialSummary
from bot.strategies.decision_columns import ColumnDecisions, DecisionColumns
from bot.strategies.simple import PLUGIN


def plain(trials: Sequence[RunConfig], shown: ReplayWindow) -> tuple[list[TrialSummary], DailyReturns]:
    """Replay each trial by itself; its daily returns have a row for its own hold baseline."""
    baselines = Baselines(shown)
    runs = [replay(trial, shown) for trial in trials]
    days = [baselines.beside([run.config], run.daily_returns[np.newaxis]) for run in runs]
    return [baselines.summary(run) for run in runs], DailyReturns.concatenated(days)


def assert_same_days(found: DailyReturns, expected: DailyReturns) -> None:
    """Fail unless all daily returns have the same bits, those of hold baselines as well."""
    assert (found.first_day, found.runs.shape) == (expected.first_day, expected.runs.shape)
    assert found.runs.tobytes() == expected.runs.tobytes()
    assert found.hold().tobytes() == expected.hold().tobytes()


def by_strategy(trials: Sequence[RunConfig]) -> list[tuple[list[int], ParameterColumns]]:
    """Return the parameters of trials by column, those of each strategy with their places."""
    places: dict[str, list[int]] = {}
    for place, trial in enumerate(trials):
        places.setdefault(trial.strategy_mode, []).append(place)
    return [(own, ParameterColumns.of([trials[place] for place in own])) for own in places.values()]


def assert_same(library: Library, trials: list[RunConfig], shown: ReplayWindow) -> Counter[Reason]:
    """Compare the trials that fit, in both builds of the code; return how many did not, by reason."""
    expected, days = plain(trials, shown)
    together = Baselines(shown).replayed(trials)
    assert together[0] == expected
    assert_same_days(together[1], days)
    for code in (library, library.in_plain_c()):
        kernel, refused = KernelReplayer(code, shown), Counter[Reason]()
        for own, parameters in by_strategy(trials):
            done = kernel.replay(parameters)
            places = [own[place] for place in done.places.tolist()]
            found = [done.columns.row(at) for at in range(len(places))]
            assert found == [expected[place].values() for place in places]
            ledgers = [one.tobytes() for one in done.columns.ledgers]
            assert ledgers == [expected[place].ledger for place in places]
            assert_same_days(done.days, days.take(np.array(places, dtype=np.int64)))
            assert len(set(places)) + done.refused.total() == len(own)
            refused.update(done.refused)
    return refused


@st.composite
def sweeps(draw: st.DrawFn) -> tuple[list[RunConfig], ReplayWindow]:
    market = draw(markets())
    base = run_config(**draw(configs(market)))
    rows = {symbol: market[symbol] for symbol in base.symbols}
    shown = ReplayWindow.build(base, market_data(rows, base.end))
    random = Random(draw(st.integers(0, 2**32)))
    return [base.varied(_varied(random, base)) for _ in range(draw(st.integers(1, 12)))], shown


def _varied(random: Random, base: RunConfig) -> dict[str, Any]:
    """Return values of some parameters: of thresholds near the market's rates, and of any other."""
    names = random.sample([name for name in CHOICES if name != "max_price_age_hours"], random.randint(0, 9))
    parsed = run_config(**{**base.document(), **{name: random.choice(CHOICES[name]) for name in names}})
    values = {name: getattr(parsed, name) for name in names}
    values["strategy_mode"] = random.choice((base.strategy_mode, "simple", "composite", "hold"))
    values["min_funding_rate"] = random.choice((base.min_funding_rate, Decimal("0.0001"), Decimal("-0.001")))
    values["exit_funding_rate"] = random.choice((base.exit_funding_rate, Decimal("0.0002"), Decimal(0)))
    return values


def test_generated_sweeps_equal_their_plain_replays(library: Library) -> None:
    left: Counter[Reason] = Counter()
    compared = 0

    @settings(max_examples=50, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(sweep=sweeps())
    def compare(sweep: tuple[list[RunConfig], ReplayWindow]) -> None:
        nonlocal compared
        refused = assert_same(library, *sweep)
        left.update(refused)
        compared += len(sweep[0]) - refused.total()

    compare()
    assert set(left) <= {Reason.RANGE}
    assert (
        left[Reason.RANGE] < compared / 2
    )  # whole sweeps of up to twelve, since their trials share a market


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("stems", "start", "end", "values"),
    [
        (["BTCUSDT"], "2023-01-01", "2024-01-01", {}),
        (["XRPUSDT"], "2020-10-01", "2021-06-01", {"perp_leverage": 5, "sizing_base": "equity"}),
        (["ORCAUSDT"], "2025-01-10", "2026-02-01", {"perp_leverage": 3}),
        (
            ["ETHUSDT", "XRPUSDT", "ADAUSDT"],
            "2020-10-01",
            "2021-06-01",
            {"max_simultaneous_positions": 2, "sizing_base": "equity", "perp_leverage": 10},
        ),
    ],
    ids=["quiet", "wild", "young", "several"],
)
@pytest.mark.parametrize("strategy", ["simple", "composite", "sized"])
def test_recorded_sweeps_equal_their_plain_replays(
    library: Library,
    real_data: Path,
    stems: list[str],
    start: str,
    end: str,
    values: dict[str, Any],
    strategy: str,
) -> None:
    trials, shown = recorded_sweep(
        real_data,
        stems,
        range(2, 14, 4),
        range(-6, 12, 6),
        start=start,
        end=end,
        slipping=True,
        strategy_mode="simple" if strategy == "simple" else "composite",
        dynamic_sizing=strategy == "sized",
        **values,
    )
    assert not assert_same(library, trials, shown)


def test_liquidations_margin_exits_and_an_account_short_of_cash_are_the_same(library: Library) -> None:
    rates = {hour: "0.01" if hour % 2 else "-0.05" for hour in range(1, 60)} | dict.fromkeys(
        range(41, 60), "0.01"
    )
    prices = ["100"] * 44 + ["102.5", "103.8", "100", "100", "101", "108", "112", "100"] + ["100"] * 10
    market = {"X": pair(rates, prices, instrument={**RULES, "qty_step": "0.001", "mmr": "0.005"})}
    base = configured(
        market, initial_capital=1000, allocation="0.9", perp_leverage=20, margin_exit_ratio="0.3"
    )
    shown = window(market, base)
    reasons = {trade.reason for trade in replay(base, shown).trades}
    assert {CloseReason.MARGIN, CloseReason.LIQUIDATION, CloseReason.SIGNAL} <= reasons
    later = {"exit_funding_rate": Decimal("-0.01"), "min_funding_rate": Decimal("0.005")}
    assert not assert_same(
        library, [base, base.varied(later), base.varied({"slippage_bps": Decimal(30)})], shown
    )


def test_payments_halfway_between_two_amounts_go_to_the_even_one(library: Library) -> None:
    rates = {hour: "-5e-7" if hour % 3 == 2 else "5e-7" for hour in range(1, 40)} | {20: "1e-11"}
    market = {"X": pair(rates, [f"1.{place:02}" for place in range(1, 80, 2)])}
    base = configured(market, min_holding_periods=1000, exit_funding_rate="-0.001", min_funding_rate="0")
    shown = window(market, base)
    # A rate of eleven places gives payments a unit whose inverse is no float64: ties round to either side.
    # Quantities are 1, 3, 5, ...: at a price of 1.03 and a rate of 5e-7 one unit is paid 51.5 units of money.
    trials = [base.varied({"max_position_size": Decimal(size) * Decimal("1.05")}) for size in range(1, 60, 2)]
    assert [int(trade.quantity) for trade in replay(trials[1], shown).trades] == [3]
    assert not assert_same(library, trials, shown)


def test_perps_sold_for_half_a_unit_are_worth_the_even_amount_at_each_price(library: Library) -> None:
    rates = {hour: f"{hour % 5 - 1}e-4" for hour in range(1, 120)}
    prices = [f"1.{3 + place * place % 41:02}" for place in range(120)]
    market = {"X": pair(rates, prices, instrument={**RULES, "qty_step": "0.001", "min_qty": "0.001"})}
    base = configured(market, end=START + 119 * HOUR_MS, min_holding_periods=1000, min_funding_rate="0.0002")
    shown = window(market, base)
    # A cap makes the quantities of accounts the same; slippage says which of them sell theirs for a half.
    for size in (20, 50, 70):
        trials = [
            base.varied({"max_position_size": Decimal(size), "slippage_bps": Decimal(slippage)})
            for slippage in (0, 5, 3, 15, 25, 10, 35)
        ]
        halves = {
            int(trial.slippage_bps)
            for trial in trials
            for trade in replay(trial, shown).trades
            if trade.quantity * trade.perp_entry * 10**8 % 1 == Decimal("0.5")
        }
        assert {5, 15, 25, 35} <= halves < {3, 5, 10, 15, 25, 35}
        assert not assert_same(library, trials, shown)


def test_entries_too_small_to_open_are_skipped_and_counted(library: Library) -> None:
    market = {"X": pair(dict.fromkeys(range(1, 5), "0.01"), ["100"] * 5)}
    market["X"]["instrument"] = {**RULES, "min_qty": "1000"}
    base = configured(market)
    shown = window(market, base)
    assert replay(base, shown).metrics.skipped_entries == 3
    assert not assert_same(library, [base], shown)


def test_tables_of_values_that_are_asked_for_once_do_not_pile_up(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[int] = []
    forget = decision_tables.DecisionTables.forget

    def counted(tables: decision_tables.DecisionTables) -> None:
        forgotten.append(tables.cells)
        forget(tables)

    monkeypatch.setattr(replayer, "_MOST_HELD_CELLS", 2_000)
    monkeypatch.setattr(decision_tables.DecisionTables, "forget", counted)
    market = {"X": pair({hour: f"{hour % 5}e-4" for hour in range(1, 60)}, ["100"] * 60)}
    for leg in ("spot", "perp"):  # volumes of more digits than 32 bits hold
        market["X"][leg] = [(*row[:5], str(12345678901 + row[0] // HOUR_MS)) for row in market["X"][leg]]
    base = configured(market)
    kernel = KernelReplayer(library, window(market, base))
    for place in range(50):
        asked = base.varied({"min_volume_24h": Decimal(10**12 + 10**7 * place + 1)})
        assert len(kernel.replay(ParameterColumns.of([asked])).places) == 1
    assert len(forgotten) > 2
    assert max(forgotten) < 2_500


def test_holding_is_its_own_baseline(library: Library) -> None:
    market = {"X": pair(dict.fromkeys(range(1, 40), "0.001"), [str(100 + 4 * hour) for hour in range(40)])}
    base = configured(market, perp_leverage=10, strategy_mode="hold")
    shown = window(market, base)
    [held], _ = plain([base], shown)
    assert held.metrics == held.hold
    assert held.metrics.liquidations + held.metrics.margin_exits > 1
    assert not assert_same(library, [base, base.varied({"strategy_mode": "simple"})], shown)


def test_trials_of_a_plug_in_that_decides_columns_are_all_replayed(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {hour: "0.001" if hour % 7 > 2 else "-0.001" for hour in range(1, 60)}
    market = {name: pair(rates, [str(100 + hour % 5) for hour in range(60)]) for name in ("X", "Y")}
    with installed_example(tmp_path, monkeypatch):
        base = configured(market, strategy_mode="smoothed-rate")
        trials = [
            base.varied({"smoothing_settlements": count, "smoothed_entry": Decimal(entry)})
            for count in (1, 3, 9)
            for entry in ("0.0002", "0.0004", "0.1")
        ]
        assert not assert_same(library, trials, window(market, base))


def test_settlements_that_are_not_recorded_are_counted_as_missed(library: Library) -> None:
    rates = dict.fromkeys((*range(8, 65, 8), *range(96, 145, 8)), "0.001")
    market = {"X": pair(rates, ["100"] * 150)}
    base = configured(market, end=START + 150 * HOUR_MS)
    shown = window(market, base)
    assert replay(base, shown).metrics.missed_settlements == 3
    assert not assert_same(library, [base], shown)


def test_more_conditions_than_the_kernel_has_room_for_are_taken_together(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {hour: f"{hour * 7 % 13 - 4}e-4" for hour in range(1, 60)}
    market = {"X": pair(rates, [str(100 + hour % 7) for hour in range(60)])}
    base = configured(market, min_holding_periods=1000)
    shown = window(market, base)
    decide = PLUGIN.decide_columns
    assert decide

    def often(config: RunConfig, columns: DecisionColumns) -> ColumnDecisions:
        found = decide(config, columns)
        return found._replace(enter=found.enter * 3, stay=found.stay * 3)

    alike = replace(PLUGIN, decide_columns=often)
    monkeypatch.setattr(decision_tables, "strategy_plugin", lambda _name: alike)
    trials = [base.varied({"min_funding_rate": Decimal(rate) / 10_000}) for rate in range(-3, 9)]
    assert not assert_same(library, trials, shown)


def test_runs_that_do_not_fit_are_counted_by_reason(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = {"X": pair(dict.fromkeys(range(1, 5), "0.01"), ["100"] * 5)}
    base = configured(market)
    huge = base.varied({"initial_capital": Decimal(10**13)})
    assert assert_same(library, [base, huge], window(market, base)) == {Reason.RANGE: 1}
    waiting = [base.varied({"min_hold_hours": Decimal(1)}), base.varied({"exit_confirmations": 2})]
    assert assert_same(library, [base, *waiting], window(market, base)) == {Reason.PATIENCE: 2}
    assert assert_same(library, waiting[:1], window(market, base)) == {Reason.PATIENCE: 1}
    making = [base.varied({"order_style": style}) for style in ("maker", "maker_entry")]
    assert assert_same(library, [base, *making], window(market, base)) == {Reason.ORDER_STYLE: 2}
    alone = replace(PLUGIN, decide_columns=None)
    monkeypatch.setattr(decision_tables, "strategy_plugin", lambda _name: alone)
    assert assert_same(library, [base], window(market, base)) == {Reason.NO_COLUMN_DECISIONS: 1}


def test_taker_fees_of_a_leg_are_replayed_though_trials_differ_in_them(library: Library) -> None:
    market = {"X": pair(dict.fromkeys(range(1, 9), "0.002") | {4: "-0.01"}, ["100", "101.5"] * 5)}
    base = configured(market, spot_taker="0.001", perp_taker="0.0005", min_holding_periods=4)
    trials = [
        base.varied({"long_taker": own, "short_taker": other, "spot_taker": spot})
        for own in (None, Decimal(0), Decimal("0.0031"))
        for other in (None, Decimal("0.0007"))
        for spot in (Decimal("0.001"), Decimal("0.002"))
    ]
    shown = window(market, base)
    assert not assert_same(library, trials, shown)
    assert not assert_same(library, [one for one in trials if one.long_taker == 0], shown)
    fees = {replay(config, shown).metrics.total_fees for config in trials}
    assert len(fees) == 8


def test_a_window_with_more_pairs_than_fit_is_left_to_the_plain_replay(library: Library) -> None:
    market = {f"X{n}": pair({1: "0.01", 2: "0.01"}, ["100"] * 3) for n in range(63)}
    base = configured(market)
    assert assert_same(library, [base], window(market, base)) == {Reason.MANY_PAIRS: 1}


@pytest.mark.parametrize("prices", [["100"] * 97, ["100"] * 35 + ["250"] * 62], ids=["calm", "liquidated"])
def test_hedges_of_a_contract_that_ends_leave_there_or_book_what_nobody_earned(
    library: Library, prices: list[str]
) -> None:
    market = {"X": pair(dict.fromkeys(range(8, 97, 8), "0.01"), prices)}
    market["X"]["perp"] = market["X"]["perp"][:38]
    base = configured(market, end=START + 97 * HOUR_MS, slippage_bps=7, spot_taker="0.001", perp_leverage=2)
    shown = window(market, base)
    left = base.varied({"end_dead_markets": True})
    metrics = replay(base, shown).metrics, replay(left, shown).metrics
    assert bool(metrics[0].pnl_after_market_end) == (not metrics[0].liquidations)
    assert metrics[1].delistings == 1 - metrics[0].liquidations
    assert not assert_same(library, [base, left, base.varied({"sizing_base": "equity"})], shown)


def test_tables_forgotten_in_mid_batch_come_back_the_same(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {hour: "0.01" if hour % 3 else "-0.02" for hour in range(1, 40)}
    market = {"X": pair(rates, [str(100 + hour % 7 * 3) for hour in range(40)])}
    base = configured(market, strategy_mode="composite", entry_threshold="0.1")
    monkeypatch.setattr(replayer, "_MOST_CELLS", 500)
    trials = [base.varied({"weight_trend": Decimal(weight) / 10}) for weight in (1, 2, 3, 1, 4, 5, 2, 6, 7)]
    assert not assert_same(library, trials, window(market, base))
