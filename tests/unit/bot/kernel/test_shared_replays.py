"""Results of trials whose common part is worked out once: each has those of a replay of its own."""

import ctypes
from decimal import Decimal
from random import Random

import pytest
from builders import market_data, run_config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference.markets import configs, markets
from test_kernel_replay import assert_same, plain, sweeps
from toy_market import RULES, START, configured, pair, window

from bot.backtest import ReplayWindow, replay
from bot.config.run_config import RunConfig
from bot.kernel.layouts import Batch, Window
from bot.kernel.loading import Library
from bot.kernel.unfit import Reason
from bot.models import HOUR_MS


@st.composite
def grids(draw: st.DrawFn) -> tuple[list[RunConfig], ReplayWindow]:
    """Draw a market and a grid of thresholds of one account, among them rates of the market."""
    [base, *_], shown = draw(sweeps())
    random = Random(draw(st.integers(0, 2**32)))
    rates = [view.funding.rate for event in shown.events for view in event.settlements]
    scored = base.strategy_mode == "composite"
    entry, leave, values = "min_funding_rate", "exit_funding_rate", [*rates, Decimal(0), Decimal("0.0003")]
    if scored:
        entry, leave, values = "entry_threshold", "exit_threshold", [Decimal(n) / 20 for n in range(19)]
    steps = [sorted(random.choice(values) for _ in range(3)) for _ in range(2)]
    pairs = [(one, two) for one in steps[0] for two in steps[1] if not scored or two < one]
    return [base.varied({entry: one, leave: two}) for one, two in pairs] or [base], shown


@st.composite
def accounts(draw: st.DrawFn) -> tuple[list[RunConfig], ReplayWindow]:
    """Draw a market of one pair and trials of several accounts, which have parameters in common."""
    market = draw(markets())
    first = dict(list(market.items())[:1])
    base = run_config(**{**draw(configs(first)), "strategy_mode": "simple"})
    shown = ReplayWindow.build(base, market_data(first, base.end))
    random = Random(draw(st.integers(0, 2**32)))
    rates = [view.funding.rate for event in shown.events for view in event.settlements]
    axes = {
        "initial_capital": [Decimal(random.choice((50, 1000, 40_000))) for _ in range(2)],
        "perp_leverage": [Decimal(random.choice((1, 2, 5, 20))) for _ in range(2)],
        "slippage_bps": [Decimal(random.choice((0, 1, 30))) for _ in range(2)],
        "margin_exit_ratio": [Decimal(random.choice(("0.2", "0.8"))) for _ in range(2)],
        "min_funding_rate": [random.choice([*rates, Decimal(0)]) for _ in range(2)],
        "exit_funding_rate": [random.choice([*rates, Decimal(0)]) for _ in range(2)],
    }
    trials = [{name: random.choice(values) for name, values in axes.items()} for _ in range(16)]
    return [base.varied(values) for values in trials], shown


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """List, for each call of the library, of each run the one whose replay is its own."""
    found: list[list[int]] = []
    given_ = Library.replay

    def watched(of: Library, shown: Window, batch: Batch) -> None:
        given_(of, shown, batch)
        found.append(list((ctypes.c_int64 * batch.count).from_address(batch.source)))

    monkeypatch.setattr(Library, "replay", watched)
    return found


def test_generated_grids_of_thresholds_equal_their_plain_replays(
    library: Library, sources: list[list[int]]
) -> None:
    @settings(max_examples=50, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(grid=grids())
    def compare(grid: tuple[list[RunConfig], ReplayWindow]) -> None:
        assert set(assert_same(library, *grid)) <= {Reason.RANGE}

    compare()
    replayed, runs = sum(len(set(one)) for one in sources), sum(map(len, sources))
    assert runs / 10 < replayed < runs * 9 / 10


def test_generated_accounts_of_one_pair_equal_their_plain_replays(library: Library) -> None:
    @settings(max_examples=50, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(sweep=accounts())
    def compare(sweep: tuple[list[RunConfig], ReplayWindow]) -> None:
        assert set(assert_same(library, *sweep)) <= {Reason.RANGE, Reason.PATIENCE}

    compare()


def test_thresholds_that_meet_the_same_comparisons_share_one_replay(
    library: Library, sources: list[list[int]]
) -> None:
    rates = {1: "0.001", 2: "0.004", 3: "0.003", 4: "0.0025", 5: "-0.002", 6: "0.001", 7: "0.003"}
    market = {"X": pair(rates, ["100", "101.5", "99"] * 3, instrument=RULES)}
    base = configured(market, min_holding_periods=1000, exit_funding_rate="-0.001")
    # Above 0.001 and up to 0.004 all enter at the second settlement; what they hold through is not compared.
    trials = [base.varied({"min_funding_rate": Decimal(one) / 1000}) for one in ("1", "2", "2.6", "3.5", "5")]
    assert not assert_same(library, trials, window(market, base))
    assert sources == [[0, 1, 1, 1, 4]] * 2


def test_trials_of_one_account_open_smaller_hedges_once_they_have_lost(library: Library) -> None:
    rates = dict.fromkeys(range(1, 60), "-0.001") | {5: "0.002", 15: "0.002", 25: "0.002", 40: "0.01"}
    market = {"X": pair(rates, ["100"] * 60, instrument={**RULES, "qty_step": "0.001"})}
    base = configured(
        market, allocation="0.95", spot_taker="0.03", perp_taker="0.01", min_holding_periods=1000
    )
    shown = window(market, base)
    seldom, often = (base.varied({"min_funding_rate": Decimal(rate)}) for rate in ("0.01", "0.002"))
    last = [replay(trial, shown).trades[-1] for trial in (seldom, often)]
    assert [trade.opened_at_ms for trade in last] == [START + 40 * HOUR_MS] * 2
    assert last[1].quantity < last[0].quantity
    assert not assert_same(library, [seldom, often, seldom.varied({"exit_funding_rate": Decimal(-1)})], shown)
    assert not assert_same(library, [often, seldom, often.varied({"exit_funding_rate": Decimal(-1)})], shown)


def test_accounts_whose_trials_are_out_of_range_leave_the_baseline_of_those_before_alone(
    library: Library,
) -> None:
    # Holding enters at 100. Trials do at half of that, which takes quantities twice as large.
    rates = {hour: "0" if hour < 10 else "0.01" for hour in range(1, 40)}
    prices = ["100"] * 5 + ["50"] * 35
    market = {"X": pair(rates, prices)}
    base = configured(market, min_funding_rate="0.001")
    large = [base.varied({"initial_capital": Decimal(6_000_000 + 10_000 * place)}) for place in range(12)]
    assert assert_same(library, [base, *large], window(market, base)) == {Reason.RANGE: len(large)}


def test_baselines_of_one_quantity_are_theirs_whatever_those_between_them_hold(library: Library) -> None:
    # A cap makes the quantity of two accounts the same, at any capital; the third holds nothing.
    rates = {hour: f"{hour % 7 - 2}e-3" for hour in range(1, 30)}
    rules = {**RULES, "min_notional": "150"}
    market = {"X": pair(rates, [str(100 + hour % 11) for hour in range(30)], instrument=rules)}
    base = configured(market, max_position_size="200", min_funding_rate="0.001")
    shown = window(market, base)
    for steps in range(2, 26):
        capitals = (steps * 200, 250, 1000)
        trials = [base.varied({"initial_capital": Decimal(capital)}) for capital in capitals]
        assert not assert_same(library, trials, shown)
    assert [one.hold.total_trades for one in plain(trials, shown)[0]] == [1, 0, 1]


def test_thresholds_between_the_same_rates_are_replayed_once(
    library: Library, sources: list[list[int]]
) -> None:
    rates = ["0.01", "-0.02", "0.03", "0.0005", "-0.004"]
    market = {"X": pair({hour: rates[hour % 5] for hour in range(1, 30)}, ["100", "101.5", "99"] * 10)}
    base = configured(market)
    steps = [Decimal(number) / 250 for number in range(-6, 12, 2)]
    trials = [
        base.varied({"min_funding_rate": one, "exit_funding_rate": two}) for one in steps for two in steps
    ]
    shown = window(market, base)
    assert not assert_same(library, trials, shown)
    assert len(trials) == 9 * 9
    assert [len(set(one)) for one in sources] == [12] * 2
