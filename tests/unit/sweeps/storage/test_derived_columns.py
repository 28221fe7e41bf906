"""Columns that follow from others: stored as differences, read bit by bit whatever a formula gives."""

from itertools import compress

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.numbers.planes import stacked
from bot.statistics.trial_columns import UNDEFINED, MetricColumn
from bot.statistics.trial_metrics import is_real
from sweeps.storage.derived_columns import DERIVED, as_stored, restored, with_inputs

WHOLE = st.one_of(
    st.sampled_from([0, 1, -1, UNDEFINED, UNDEFINED + 1, 2**63 - 1]), st.integers(-(2**63), 2**63 - 1)
)
REAL = st.one_of(
    st.sampled_from([0.0, -0.0, float("inf"), float("-inf"), float("nan"), 5e-324, 1.7e308]),
    st.floats(allow_nan=False),
)


@given(st.data())
def test_any_values_come_back_bit_by_bit(data: st.DataObject) -> None:
    metrics: dict[str, MetricColumn] = {
        name: np.array(data.draw(st.lists(REAL if is_real(name) else WHOLE, min_size=3, max_size=3)))
        for name in sorted(with_inputs(tuple(DERIVED)))
    }
    names, values = list(metrics), stacked(list(metrics.values()))
    wanted = np.array([name in DERIVED or name == "net_pnl" for name in names])
    stored = dict(zip(compress(names, wanted), as_stored(names, values, wanted), strict=True))
    assert stored.pop("net_pnl").tobytes() == metrics["net_pnl"].tobytes()
    assert stored.keys() == DERIVED.keys()
    for name, difference in stored.items():
        assert restored(name, difference, metrics).tobytes() == metrics[name].tobytes()


def test_columns_are_read_with_all_that_they_follow_from() -> None:
    assert with_inputs(("sharpe",)) == {"sharpe"}
    assert with_inputs(("total_return", "sharpe")) == {"sharpe", "total_return", "net_pnl", "final_equity"}
