"""Runs as the kernel takes them: rows of parameters, each with the row of its hold baseline."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.config.run_config import RunConfig
from bot.kernel.decision_tables import WrittenDecisions
from bot.kernel.exact_parts import ABSENT, parts
from bot.kernel.layouts import TRIAL
from bot.statistics.metrics import money_units

_NUMBERS = {
    "slippage": "slippage",
    "spot_taker": "spot_taker",
    "perp_taker": "perp_taker",
    "leverage": "perp_leverage",
    "margin_exit_ratio": "margin_exit_ratio",
    "allocation": "allocation",
    "max_position_size": "max_position_size",
    "max_portfolio_exposure": "max_portfolio_exposure",
}
"""Fields of a trial and the parameters they come from."""
_account_key = attrgetter(
    "initial_capital",
    "max_simultaneous_positions",
    "sizing_base",
    "end_dead_markets",
    "slippage_bps",
    *(name for name in _NUMBERS.values() if name != "slippage"),
)


class TrialRows:
    """Rows of runs, in the order in which the kernel takes them: those of one account follow each other."""

    def __init__(
        self, configs: Sequence[RunConfig], decided: Sequence[WrittenDecisions], holding: WrittenDecisions
    ) -> None:
        accounts: dict[tuple[Any, ...], int] = {}
        of = [accounts.setdefault(_account_key(config), len(accounts)) for config in configs]
        first = {account: place for place, account in reversed(list(enumerate(of)))}
        bare = np.zeros(len(accounts), dtype=TRIAL)
        for account, place in first.items():
            _put_account(bare[account], configs[place])
        account_of = np.array(of, dtype=np.int64)
        self.order = np.argsort(account_of, kind="stable")
        self.hold_of = account_of[self.order]
        self.trials = bare[self.hold_of]
        _put_decisions(self.trials, [decided[place] for place in self.order.tolist()])
        self.holds = bare
        _put_decisions(self.holds, [holding] * len(bare))
        # Places of shares are part of an account's terms, so they are part of its number.
        self.holds["account"] = np.arange(len(bare)) * 64
        self.trials["account"] = self.hold_of * 64 + self.trials["share_places"]


def _put_account(row: Any, config: RunConfig) -> None:
    row["capital"] = money_units(config.initial_capital)
    row["slots"] = config.max_simultaneous_positions
    row["compounds"] = config.sizing_base == "equity"
    row["ends_dead"] = config.end_dead_markets
    for field, parameter in _NUMBERS.items():
        value = getattr(config, parameter)
        row[field] = ABSENT if value is None else parts(value)


def _put_decisions(rows: npt.NDArray[Any], decided: Sequence[WrittenDecisions]) -> None:
    for name, column in zip(WrittenDecisions._fields, zip(*decided, strict=True), strict=True):
        rows[name] = column
