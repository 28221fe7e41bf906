"""The commands `sweep ...`: submit, follow, rank, cancel and resume over HTTP."""

import json
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli.client import ApiClient
from api.cli.runs import read_text
from api.cli.trial_table import print_trials
from api.dashboard.catalogue import METRIC_LABELS, TABLE_COLUMNS, MetricLabel, labels
from api.dashboard.formats import shown
from api.dashboard.presenters import text_of
from api.settings import Settings

_POLL_S = 0.25
_STOPPED = frozenset({"completed", "failed", "cancelled", "paused"})


def submit(
    path: Path, *, wait: bool, as_json: bool, labels: Mapping[str, object] = MappingProxyType({})
) -> None:
    """Submit the sweep in a file; with `wait`, follow it to its end and print its best trials."""
    labels = {name: value for name, value in labels.items() if value}
    with ApiClient(Settings()) as api:
        sweep = api.submit(read_text(path).encode())
        if labels:
            sweep = api.update(sweep["id"], labels)
        if not as_json:
            print(f"sweep {sweep['id']}: {sweep['trials_total']:,} trials; {api.dashboard(sweep['id'])}")
        if wait:
            sweep = follow(api, sweep["id"], Console(stderr=True, highlight=False))
        if as_json:
            print(json.dumps(sweep))
        elif wait:
            print_top(api, sweep["id"], None, 10)


def show(sweep_id: int, *, as_json: bool) -> None:
    """Print how far a sweep is."""
    with ApiClient(Settings()) as api:
        sweep = api.sweep(sweep_id)
        if as_json:
            print(json.dumps(sweep))
        else:
            print_sweep(api, sweep)


def top(sweep_id: int, sort: str | None, limit: int, *, as_json: bool) -> None:
    """Print the best trials."""
    with ApiClient(Settings()) as api:
        if as_json:
            print(json.dumps(api.trials(sweep_id, sort=sort, limit=limit)))
        else:
            print_top(api, sweep_id, sort, limit)


def change(sweep_id: int, action: str, *, as_json: bool) -> None:
    """Cancel, pause, resume or retry a sweep."""
    with ApiClient(Settings()) as api:
        sweep = api.change(sweep_id, action)
        if as_json:
            print(json.dumps(sweep))
        else:
            print_sweep(api, sweep)


def follow(api: ApiClient, sweep_id: int, console: Console) -> dict[str, Any]:
    """Show the progress of a sweep until it ends or is paused, and return its document."""
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("trials", total=None, rate="")
        while True:
            sweep = api.sweep(sweep_id)
            rate = f"{sweep['rate']:,.0f} trials/s" if sweep["rate"] else ""
            progress.update(task, total=sweep["trials_total"], completed=sweep["trials_done"], rate=rate)
            if sweep["state"] in _STOPPED:
                return sweep
            time.sleep(_POLL_S)


def print_top(api: ApiClient, sweep_id: int, sort: str | None, limit: int) -> None:
    """Print the first trials of a sweep as a table."""
    trials = api.trials(sweep_id, sort=sort, limit=limit)
    if not trials:
        print("no trial has finished yet")
        return
    names = list(trials[0]["params"])
    columns = labels(TABLE_COLUMNS)
    rows = [
        [
            str(trial["number"]),
            *(text_of(trial["params"][name]) for name in names),
            *(_metric(trial["metrics"], column) for column in columns),
        ]
        for trial in trials
    ]
    headings = ["trial", *names, *(column.label for column in columns)]
    print_trials(f"Best trials of sweep {sweep_id}", headings, rows)


def print_sweep(api: ApiClient, sweep: dict[str, Any]) -> None:
    """Print how far a sweep is, its best trial, and where its page is."""
    reason = f": {sweep['reason']}" if sweep["reason"] else ""
    print(f"sweep {sweep['id']}  {sweep['name']}\nstate   {sweep['state']}{reason}")
    done, total, failed = (sweep[f"trials_{what}"] for what in ("done", "total", "failed"))
    reused = f", {sweep['trials_reused']:,} taken over" if sweep["trials_reused"] else ""
    print(f"trials  {done:,} of {total:,} done, {failed:,} failed{reused}")
    if sweep["tags"]:
        print(f"tags    {', '.join(sweep['tags'])}")
    if sweep["note"]:
        print(f"note    {' '.join(sweep['note'].split())}")
    best = sweep["best_trial"]
    if best is not None:
        objective = METRIC_LABELS[sweep["spec"]["objective"]["metric"]]
        print(f"best    trial {best['number']}, {objective.label} {_metric(best['metrics'], objective)}")
    print(f"page    {api.dashboard(sweep['id'])}")


def _metric(metrics: dict[str, Any] | None, label: MetricLabel) -> str:
    value = None if metrics is None else metrics[label.name]
    return shown(Decimal(value) if isinstance(value, str) else value, label.kind)
