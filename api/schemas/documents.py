"""JSON documents of the API from the service's views, by the fields that `answers` declares."""

from math import isnan
from typing import Any

import numpy as np

from api.schemas.answers import CandidateDocument, JobDocument, ListedSweep, SweepDocument, TrialDocument
from api.schemas.fields import document_of
from bot.config.run_config import RunConfig
from bot.errors import InvalidInputError
from bot.numbers.arrays import FloatArray
from bot.statistics.metrics import units_texts
from sweeps.analysis.grouping import Summaries, Summary
from sweeps.analysis.maps.heatmap import Heatmap, Panels
from sweeps.analysis.maps.slices import Slice, Slices
from sweeps.analysis.matrix_axes import MatrixAxis
from sweeps.analysis.overview import Overview, Points
from sweeps.analysis.progress import SweepView
from sweeps.analysis.queries import TrialView
from sweeps.analysis.robustness import Setting
from sweeps.jobs.jobs import JobView
from sweeps.spec.metrics import CARRY
from sweeps.spec.spec import SweepSpec
from sweeps.storage.candidates import CandidateFigures


def sweep_document(sweep: SweepView) -> dict[str, Any]:
    """Return a sweep with its spec, progress and best trial."""
    return document_of(SweepDocument, sweep)


def listed_sweep(sweep: SweepView, candidate: CandidateFigures | None) -> dict[str, Any]:
    """Return a sweep as a row of a list, with the figures of its candidate if it has one."""
    figures = None if candidate is None else document_of(CandidateDocument, candidate)
    return document_of(ListedSweep, sweep) | {"candidate": figures}


def progress_document(sweep: SweepView) -> dict[str, Any]:
    """Return the fields of a sweep that change while it runs."""
    document = sweep_document(sweep)
    del document["spec"]
    return document


def trial_document(trial: TrialView) -> dict[str, Any]:
    """Return a trial as a row of a list."""
    return document_of(TrialDocument, trial)


def trial_detail(trial: TrialView, spec: SweepSpec, blocked: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Return a trial with every parameter of its run, null where they contradict each other.

    `hold_baseline` is what holding would have earned instead, in the form of a result document.
    """
    config = trial_config(spec, trial.number)
    return trial_document(trial) | {
        "config": None if config is None else config.document(),
        "hold_baseline": _hold_baseline(trial.metrics or {}),
        "blocked_entries": blocked,
    }


def _hold_baseline(metrics: dict[str, Any]) -> dict[str, Any] | None:
    if metrics.get("hold_net_pnl") is None:
        return None
    return {**{name: metrics[name] for name in CARRY}, "metrics": {"net_pnl": metrics["hold_net_pnl"]}}


def trial_config(spec: SweepSpec, number: int) -> RunConfig | None:
    """Return all parameters of a trial, None where they contradict each other."""
    try:
        return spec.config(number)
    except InvalidInputError:
        return None


def heatmap_document(found: Heatmap, chances: FloatArray | None = None) -> dict[str, Any]:
    """Return the matrix with its axes, values, trials and counts side by side, and chances of luck if any."""
    document = {
        "x": matrix_axis(found.x),
        "y": matrix_axis(found.y),
        "metric": found.metric,
        "agg": found.aggregate,
        "scenarios": found.scenarios.model_dump(mode="json"),
        "best": found.best,
        "plateau": found.plateau,
        "cells": found.rows(matrix_values(found.cells)),
        "trials": found.rows(found.cells.numbers.tolist()),
        "counts": found.rows(found.cells.counts.tolist(), 0),
        "eligible": found.rows(found.eligible.tolist(), False),
        "states": found.table(found.states),
    }
    if chances is not None:
        document["p_luck"] = found.rows([None if isnan(one) else one for one in chances.round(4).tolist()])
    return document


def matrix_values(cells: Summaries) -> list[Any]:
    """Return the value of each cell, an exact amount as text."""
    return units_texts(cells.values.astype(np.int64)) if cells.is_money else cells.values.tolist()


def panels_document(found: Panels) -> dict[str, Any]:
    """Return the heatmaps with the value of the third axis that each belongs to."""
    maps = [heatmap_document(one) for one in found.heatmaps]
    return {"name": found.z, "values": found.labels, "omitted": found.omitted, "heatmaps": maps}


def slices_document(found: Slices) -> dict[str, Any]:
    """Return the slices; amounts are rounded to numbers here."""
    return {"metric": found.metric, "slices": [_slice(one) for one in found.slices]}


def _slice(found: Slice) -> dict[str, Any]:
    levels = [[None if isnan(level) else level for level in row] for row in found.levels.tolist()]
    return {
        "axis": matrix_axis(found.axis),
        "counts": found.counts.tolist(),
        "levels": [None if None in row else row for row in levels],
        "best": [None if number < 0 else number for number in found.best.tolist()],
    }


def overview_document(found: Overview) -> dict[str, Any]:
    """Return the charts of a sweep besides its heatmap; amounts are rounded to numbers here."""
    return {
        "metric": found.metric,
        "risk": found.risk,
        "gain": found.gain,
        "finished": found.finished,
        "selected": found.selected,
        "complete": found.complete,
        "points": _points(found.points),
        "front": _points(found.front),
        "distribution": {
            "edges": found.distribution.edges,
            "every": found.distribution.every,
            "counts": found.distribution.counts,
            "quantiles": found.distribution.quantiles,
            "undefined": found.distribution.undefined,
        },
        "importance": found.importance
        and [{"axis": one.name, "share": one.share, "groups": one.groups} for one in found.importance],
        "maximize": found.maximize,
    }


def _points(points: Points) -> dict[str, Any]:
    return {
        "trials": points.numbers.tolist(),
        "axes": {name: ranks.tolist() for name, ranks in points.ranks.items()},
        "metrics": {name: column.tolist() for name, column in points.metrics.items()},
    }


def matrix_axis(axis: MatrixAxis) -> dict[str, Any]:
    """Return one side of a matrix; `until` is null where no neighbours are merged."""
    until = None if axis.merged == 1 else axis.until
    return {"name": axis.name, "values": axis.labels, "until": until}


def setting_document(setting: Setting) -> dict[str, Any]:
    """Return a setting with its summaries, each with the trial that shows it."""
    return {
        "params": setting.params,
        "trials": setting.trials,
        "eligible": setting.eligible,
        "profitable": setting.profitable,
        "profitable_share": setting.profitable_share,
        **{name: _summary(getattr(setting, name)) for name in ("best", "mean", "median", "worst")},
    }


def job_document(job: JobView) -> dict[str, Any]:
    """Return a job with its result, or why there is none."""
    return document_of(JobDocument, job)


def _summary(summary: Summary) -> dict[str, Any]:
    return {"value": summary.value, "trial": summary.number}
