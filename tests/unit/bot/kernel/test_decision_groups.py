"""A strategy is asked once for trials that agree in what it reads, and may read nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from toy_market import configured, pair, window

from bot.config.parameter_columns import ParameterColumns
from bot.config.run_config import RunConfig
from bot.kernel import decision_groups, decision_tables
from bot.kernel.loading import Library
from bot.kernel.replayer import KernelReplayer
from bot.strategies.decision_columns import ColumnDecisions, DecisionColumns
from bot.strategies.simple import PLUGIN


class Asked:
    """Counts the calls of `decide_columns` of the simple strategy, under another declaration."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, decided_by: tuple[str, ...] | None) -> None:
        self.runs: list[RunConfig] = []
        plugin = replace(PLUGIN, decide_columns=self, decided_by=decided_by)
        for module in (decision_groups, decision_tables):
            monkeypatch.setattr(module, "strategy_plugin", lambda _name: plugin)

    def __call__(self, config: RunConfig, columns: DecisionColumns) -> ColumnDecisions:
        self.runs.append(config)
        assert PLUGIN.decide_columns
        found: ColumnDecisions = PLUGIN.decide_columns(config, columns)
        return found


def trials(base: RunConfig) -> Iterator[RunConfig]:
    for rate in range(4):
        for fee in ("0.0004", "0.0005"):
            for leverage in (1, 2):
                values = {"min_funding_rate": Decimal(rate) / 1000, "spot_taker": Decimal(fee)}
                yield base.varied({**values, "perp_leverage": Decimal(leverage)})


@pytest.mark.parametrize(
    ("decided_by", "asked"), [(PLUGIN.decided_by, 2), (("perp_taker", "min_holding_periods"), 0), (None, 16)]
)
def test_a_strategy_is_asked_once_for_each_combination_of_what_it_declares(
    library: Library, monkeypatch: pytest.MonkeyPatch, decided_by: Any, asked: int
) -> None:
    market = {"X": pair({hour: f"{hour % 5 - 1}e-3" for hour in range(1, 60)}, ["100"] * 60)}
    base = configured(market)
    kernel = KernelReplayer(library, window(market, base))
    counted = Asked(monkeypatch, decided_by)
    parameters = ParameterColumns.of(list(trials(base)))
    if not asked:
        with pytest.raises(
            TypeError, match="decide_columns reads spot_taker, which decided_by does not name"
        ):
            kernel.replay(parameters)
        return
    assert len(kernel.replay(parameters).places) == 16
    assert len(counted.runs) == asked


def test_batches_of_one_window_share_the_decisions_of_a_strategy_that_declares_what_it_reads(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = {"X": pair({hour: f"{hour % 5 - 1}e-3" for hour in range(1, 60)}, ["100"] * 60)}
    base = configured(market)
    for decided_by, asked in ((PLUGIN.decided_by, 2), (None, 32)):
        kernel = KernelReplayer(library, window(market, base))
        counted = Asked(monkeypatch, decided_by)
        first, again = (kernel.replay(ParameterColumns.of(list(trials(base)))) for _ in range(2))
        assert len(counted.runs) == asked
        assert [first.columns.row(at) for at in range(16)] == [again.columns.row(at) for at in range(16)]
