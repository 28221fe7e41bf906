"""Trials replayed together compared with each alone."""

from dataclasses import replace
from typing import Any

from bot.backtest import Baselines, ReplayWindow, RunResult, explain, replay
from bot.backtest.batch import BatchReplayer, RunRecord
from bot.config.run_config import RunConfig
from bot.statistics.trial_metrics import TrialSummary


def assert_together_as_alone(trials: list[RunConfig], shown: ReplayWindow) -> None:
    """Fail unless the batch replays `trials` to the bits of a plain replay, the whole documents included."""
    baselines = Baselines(shown)
    replayer = BatchReplayer(shown, baselines)
    results = [replay(trial, shown) for trial in trials]
    alone = [_summary(result, shown, baselines) for result in results]
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


def _summary(result: RunResult, shown: ReplayWindow, baselines: Baselines) -> TrialSummary:
    explanation = explain(result, shown, baselines)
    return TrialSummary(result.metrics, explanation.baseline.metrics, explanation.carry, result.ledger)
