"""From the service's views to the JSON of the API; `schemas` describes the same shapes."""

from typing import Any

from bot.config import RunConfig
from bot.errors import InvalidInputError
from bot.timestamps import iso
from sweeps.heatmap import Heatmap
from sweeps.progress import SweepView
from sweeps.queries import TrialView
from sweeps.spec import SweepSpec


def sweep_document(sweep: SweepView) -> dict[str, Any]:
    """Return a sweep with its spec, progress and best trial."""
    return {
        "id": sweep.id,
        "name": sweep.spec.name,
        "state": sweep.state,
        "trials_total": sweep.trials_total,
        "trials_done": sweep.trials_done,
        "trials_failed": sweep.trials_failed,
        "rate": sweep.rate,
        "eta": sweep.eta_s,
        "created_at": iso(sweep.created_ms),
        "started_at": _moment(sweep.started_ms),
        "finished_at": _moment(sweep.finished_ms),
        "engine_version": sweep.engine_version,
        "best_trial": _best(sweep),
        "spec": sweep.spec.document(),
    }


def progress_document(sweep: SweepView) -> dict[str, Any]:
    """Return what changes while a sweep runs."""
    document = sweep_document(sweep)
    del document["spec"]
    return document


def trial_document(trial: TrialView) -> dict[str, Any]:
    """Return a trial as a row of a list."""
    return {
        "number": trial.number,
        "params": trial.params,
        "state": trial.state,
        "metrics": trial.metrics,
        "error": trial.error,
        "run_key": trial.run_key,
    }


def trial_detail(trial: TrialView, spec: SweepSpec) -> dict[str, Any]:
    """Return a trial with every parameter of its run, null where they contradict each other."""
    config = trial_config(spec, trial.number)
    return trial_document(trial) | {"config": None if config is None else config.document()}


def trial_config(spec: SweepSpec, number: int) -> RunConfig | None:
    """Return all parameters of a trial, None where they contradict each other."""
    try:
        return spec.config(number)
    except InvalidInputError:
        return None


def heatmap_document(found: Heatmap) -> dict[str, Any]:
    """Return the matrix with its axes, values, trials and counts side by side."""
    return {
        "x": {"name": found.x, "values": found.x_labels},
        "y": {"name": found.y, "values": found.y_labels},
        "metric": found.metric,
        "agg": found.aggregate,
        "cells": [[cell and cell.value for cell in row] for row in found.cells],
        "trials": [[cell and cell.number for cell in row] for row in found.cells],
        "counts": [[cell.count if cell else 0 for cell in row] for row in found.cells],
    }


def _best(sweep: SweepView) -> dict[str, Any] | None:
    best = sweep.best
    return None if best is None else {"number": best.number, "params": best.params, "metrics": best.metrics}


def _moment(time_ms: int | None) -> str | None:
    return None if time_ms is None else iso(time_ms)
