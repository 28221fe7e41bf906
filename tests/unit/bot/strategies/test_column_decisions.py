"""Decisions over columns are those that the strategy takes event by event."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import chain
from random import Random
from typing import Any

import pytest
from builders import market_data, run_config
from example_plugin import installed_example
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference.markets import configs, markets
from toy_market import configured, pair, window

from bot.backtest import ReplayWindow
from bot.backtest.decision_trace import decision_events
from bot.config.run_config import RunConfig
from bot.config.strategy_registry import strategy_names, strategy_plugin
from bot.models import SettlementView
from bot.numbers.money import ONE, exact
from bot.numbers.thresholds import Condition
from bot.strategies.decision_columns import ColumnDecisions, DecisionColumns

GENERATED = settings(max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)
EXAMPLE = "smoothed-rate"
RATES = {hour: "0.001" if hour % 7 > 2 else "-0.001" for hour in range(1, 60)}


@pytest.fixture(autouse=True, scope="module")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, installed_example(tmp_path_factory.mktemp("example"), patch):
        yield


@st.composite
def windows(draw: st.DrawFn, strategies: Sequence[str]) -> tuple[ReplayWindow, list[RunConfig]]:
    """Draw a window of some pairs, and runs over it that differ in strategy and thresholds."""
    market = draw(markets())
    values = draw(configs(market))
    shared = run_config(**values)
    shown = ReplayWindow.build(
        shared, market_data({name: market[name] for name in shared.symbols}, shared.end)
    )
    random = Random(draw(st.integers(0, 2**32)))
    return shown, [_run(values, random.choice(strategies), random) for _ in range(4)]


def _run(values: dict[str, Any], strategy: str, random: Random) -> RunConfig:
    own: dict[str, Any] = {"strategy_mode": strategy}
    if strategy == EXAMPLE:
        rates = ("0.0001", "0", "-0.0002", "0.00033333")
        own |= {"smoothing_settlements": random.choice((1, 3, 7))}
        own |= {"smoothed_entry": random.choice(rates), "smoothed_exit": random.choice(rates)}
    return run_config(**{**values, **own})


@GENERATED
@given(st.data())
def test_every_installed_strategy_decides_columns_as_it_decides_events(data: st.DataObject) -> None:
    shown, runs = data.draw(windows(strategy_names()))
    for config in runs:
        assert_columns_decide_as_events(config, shown)


@GENERATED
@given(st.data())
def test_no_installed_strategy_enters_below_its_entry_floor_or_leaves_at_its_exit_floor(
    data: st.DataObject,
) -> None:
    shown, runs = data.draw(windows(strategy_names()))
    for config in runs:
        with exact():
            for strategy, event in decision_events(config, shown):
                entries, leave = strategy.entry_floor, strategy.exit_floor
                for view in event.decidable:
                    rate = view.funding.rate_8h
                    assert entries is None or rate >= entries or not strategy.entries((view,))
                    assert leave is None or rate < leave or not strategy.wants_exit(view)


def assert_columns_decide_as_events(config: RunConfig, shown: ReplayWindow) -> None:
    """Fail unless entries in their order, with their shares of a slot, and exits are the same both ways."""
    columns = DecisionColumns(shown, {symbol: shown.series(symbol) for symbol in shown.instruments})
    plugin = strategy_plugin(config.strategy_mode)
    assert plugin.decide_columns is not None
    with exact():
        entered, left = _by_columns(config, plugin.decide_columns(config, columns), columns)
        assert entered == _entries(config, shown)
        assert left == _exits(config, shown)


@pytest.mark.parametrize(
    ("strategy", "share"), [("simple", "1"), ("composite", "0.475"), ("hold", "1"), (EXAMPLE, "1")]
)
def test_columns_rank_pairs_that_are_worth_entering_at_one_event(strategy: str, share: str) -> None:
    rates = {"A": "0.001", "B": "0.002", "C": "0.001"}
    market = {name: pair(dict.fromkeys(range(1, 9), rate), ["100"] * 8) for name, rate in rates.items()}
    config = configured(market, strategy_mode=strategy, entry_threshold="0.1", dynamic_sizing=True)
    shown = window(market, config)
    first = next(iter(_entries_of(config, shown).values()))
    assert [symbol for symbol, _ in first] == ["B", "A", "C"]
    assert first[1][1] == Decimal(share)
    assert_columns_decide_as_events(config, shown)


def _entries_of(config: RunConfig, shown: ReplayWindow) -> dict[int, list[tuple[str, Decimal]]]:
    with exact():
        return _entries(config, shown)


def _entries(config: RunConfig, shown: ReplayWindow) -> dict[int, list[tuple[str, Decimal]]]:
    """Return by time the pairs that a strategy enters, best first, with their shares of a slot."""
    found = {}
    for strategy, event in decision_events(config, shown):
        if entries := strategy.entries(event.decidable):
            found[event.t_ms] = [(entry.view.funding.symbol, entry.fraction) for entry in entries]
    return found


def _exits(config: RunConfig, shown: ReplayWindow) -> set[tuple[int, str]]:
    return {
        (event.t_ms, view.funding.symbol)
        for strategy, event in decision_events(config, shown)
        for view in event.decidable
        if strategy.wants_exit(view)
    }


def _by_columns(
    config: RunConfig, decided: ColumnDecisions, columns: DecisionColumns
) -> tuple[dict[int, list[tuple[str, Decimal]]], set[tuple[int, str]]]:
    """Return entries and exits as `_entries` and `_exits` do, read off the columns."""
    views = list(columns.views)
    last_ms = max(view.funding.t_ms for view in views)
    worth, stays = _mask(decided.entering(config), columns), _mask(decided.staying(config), columns)
    order = [Decimal(0)] * len(views) if decided.order is None else decided.order().values.decimals()
    shares = [ONE] * len(views) if decided.fractions is None else decided.fractions().values.decimals()

    def rank(row: int) -> tuple[Decimal, str]:
        return -order[row], views[row].funding.symbol

    decidable = [row for row, view in enumerate(views) if view.ticker.fresh and view.funding.t_ms < last_ms]
    entered: dict[int, list[tuple[str, Decimal]]] = {}
    for row in sorted((row for row in decidable if worth[row]), key=rank):
        at = views[row].funding
        entered.setdefault(at.t_ms, []).append((at.symbol, shares[row]))
    return entered, {_place(views[row]) for row in decidable if not stays[row]}


def _mask(conditions: Sequence[Condition], columns: DecisionColumns) -> list[bool]:
    masks = [condition.holds() for condition in conditions]
    return [all(mask[row] for mask in masks) for row in range(len(columns.views))]


def _place(view: SettlementView) -> tuple[int, str]:
    return view.funding.t_ms, view.funding.symbol


@pytest.mark.parametrize("values", [[], ["0.1"] * 60])
def test_a_column_with_a_wrong_number_of_values_is_refused_by_name(values: list[str]) -> None:
    market = {"X": pair(RATES, ["100"] * 60)}
    shown = window(market, configured(market))
    columns = DecisionColumns(shown, {"X": shown.series("X")})
    with pytest.raises(ValueError, match=f"average: {len(values)} values for 59 settlements"):
        columns.values("average", lambda _pair: map(Decimal, values))


def test_columns_show_the_past_of_each_pair_to_that_pair_alone() -> None:
    market = {name: pair(RATES, ["100"] * 60) for name in ("X", "Y")}
    config = configured(market)
    late = config.varied({"start": config.start + 10 * 3_600_000})
    shown = window(market, late)
    columns = DecisionColumns(shown, {name: shown.series(name) for name in market})
    assert [{record.symbol for record in one.past} for one in columns.pairs] == [{"X"}, {"Y"}]
    assert [len(one.past) for one in columns.pairs] == [9, 9]
    assert list(chain.from_iterable(one.views for one in columns.pairs)) == list(columns.views)
