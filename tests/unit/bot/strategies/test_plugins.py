"""A strategy from another package, found through its entry point, is a strategy like our own."""

import ast
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from builders import run_config
from example_plugin import EXAMPLE, installed_example
from toy_market import configured, pair, window

from bot import strategies
from bot.backtest import replay
from bot.config import strategy_registry
from bot.config.run_config import RunConfig
from bot.errors import InvalidInputError
from bot.models import SettlementView
from bot.strategies import Entry, Strategy
from bot.strategies.opportunity_ranker import OpportunityRanker
from bot.strategies.simple import SimpleStrategy

RATES = dict(enumerate(["0.001"] * 3 + ["0"] * 6 + ["0.002"] * 3, 1))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with installed_example(tmp_path, monkeypatch) as folder:
        yield folder


def test_our_own_strategies_are_found_the_same_way() -> None:
    assert {"composite", "hold", "simple"} <= set(strategy_registry.strategy_names())
    assert strategy_registry.strategy_plugin("composite").version == "1.1"


def test_a_plug_in_needs_the_names_of_one_package_alone() -> None:
    tree = ast.parse((EXAMPLE / "smoothed_rate.py").read_text())
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = {node.module: {name.name for name in node.names} for node in imported if "bot" in str(node.module)}
    assert list(ours) == ["bot.strategies"]
    assert ours["bot.strategies"] <= set(strategies.__all__)


@pytest.mark.usefixtures("installed")
def test_an_installed_strategy_trades_under_its_name() -> None:
    market = {"X": pair(RATES, ["100"] * len(RATES))}
    config = configured(market, strategy_mode="smoothed-rate", smoothing_settlements=3)
    result = replay(config, window(market, config))
    [first, second] = result.trades
    assert (first.funding_payments, second.funding_payments) == (5, 2)
    assert result.document()["config"]["smoothed_entry"] == "0.0002"


@pytest.mark.usefixtures("installed")
def test_its_parameters_are_checked_like_ours() -> None:
    with pytest.raises(InvalidInputError) as caught:
        run_config(strategy_mode="smoothed-rate", smoothing_settlements=0, smoothed_exit="NaN")
    assert [error.field for error in caught.value.errors] == ["smoothing_settlements", "smoothed_exit"]


@pytest.mark.usefixtures("installed")
def test_its_parameters_belong_to_the_identity_of_a_run() -> None:
    market = {"X": pair(RATES, ["100"] * len(RATES))}
    configs = [
        configured(market, strategy_mode="smoothed-rate", smoothed_exit=value) for value in ("0", "0.00")
    ]
    keys = {replay(config, window(market, config)).run_key for config in configs}
    assert len(keys) == 1
    other = configs[0].varied({"smoothed_exit": Decimal("0.00001")})
    assert replay(other, window(market, other)).run_key not in keys


@pytest.mark.usefixtures("installed")
def test_the_rules_of_the_account_hold_for_it() -> None:
    with pytest.raises(InvalidInputError, match="end: 2020-01-01T00:00:00Z is before start"):
        run_config(strategy_mode="smoothed-rate", end="2020-01-01")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_package", "cannot be loaded: No module named 'no_such_package'"),
        ("OTHER = 1", "cannot be loaded: module 'smoothed_rate' has no attribute 'PLUGIN'"),
        ("def broken(:", "cannot be loaded: invalid syntax"),
        ("PLUGIN = 1", "is no StrategyPlugin of that name"),
    ],
)
def test_a_strategy_that_cannot_be_loaded_is_named_and_keeps_no_other_from_being_used(
    installed: Path, source: str, reason: str
) -> None:
    (installed / "smoothed_rate.py").write_text(source)
    usable, unusable = strategy_registry.usable_strategies()
    assert {"composite", "hold", "simple"} == {plugin.name for plugin in usable}
    assert reason in unusable["smoothed-rate"]
    with pytest.raises(InvalidInputError, match='strategy_mode: "smoothed-rate": smoothed_rate:PLUGIN'):
        run_config(strategy_mode="smoothed-rate")


@pytest.mark.usefixtures("installed")
def test_a_figure_compared_with_a_parameter_of_others_is_refused_by_name(installed: Path) -> None:
    source = (installed / "smoothed_rate.py").read_text()
    (installed / "smoothed_rate.py").write_text(source.replace('"smoothed_exit"', '"exit_funding_rate"'))
    with pytest.raises(InvalidInputError) as caught:
        strategy_registry.strategy_plugin("smoothed-rate")
    assert [(error.field, error.message) for error in caught.value.errors] == [
        (
            "strategy_mode",
            '"smoothed-rate": its figure "smoothed_rate" names "exit_funding_rate", none of its parameters',
        )
    ]


@pytest.mark.parametrize("text", ["raise {threshold}", "raise {", "raise {0}"])
def test_advice_that_cannot_be_filled_in_is_refused_by_name(installed: Path, text: str) -> None:
    source = (installed / "smoothed_rate.py").read_text()
    gates = f"decide_columns=_decide, gates={{'dull': GateAdvice({text!r})}},"
    declared = source.replace("    Figure,\n", "    Figure,\n    GateAdvice,\n", 1)
    (installed / "smoothed_rate.py").write_text(declared.replace("decide_columns=_decide,", gates))
    with pytest.raises(InvalidInputError, match='"smoothed-rate": its advice on "dull", .* has other braces'):
        strategy_registry.strategy_plugin("smoothed-rate")


def test_parameters_of_a_strategy_that_is_not_named_are_unknown() -> None:
    with pytest.raises(InvalidInputError, match="smoothing_settlements: is not a known parameter"):
        run_config(smoothing_settlements=3)


def test_a_strategy_that_is_not_installed_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        InvalidInputError, match='"magic" is not an installed strategy .*composite, hold, simple'
    ):
        RunConfig.parse({"symbols": ["X"], "start": 0, "end": "2024-01-01", "strategy_mode": "magic"})


class LeavesAtHighRates(SimpleStrategy):
    """Overrides the exits of a strategy that has a floor of them."""

    def wants_exit(self, view: SettlementView) -> bool:
        return view.funding.rate_8h > Decimal("0.0015")


class AnyExit(Strategy):
    """Decides exits, and is mixed into strategies that have a floor of them."""

    def wants_exit(self, view: SettlementView) -> bool:
        return True


class MixedExits(AnyExit, SimpleStrategy):
    """Takes its exits from one base, its entries from another."""


class EntersAtOnce(SimpleStrategy):
    """Overrides entries alone."""

    def entries(self, views: Sequence[SettlementView]) -> Sequence[Entry]:
        return [Entry(view) for view in views]


class LeavesAtHalf(LeavesAtHighRates):
    """Overrides exits again, with a floor of its own."""

    exit_floor = Decimal("0.5")

    def wants_exit(self, view: SettlementView) -> bool:
        return view.funding.rate_8h < Decimal("0.5")


class EntersAtHalf(EntersAtOnce):
    """Overrides entries again, with a floor and a first look of its own."""

    entry_floor = Decimal("0.5")

    def entries(self, views: Sequence[SettlementView]) -> Sequence[Entry]:
        return [Entry(view) for view in views if self.may_enter(view)]

    def may_enter(self, view: SettlementView) -> bool:
        return view.funding.rate_8h >= Decimal("0.5")


class EntersFromItsOwnFloor(SimpleStrategy):
    """Narrows the entries of another by a floor that it sets as it is made."""

    def __init__(self, ranker: OpportunityRanker, exit_funding_rate: Decimal) -> None:
        super().__init__(ranker, exit_funding_rate)
        self.entry_floor = HALF


ENTRY, EXIT, HALF = Decimal("0.0003"), Decimal("0.0001"), Decimal("0.5")


@pytest.mark.parametrize(
    ("strategy", "entry_floor", "first_look", "exit_floor"),
    [
        (SimpleStrategy, ENTRY, SimpleStrategy, EXIT),
        (EntersAtOnce, None, Strategy, EXIT),
        (EntersAtHalf, HALF, EntersAtHalf, EXIT),
        (EntersFromItsOwnFloor, HALF, SimpleStrategy, EXIT),
        (LeavesAtHighRates, ENTRY, SimpleStrategy, None),
        (MixedExits, ENTRY, SimpleStrategy, None),
        (LeavesAtHalf, ENTRY, SimpleStrategy, HALF),
    ],
)
def test_what_spares_asking_stands_for_the_decisions_of_its_own_class_alone(
    strategy: type[SimpleStrategy],
    entry_floor: Decimal | None,
    first_look: type[Strategy],
    exit_floor: Decimal | None,
) -> None:
    config = run_config(min_funding_rate=ENTRY)
    ranker = OpportunityRanker(
        config.min_funding_rate, config.min_volume_24h, config.min_holding_periods, config.fees, config.style
    )
    made = strategy(ranker, EXIT)
    assert (made.entry_floor, made.exit_floor) == (entry_floor, exit_floor)
    assert strategy.may_enter is first_look.may_enter
