"""Trials replayed together compared with each alone, and sweeps over recorded markets to do it with."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from builders import market_data, run_config
from recorded import recorded_market

from bot.backtest import Baselines, ReplayWindow, RunResult, explain, replay
from bot.backtest.batch import BatchReplayer, RunRecord
from bot.config.run_config import RunConfig
from bot.models import DAY_MS
from bot.statistics.trial_metrics import TrialSummary
from bot.timestamps import parse_time_ms

_WARM_UP_MS = 20 * DAY_MS


def assert_together_as_alone(trials: list[RunConfig], shown: ReplayWindow) -> None:
    """Fail unless the batch replays `trials` to the bits of a plain replay, the whole documents included."""
    baselines = Baselines(shown)
    replayer = BatchReplayer(shown, baselines)
    results = [replay(trial, shown) for trial in trials]
    alone = [summary_of(result, shown, baselines) for result in results]
    assert replayer.summaries(trials) == alone
    assert replayer.summaries(trials[::-1]) == alone[::-1]
    run_records = replayer.run_records(trials)
    documents = [
        _document(*one) for one in zip(results, replayer.summaries(trials), run_records, strict=True)
    ]
    assert documents == [result.document() for result in results]
    assert [record.trades for record in run_records] == [result.trades for result in results]


def _document(alone: RunResult, together: TrialSummary, record: RunRecord) -> dict[str, Any]:
    """Return the result document of a run, with nothing in it that its plain replay worked out."""
    return replace(alone, metrics=together.metrics, trades=record.trades, curve=record.curve).document()


def summary_of(result: RunResult, shown: ReplayWindow, baselines: Baselines) -> TrialSummary:
    """Return the summary of a plain replay."""
    explanation = explain(result, shown, baselines)
    return TrialSummary(result.metrics, explanation.baseline.metrics, explanation.carry, result.ledger)


def recorded_sweep(
    real_data: Path,
    stems: Iterable[str],
    enters: Iterable[int],
    leaves: Iterable[int],
    *,
    start: str,
    end: str,
    slipping: bool = False,
    **values: Any,
) -> tuple[list[RunConfig], ReplayWindow]:
    """Return trials over recorded pairs; thresholds, and slippage if it varies, follow two ranges."""
    symbols = {f"{stem[:-4]}/USDT:USDT": stem for stem in stems}
    from_ms = parse_time_ms(start) - _WARM_UP_MS
    market = recorded_market(real_data / "binance", symbols, from_ms=from_ms)
    account = {"symbols": list(symbols), "start": start, "end": end}
    base = run_config(**account, min_volume_24h=0, min_holding_periods=300, **values)
    shown = ReplayWindow.build(base, market_data(market, base.end))
    leaves = list(leaves)
    trials = [
        base.varied(
            {
                "min_funding_rate": Decimal(enter) / 50_000,
                "exit_funding_rate": Decimal(leave) / 100_000,
                "entry_threshold": Decimal(enter) / 40,
                "exit_threshold": Decimal(leave) / 60,
                **({"slippage_bps": Decimal(enter)} if slipping else {}),
            }
        )
        for enter in enters
        for leave in leaves
    ]
    return trials, shown
