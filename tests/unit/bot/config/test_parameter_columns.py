"""Parameters by column are those of each trial: same runs, same refusals, same run keys."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from builders import run_config
from hypothesis import given
from hypothesis import strategies as st

from bot.config.parameter_columns import ParameterColumns, distinct_rows
from bot.config.run_config import RunConfig, ruled_parameters
from bot.config.run_key import key_list, run_key, run_keys
from bot.errors import InvalidInputError

VALUES: dict[str, tuple[Any, ...]] = {
    "allocation": (Decimal("0.1"), Decimal("0.90"), Decimal(1)),
    "end_dead_markets": (False, True),
    "exit_funding_rate": (Decimal(0), Decimal("-0.00010")),
    "max_position_size": (None, Decimal(500)),
    "perp_leverage": tuple(map(Decimal, range(1, 40))),
    "sizing_max_fraction": (Decimal(1), Decimal("0.5"), Decimal("0.2")),
    "sizing_min_fraction": (Decimal("0.3"), Decimal("0.6")),
    "sizing_base": ("initial", "equity"),
    "weight_basis": (Decimal(0), Decimal("0.15")),
    "weight_trend": (Decimal(0), Decimal(1)),
}
SHARED = run_config(weight_rate_level=0, weight_persistence=0)


@st.composite
def drawn_columns(draw: st.DrawFn) -> ParameterColumns:
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True))
    count = draw(st.integers(0, 12))
    places = {
        name: np.array(draw(st.lists(st.integers(0, len(VALUES[name]) - 1), min_size=count, max_size=count)))
        for name in names
    }
    whole = {name: column.astype(np.int64) for name, column in places.items()}
    return ParameterColumns(SHARED, {name: VALUES[name] for name in names}, whole, count)


def of_one(columns: ParameterColumns, trial: int) -> RunConfig | str:
    """Return the run of a trial as it is made alone, or why it is refused."""
    own = {name: VALUES[name][columns.places[name][trial]] for name in columns.values}
    try:
        return SHARED.varied(own)
    except InvalidInputError as error:
        return error.message


@given(drawn_columns())
def test_drawn_trials_are_those_made_one_by_one(columns: ParameterColumns) -> None:
    alone = [of_one(columns, trial) for trial in range(len(columns))]
    refused = columns.refused()
    assert {at: error.message for at, error in refused.items()} == {
        at: one for at, one in enumerate(alone) if isinstance(one, str)
    }
    sound = np.array([at for at in range(len(columns)) if at not in refused], dtype=np.int64)
    kept = columns.condensed().take(sound).condensed()
    assert list(kept.configs()) == [one for one in alone if isinstance(one, RunConfig)]
    assert [kept.config(trial) for trial in range(len(kept))] == list(kept.configs())
    if len(kept):
        again = ParameterColumns.of(list(kept.configs())).configs()
        assert list(map(repr, again)) == list(map(repr, kept.configs()))


@given(drawn_columns(), st.sampled_from(["abc", 'quo"te']))
def test_drawn_run_keys_are_those_made_one_by_one(columns: ParameterColumns, data: str) -> None:
    named = columns.sharing(exchange="ÄÖ")
    assert [key.hex() for key in key_list(run_keys(named, data))] == [
        run_key(config, data) for config in named.configs()
    ]


def test_values_that_no_trial_has_are_left_out_where_there_are_many() -> None:
    places = {"perp_leverage": np.array([30, 2])}
    few = ParameterColumns(SHARED, {"perp_leverage": VALUES["perp_leverage"]}, places, 2).condensed()
    assert few.values["perp_leverage"] == [Decimal(3), Decimal(31)]
    assert [config.perp_leverage for config in few.configs()] == [Decimal(31), Decimal(3)]


def test_rules_between_parameters_read_no_others_than_those_said() -> None:
    read: set[str] = set()

    class Recorded(RunConfig):
        def __getattribute__(self, name: str) -> Any:
            if name in RunConfig.model_fields:
                read.add(name)
            return super().__getattribute__(name)

    Recorded.model_construct(**dict(run_config())).refuse_contradictions()
    assert read == ruled_parameters(RunConfig)


def test_a_strategy_with_rules_of_its_own_may_read_any_parameter() -> None:
    class Own(RunConfig):
        def refuse_contradictions(self) -> None:
            if self.perp_leverage > self.min_holding_periods:
                raise ValueError("perp_leverage: is above min_holding_periods")

    shared = Own.model_construct(**dict(run_config(min_holding_periods=5)))
    places = {"perp_leverage": np.array([3, 4, 5, 6, 0])}
    columns = ParameterColumns(shared, {"perp_leverage": VALUES["perp_leverage"]}, places, 5)
    assert ruled_parameters(Own) is None
    assert list(columns.refused()) == [2, 3]


@pytest.mark.parametrize("count", [0, 3])
def test_rows_without_columns_are_one(count: int) -> None:
    first, kind = distinct_rows([], count)
    assert first.tolist() == [0][:count]
    assert kind.tolist() == [0] * count


def test_rows_are_numbered_in_their_order_however_large_their_numbers_are() -> None:
    few, many = np.array([2, 0, 2, 0, 1]), np.array([2**40, 7, 2**40, 7, 3])
    for columns in ([few], [many], [few, many], [many, many, few]):
        first, kind = distinct_rows(columns, 5)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        assert [rows[place] for place in first.tolist()] == sorted(set(rows))
        assert [sorted(set(rows)).index(row) for row in rows] == kind.tolist()
        assert first.tolist() == [rows.index(row) for row in sorted(set(rows))]
