"""Runs over one window give the documents that each gives over a window of its own."""

from decimal import Decimal
from typing import Any

import pytest
from hedge_files import hedge_data
from reference.hedges.drawn import STRUCTURES, made

from bot.config.run_config import RunConfig
from bot.hedges.engine import replay_hedges, run_hedges
from bot.hedges.window import HedgeWindow

VARIED: tuple[dict[str, Any], ...] = (
    {},
    {"strategy_mode": "composite", "entry_threshold": "0.1", "max_price_age_hours": 30},
    {"strategy_mode": "simple", "min_funding_rate": "0", "perp_leverage": 2, "max_price_age_hours": 1},
    {"min_contract_age_days": "0.5", "exit_confirmations": 2, "borrow_rate_hourly": "0.00003"},
    *({"borrow_rate_hourly": str(Decimal(rate).scaleb(-6))} for rate in range(6)),
    {},
)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_runs_over_a_shared_window_do_not_tell_each_other_anything(structure: str) -> None:
    trades = 0
    for seed in range(6):
        files, values = made(seed, structure)
        data, window = hedge_data(files, values), None
        for varied in VARIED:
            config = RunConfig.parse({**values, **varied})
            window = window or HedgeWindow.build(config, data)
            run = replay_hedges(config, window)
            assert run.document() == run_hedges(config, data).document()
            trades += len(run.trades)
    assert trades > 30
