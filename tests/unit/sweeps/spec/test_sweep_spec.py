"""Sweeps as submitted: numbering, completeness, digest, refusals."""

import itertools
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config.run_config import load_json
from bot.errors import InvalidInputError
from bot.selection.settings import ValidationSettings
from sweeps.spec.scenarios import customary_scenarios
from sweeps.spec.spec import SweepSpec

BASE = {"exchange": "x", "symbols": ["BTC/USDT:USDT"], "start": "2023-01-01", "end": "2024-01-01"}
GRID = {
    "min_funding_rate": ["0.0001", "0.0002"],
    "exit_funding_rate": ["0", "0.0002"],
    "perp_leverage": [1, 2, 3],
}


def spec(**changes: Any) -> SweepSpec:
    return SweepSpec.parse({"name": "test", "base": BASE, "grid": GRID} | changes)


def refusal(**changes: Any) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        spec(**changes)
    return {error.field: error.message for error in caught.value.errors}


def test_numbers_follow_the_axes_as_written_last_fastest() -> None:
    numbered = [tuple(spec().params(number).values()) for number in range(12)]
    assert numbered == list(itertools.product(["0.0001", "0.0002"], ["0", "0.0002"], ["1", "2", "3"]))


def test_constraint_failures_are_skipped_and_cells_remembered() -> None:
    constrained = spec(constraints=["exit_funding_rate < min_funding_rate"])
    assert constrained.trial_count == 6
    assert [constrained.space.cell(number) for number in range(6)] == [0, 1, 2, 6, 7, 8]
    assert constrained.params(3) == {
        "min_funding_rate": "0.0002",
        "exit_funding_rate": "0",
        "perp_leverage": "1",
    }


def test_constraint_reads_fixed_parameters_and_defaults_too() -> None:
    assert spec(constraints=["perp_leverage * initial_capital <= 20000"]).trial_count == 8
    assert "numeric parameter" in refusal(constraints=["symbols == 1"])["constraints[0]"]
    assert "numeric parameter" in refusal(constraints=["max_position_size > 1"])["constraints[0]"]


def test_config_of_a_trial_is_the_run_with_all_parameters() -> None:
    config = spec().config(11)
    assert (str(config.min_funding_rate), str(config.perp_leverage), config.exchange) == ("0.0002", "3", "x")
    assert config == type(config).parse({**BASE, **spec().params(11)})


def test_number_outside_the_sweep_is_an_index_error() -> None:
    for number in (-1, 12):
        with pytest.raises(IndexError):
            spec().config(number)


def test_document_is_complete_and_reads_back_to_the_same_sweep() -> None:
    first = spec(constraints=["perp_leverage < 3"], curves={"top": 7}, objective={"metric": "max_drawdown"})
    document = first.document()
    assert document["base"]["spot_taker"] == "0.001"
    assert "perp_leverage" not in document["base"]
    assert document["objective"] == {"metric": "max_drawdown", "direction": "minimize"}
    again = SweepSpec.from_text(json.dumps(document))
    assert again.digest == first.digest
    assert [again.params(n) for n in range(again.trial_count)] == [
        first.params(n) for n in range(first.trial_count)
    ]


def test_digest_of_a_sweep_stored_before_there_was_a_parameter_stays_as_it_was() -> None:
    base = {"symbols": ["BTC/USDT:USDT"], "start": "2024-01-01", "end": "2024-02-01"}
    kept = SweepSpec.parse({"name": "kept", "base": base, "grid": {"perp_leverage": [1, 2]}})
    assert kept.digest == "74a2a763d2cbbe20d8eb1b8bd33c741c9ba95cb1f1116cb738664c70bf59b73b"
    ending = SweepSpec.parse(
        {"name": "kept", "base": {**base, "end_dead_markets": True}, "grid": {"perp_leverage": [1, 2]}}
    )
    assert ending.digest != kept.digest


def test_digest_follows_values_and_the_order_of_axes() -> None:
    swapped = {name: GRID[name] for name in reversed(GRID)}
    digests = {spec().digest, spec(grid=swapped).digest, spec(base={**BASE, "spot_taker": "0.002"}).digest}
    assert len(digests) == 3
    assert spec(base={**BASE, "spot_taker": "0.0010"}).digest == spec().digest


def test_numbers_in_json_are_the_decimals_they_were_written_as() -> None:
    text = json.dumps({"base": BASE, "grid": {"min_funding_rate": [0]}}).replace("[0]", "[0.1, 1e-4]")
    assert SweepSpec.parse(load_json(text)).axes[0].labels == ("0.1", "0.0001")


def test_exchange_can_be_named_later() -> None:
    unnamed = spec(base={name: value for name, value in BASE.items() if name != "exchange"})
    assert unnamed.exchanges() == (None,)
    named = unnamed.on_exchange("bybit")
    assert (named.config(0).exchange, named.document()["base"]["exchange"]) == ("bybit", "bybit")
    assert named.digest == spec(base={**BASE, "exchange": "bybit"}).digest


def test_symbols_and_window_span_all_trials() -> None:
    wide = spec(
        base={"start": "2023-01-01"},
        grid={"symbols": ["A", ["A", "B"]], "end": ["2023-06-01", "2024-01-01"]},
    )
    assert wide.symbols() == ("A", "B")
    assert wide.window() == (1672531200000, 1704067200000)


def test_contradiction_of_some_trials_is_theirs_alone() -> None:
    windows = spec(
        base={"symbols": ["A"]},
        grid={"start": ["2023-01-01", "2024-06-01"], "end": ["2023-06-01", "2025-01-01"]},
    )
    assert windows.trial_count == 4
    with pytest.raises(InvalidInputError, match="end: 2023-06-01T00:00:00Z is before start"):
        windows.config(2)
    assert windows.config(3).end > windows.config(3).start


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"foo": 1}, "foo", "not a known parameter"),
        ({"base": {**BASE, "foo": 1}}, "base.foo", "not a known parameter (given: 1)"),
        ({"base": {**BASE, "perp_leverage": 1}}, "base.perp_leverage", "axis"),
        ({"base": {**BASE, "initial_capital": -5}}, "base.initial_capital", "-5"),
        ({"base": {"symbols": ["A"], "start": "2023-01-01"}}, "base.end", "required"),
        ({"base": {**BASE, "start": "2025-01-01"}}, "base.end", "2024-01-01T00:00:00Z is before start"),
        ({"base": []}, "base", "[] is not an object"),
        ({"grid": []}, "grid", "[] is not an object"),
        ({"objective": 7}, "objective", "7 is not an object"),
        ({"linked": ["spot_taker"]}, "linked[0]", '"spot_taker" is not a list'),
        ({"constraints": ["min_funding_rate > 1"]}, "constraints", "leave none of 12 trials"),
        (
            {"constraints": ["1 / (perp_leverage - 2) > 0"]},
            "constraints[0]",
            "no value everywhere: it divides by zero",
        ),
        ({"constraints": "perp_leverage > 1"}, "constraints", '"perp_leverage > 1" is not a list'),
        ({"sampler": {"kind": "best"}}, "sampler.kind", '"best" is no sampler'),
        ({"sampler": {"kind": "random"}}, "sampler.n", "required"),
        ({"sampler": {"kind": "sobol", "n": 0}}, "sampler.n", "0"),
        ({"sampler": {"kind": "random", "n": 3, "seed": -1}}, "sampler.seed", "-1"),
        ({"objective": {"metric": "profit"}}, "objective.metric", '"profit" is no metric'),
        ({"objective": {"metric": "sharpe", "direction": "up"}}, "objective.direction", '"up"'),
        ({"curves": {"top": 0}}, "curves", '{"top": 0}'),
        ({"curves": "some"}, "curves", '"some"'),
        (
            {"base": {**BASE, "structure": "inverse"}},
            "base.symbols",
            "BTC/USDT:USDT",
        ),
        (
            {"base": {**BASE, "stress": [{"leg": "long"}]}},
            "base.stress[0].at",
            "is required",
        ),
        (
            {"grid": {"stress": [[], [{"at": "2023-08-05", "leg": "up"}]]}},
            "grid.stress.values[1][0].leg",
            '"up": input should be "long" or "short"',
        ),
        (
            {"grid": {"capital_shares": [None, {"x": "0.9"}]}},
            "grid.capital_shares.values[1]",
            '{"x": "0.9"} sums to 0.9, not to 1',
        ),
        ({"name": "a\x00b"}, "name", "cannot be printed"),
        ({"name": "\ud800"}, "name", ""),
        ({"name": ""}, "name", ""),
    ],
)
def test_refused_sweep_names_field_and_value(changes: dict[str, Any], field: str, words: str) -> None:
    found = refusal(**changes)
    assert list(found) == [field]
    assert words in found[field]


def test_a_million_trials_are_accepted_and_one_more_is_not() -> None:
    grid = {
        "perp_leverage": {"start": 1, "stop": 1000, "step": 1},
        "min_funding_rate": {"start": "0.001", "stop": "1", "step": "0.001"},
    }
    million = spec(grid=grid, constraints=["perp_leverage * min_funding_rate <= 500"])
    assert 500_000 < million.trial_count < 1_000_000
    last = million.config(million.trial_count - 1)
    assert last.perp_leverage * last.min_funding_rate <= 500
    over = {**grid, "min_funding_rate": {"start": 0, "stop": "1", "step": "0.001"}}
    assert refusal(grid=over) == {"grid": "spans 1,001,000 trials, the limit is 1,000,000"}


def test_costly_constraints_are_refused_before_they_are_computed() -> None:
    grid = {name: [*range(1, 101)] for name in ("perp_leverage", "rate_cap", "basis_cap")}
    text = " and ".join(["perp_leverage + rate_cap > basis_cap"] * 6)
    assert "takes too long" in refusal(grid=grid, constraints=[text, text])["constraints[1]"]


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    bound=st.integers(0, 12),
)
def test_kept_trials_are_those_a_naive_filter_keeps(sizes: list[int], bound: int) -> None:
    names = ["perp_leverage", "rate_cap", "basis_cap", "min_funding_rate"][: len(sizes)]
    grid = {name: [*range(1, size + 1)] for name, size in zip(names, sizes, strict=True)}
    text = f"{' + '.join(names)} > {bound}"
    naive = [cell for cell in itertools.product(*grid.values()) if sum(cell) > bound]
    if not naive:
        assert "leave none" in refusal(grid=grid, constraints=[text])["constraints"]
        return
    found = spec(grid=grid, constraints=[text])
    assert [tuple(map(int, found.params(n).values())) for n in range(found.trial_count)] == naive


def test_sweep_that_names_no_limit_of_its_trials_is_stored_as_before_there_was_one() -> None:
    assert "trial_timeout_s" not in spec().document()
    assert spec(trial_timeout_s=None).digest == spec().digest
    limited = spec(trial_timeout_s=45)
    assert limited.document()["trial_timeout_s"] == 45
    assert SweepSpec.from_text(json.dumps(limited.document())).document() == limited.document()
    assert limited.digest != spec().digest


def test_sweep_that_names_no_scenarios_is_stored_as_before_there_were_any() -> None:
    assert "scenarios" not in spec().document()
    assert spec(scenarios=None).digest == spec().digest
    grid = {"perp_leverage": [1, 2], "spot_taker": ["0.001", "0.002"], "perp_taker": ["0.0005", "0.001"]}
    linked = {"grid": grid, "linked": [["spot_taker", "perp_taker"]]}
    named = spec(**linked, scenarios={"axes": ["spot_taker", "perp_taker"]})
    assert named.document()["scenarios"] == {"axes": ["spot_taker", "perp_taker"], "rank": "worst"}
    assert SweepSpec.from_text(json.dumps(named.document())).document() == named.document()
    assert named.digest != spec(**linked).digest
    assert customary_scenarios(named.space) == named.scenarios
    assert customary_scenarios(spec(grid={"spot_taker": ["0.001", "0.002"]}).space).axes == ()


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        (["perp_leverage", "slippage_bps", "spot_taker", "perp_taker"], "none is left to choose"),
        (["spot_taker"], 'moves together with "perp_taker"'),
        (["allocation"], "no axis of this sweep"),
        (["slippage_bps", "slippage_bps"], "named twice"),
    ],
)
def test_scenarios_that_cannot_be_ranked_over_are_refused_by_name(axes: list[str], words: str) -> None:
    grid = {
        "perp_leverage": [1, 2],
        "slippage_bps": [0, 5],
        "spot_taker": ["0.001", "0.002"],
        "perp_taker": ["0.0005", "0.001"],
    }
    found = refusal(grid=grid, linked=[["spot_taker", "perp_taker"]], scenarios={"axes": axes})
    assert list(found) == ["scenarios.axes"]
    assert words in found["scenarios.axes"]


@pytest.mark.parametrize("value", [0, -1, 86_401, "60", 1.5, True])
def test_limit_of_trials_out_of_its_bounds_is_refused_by_name(value: Any) -> None:
    assert list(refusal(trial_timeout_s=value)) == ["trial_timeout_s"]


def test_sweep_that_names_no_validation_has_the_digest_of_before_there_was_one() -> None:
    document = spec().document()
    assert document["validation"] == ValidationSettings().document()
    assert spec(validation={"walk_forward": {}}).digest == spec().digest
    stored = {name: value for name, value in document.items() if name != "validation"}
    assert SweepSpec.from_text(json.dumps(stored)).document() == document


def test_validation_that_is_changed_or_off_is_kept_and_is_another_sweep() -> None:
    changed = spec(validation={"blocks": 8, "test_symbols": ["A"]}, base={**BASE, "symbols": ["A"]})
    assert changed.document()["validation"]["test_symbols"] == ["A"]
    off = spec(validation=False)
    assert off.document()["validation"] is False
    for one in (changed, off):
        assert SweepSpec.from_text(json.dumps(one.document())).digest == one.digest
    assert len({spec().digest, off.digest, spec(validation={"blocks": 8}).digest}) == 3


def test_counts_of_a_validation_written_with_a_point_are_the_same_sweep() -> None:
    written = {
        "blocks": Decimal("8.0"),
        "min_trades": Decimal("1E1"),
        "walk_forward": {"gap_days": Decimal("2.0")},
    }
    plain = {"blocks": 8, "min_trades": 10, "walk_forward": {"gap_days": 2}}
    assert spec(validation=written).document() == spec(validation=plain).document()


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, "validation"),
        (True, "validation"),
        ({"blocks": 7}, "validation.blocks"),
        ({"blocks": Decimal("8.5")}, "validation.blocks"),
        ({"min_trades": Decimal("1E+999999")}, "validation.min_trades"),
        ({"walk_forward": {"anchored": 1}}, "validation.walk_forward.anchored"),
        ({"test_symbols": ["elsewhere"]}, "validation.test_symbols[0]"),
        ({"fold": 1}, "validation.fold"),
    ],
)
def test_refused_validation_is_named_by_field(value: Any, field: str) -> None:
    assert list(refusal(validation=value)) == [field]
