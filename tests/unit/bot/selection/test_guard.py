"""Guard: few trades, few settlements, flat and broken trials never win, by columns and by rows alike."""

from typing import Any

import numpy as np
import pytest

from bot.selection.guard import GUARD_METRICS, Guard
from bot.selection.settings import ValidationSettings
from bot.statistics.trial_columns import UNDEFINED

GUARD = Guard.of(ValidationSettings())
SOUND = {"total_trades": 5, "funding_payments": 90, "volatility": 0.1, "net_pnl": 20_000}

CASES: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"total_trades": 4}, "4 trades, 5 needed"),
    ({"funding_payments": 89}, "89 settlements, 90 needed"),
    ({"total_trades": 1, "funding_payments": 1}, "1 trade, 5 needed; 1 settlement, 90 needed"),
    ({"volatility": 0.0, "net_pnl": 0}, "flat, every daily return is zero"),
    ({"volatility": 0.0, "net_pnl": 1}, None),
    ({"volatility": None, "net_pnl": -120_000}, "broken, without daily returns"),
]


@pytest.mark.parametrize(("changed", "refusal"), CASES)
def test_trial_that_cannot_win_says_why(changed: dict[str, Any], refusal: str | None) -> None:
    assert GUARD.refusal(SOUND | changed) == refusal


def test_columns_and_rows_agree_on_who_may_win() -> None:
    rows = [SOUND | changed for changed, _ in CASES]
    columns = {
        name: np.array(
            [np.nan if row[name] is None else row[name] for row in rows],
            dtype=np.float64 if isinstance(SOUND[name], float) else np.int64,
        )
        for name in GUARD_METRICS
    }
    assert GUARD.eligible(columns).tolist() == [refusal is None for _, refusal in CASES]


def test_undefined_counts_are_never_enough() -> None:
    columns = {
        "total_trades": np.array([UNDEFINED]),
        "funding_payments": np.array([500]),
        "volatility": np.array([0.1]),
        "net_pnl": np.array([1]),
    }
    assert Guard(min_trades=0, min_settlements=0).eligible(columns).tolist() == [False]
