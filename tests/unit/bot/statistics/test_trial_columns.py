"""Results of trials as columns: each value of a summary, exact, and nothing else."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from bot.statistics.trial_columns import UNDEFINED, TrialColumns, UnfitAmount, exact_values
from bot.statistics.trial_metrics import DIGEST_BYTES, METRICS, MetricKind

DIGEST = bytes(range(DIGEST_BYTES))
_BY_KIND: Mapping[MetricKind, Any] = {
    MetricKind.MONEY: Decimal("-1.00000002"),
    MetricKind.COUNT: 3,
    MetricKind.STATISTIC: 0.1,
}
VALUES: Mapping[str, Any] = {name: _BY_KIND[kind] for name, kind in METRICS.items()}


def columns(*changes: Mapping[str, Any]) -> TrialColumns:
    return TrialColumns.of_values([{**VALUES, **one} for one in changes], [DIGEST] * len(changes))


def test_row_gives_back_every_value_that_went_in() -> None:
    undefined = {"sharpe": None, "pnl_after_market_end": None}
    found = columns({}, undefined)
    assert found.row(0) == VALUES
    assert found.row(1) == {**VALUES, **undefined}
    assert found.ledgers[1].tobytes() == DIGEST


def test_money_is_whole_units_and_an_undefined_metric_is_marked() -> None:
    found = columns({"net_pnl": Decimal("0.00000001"), "pnl_after_market_end": None, "sharpe": None}, {})
    assert found.metrics["net_pnl"].tolist() == [1, -100_000_002]
    assert found.metrics["pnl_after_market_end"].tolist() == [UNDEFINED, -100_000_002]
    assert found.defined("pnl_after_market_end").tolist() == [False, True]
    assert found.defined("sharpe").tolist() == [False, True]
    assert exact_values("sharpe", found.metrics["sharpe"]) == [None, 0.1]
    assert exact_values("pnl_after_market_end", found.metrics["pnl_after_market_end"])[0] is None


@pytest.mark.parametrize("sign", [1, -1])
def test_largest_amount_fits_and_one_unit_more_does_not(sign: int) -> None:
    largest = sign * Decimal("92233720368.54775807")
    beyond = largest + sign * Decimal("0.00000001")
    found = columns({"final_equity": largest}, {"final_equity": beyond, "extra_fees": beyond}, {})
    assert found.metrics["final_equity"][0] == sign * (2**63 - 1)
    assert found.unfit == {1: UnfitAmount("final_equity", beyond)}


def test_amount_finer_than_a_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="has more than 8 places"):
        columns({"net_pnl": Decimal("0.000000001")})


def test_taken_trials_keep_their_values_and_their_unfit_amounts() -> None:
    beyond = Decimal(10) ** 12
    found = columns({"net_pnl": Decimal(1)}, {"net_pnl": beyond}).take(np.array([1, 0, 1]))
    assert found.unfit == dict.fromkeys((0, 2), UnfitAmount("net_pnl", beyond))
    assert found.metrics["net_pnl"][1] == 100_000_000
    assert len(found) == 3


def test_concatenated_parts_follow_each_other() -> None:
    beyond = Decimal(10) ** 12
    parts = [columns({"total_trades": 1}), columns(), columns({"total_trades": 2}, {"net_pnl": beyond})]
    found = TrialColumns.concatenated(parts)
    assert found.metrics["total_trades"].tolist() == [1, 2, 3]
    assert found.unfit == {2: UnfitAmount("net_pnl", beyond)}
    assert len(TrialColumns.concatenated([])) == 0
