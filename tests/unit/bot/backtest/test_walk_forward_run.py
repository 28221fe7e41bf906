"""Walk-forward as one account lives it: folds add up, and holding is over the same days."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from toy_market import START, configured, pair, window

from bot.backtest.stitched import Seam, StitchedRun, stitch
from bot.backtest.walk_forward_run import WalkForwardRun
from bot.models import DAY_MS
from bot.selection.folds import FoldDays
from bot.selection.walk_forward import Fold

FIRST_DAY = date(2024, 1, 1)
RATES = {hour: "0.01" if hour < 120 else "-0.01" for hour in range(8, 200, 8)}
MARKET = {"X": pair(RATES, ["100"] * 200)}


def fold(first: int, trial: int | None) -> Fold:
    return Fold(FoldDays((first - 2, first), (first, first + 2)), trial, 0.5, 0.25)


def run(folds: list[Fold], *trials: dict[str, Any]) -> WalkForwardRun | None:
    always = {"initial_capital": 10000, "exit_funding_rate": -1, "min_funding_rate": "0.00001"}
    values = {"end": START + 8 * DAY_MS, **always}
    configs = [configured(MARKET, **{**values, **trial}) for trial in trials]

    def stitched(start_ms: int, seams: Sequence[Seam]) -> StitchedRun:
        return stitch(start_ms, seams, lambda config: window(MARKET, config))

    return WalkForwardRun.of(FIRST_DAY, folds, configs.__getitem__, stitched)


def test_profit_and_loss_of_folds_add_up_and_the_last_lasts_to_the_end_of_the_days() -> None:
    found = run([fold(2, 0), fold(4, 1)], {}, {"exit_funding_rate": "-0.02"})
    assert found is not None
    # 50 of each leg: the midnight of a test day belongs to it. Five of 50, then three of 50 and ten of -50.
    assert found.pnl == [Decimal(250), Decimal(-350)]
    assert sum(found.pnl) == found.run.metrics.net_pnl
    assert [(trade.opened_at_ms - START) // DAY_MS for trade in found.run.trades] == [2]
    assert found.run.equity[0][0] == START + 2 * DAY_MS


def test_folds_in_cash_earn_nothing_and_holding_begins_with_the_first_choice() -> None:
    found = run([fold(2, None), fold(4, 0)], {"exit_funding_rate": 0})
    assert found is not None
    assert found.pnl == [Decimal(0), Decimal(50)]
    assert found.run.equity[0] == (START + 2 * DAY_MS, Decimal(10000))
    assert [(trade.opened_at_ms - START) // DAY_MS for trade in found.hold.trades] == [4]
    assert found.hold.metrics.net_pnl == Decimal(-400)


def test_folds_that_choose_nothing_have_no_run() -> None:
    assert run([fold(2, None), fold(4, None)]) is None


def test_the_figures_have_the_metrics_of_both_runs_and_the_profit_of_each_fold() -> None:
    found = run([fold(2, 0), fold(4, 0)], {})
    assert found is not None
    figures = found.figures
    assert figures.net_pnl == ["250", "-350"]
    assert figures.metrics["net_pnl"] == figures.hold["net_pnl"] == "-100"
