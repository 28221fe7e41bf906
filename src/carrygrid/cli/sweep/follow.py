"""The commands `sweep ...`: submit, follow, rank, cancel and resume over HTTP."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from api.presentation.formats import shown
from api.presentation.metric_catalogue import METRIC_LABELS, TABLE_COLUMNS, MetricLabel, judged_labels, labels
from bot.notation import NOT_APPLICABLE, text_of
from bot.plurals import counted
from carrygrid import Progress, Sweep
from carrygrid.cli.client import found_sweep, service
from carrygrid.cli.findings import marks, print_sweep_findings
from carrygrid.cli.runs import read_body
from carrygrid.cli.sweep.failed_trials import print_failures, state_words
from carrygrid.cli.sweep.selection import print_sentence
from carrygrid.cli.sweep.trial_table import print_trials
from sweeps.spec.metrics import Direction
from sweeps.storage.states import SweepState


class SubmitOptions(NamedTuple):
    """Options of a submission besides the specification."""

    key: str | None
    tags: Sequence[str] | None
    note: str | None


def submit(path: Path, said: SubmitOptions, *, wait: bool, as_json: bool) -> bool:
    """Submit the sweep in a file; with `wait`, follow it to its end and print its best trials.

    Return False if it ended otherwise than completed.
    """
    with service() as client:
        sweep = client.submit(read_body(path), said.key)
        if said.tags or said.note:
            sweep.label(tags=said.tags or None, note=said.note or None)
        if not as_json:
            print(f"sweep {sweep.id}: {counted(sweep.document['trials_total'], 'trial')}; {sweep.page}")
        if wait:
            follow(sweep, Console(stderr=True, highlight=False))
        if as_json:
            print(json.dumps(sweep.document))
        elif wait:
            print_sweep_findings(sweep)
            print_sentence(sweep, wait=sweep.state == SweepState.COMPLETED)
            print_top(sweep, list(sweep.documents(limit=10)))
            print_failures(sweep)
        return not wait or sweep.state == SweepState.COMPLETED


def show(sweep_id: int, *, wait: bool, as_json: bool) -> bool:
    """Print how far a sweep is; with `wait`, follow it to its end first.

    Return False if it ended otherwise than completed.
    """
    with found_sweep(sweep_id) as sweep:
        if wait:
            follow(sweep, Console(stderr=True, highlight=False))
        tell(sweep, as_json=as_json)
        return not wait or sweep.state == SweepState.COMPLETED


def top(sweep_id: int, sort: str | None, limit: int, *, distinct: bool, as_json: bool) -> None:
    """Print the best trials."""
    with found_sweep(sweep_id) as sweep:
        trials = list(sweep.documents(sort=sort, limit=limit, distinct=distinct))
        if as_json:
            print(json.dumps(trials))
        else:
            print_sweep_findings(sweep)
            print_sentence(sweep)
            print_top(sweep, trials, distinct=distinct)
            print_failures(sweep)


def change(sweep_id: int, action: Callable[[Sweep], Sweep], *, as_json: bool) -> None:
    """Cancel, pause or resume a sweep, or change it otherwise."""
    with found_sweep(sweep_id) as sweep:
        tell(action(sweep), as_json=as_json)


def follow(sweep: Sweep, console: Console) -> None:
    """Show the progress of a sweep until it ends or is paused."""
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Bar(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task("trials", total=None, rate="")

        def draw(progress: Progress) -> None:
            rate = f"{progress.rate:,.0f} trials/s" if progress.rate else ""
            bar.update(task, total=progress.total, completed=progress.done, rate=rate)

        sweep.wait(progress=draw)


def print_top(sweep: Sweep, trials: Sequence[dict[str, Any]], *, distinct: bool = False) -> None:
    """Print trials of a sweep as a table."""
    if not trials:
        print("no trial has finished yet")
        return
    if not any(trial["metrics"] for trial in trials):
        print("no trial completed")
        return
    names = list(trials[0]["params"])
    columns = labels(TABLE_COLUMNS)
    objective = sweep.document["spec"]["objective"]
    judged = judged_labels(METRIC_LABELS[objective["metric"]], Direction(objective["direction"]))
    told = {
        "equal trials": [shown(trial["equal"], "count") if distinct else "" for trial in trials],
        "cannot win": [trial["ineligible"] or "" for trial in trials],
        "findings": [marks(trial) for trial in trials],
    }
    told = {heading: texts for heading, texts in told.items() if any(texts)}
    last = zip(*told.values(), strict=True) if told else [() for _ in trials]
    rows = [
        [
            str(trial["number"]),
            *(_parameter(trial["params"][name]) for name in names),
            *(_metric(trial["metrics"], column) for column in columns),
            *(_metric(trial, column) for column in judged.values()),
            *found,
        ]
        for trial, found in zip(trials, last, strict=True)
    ]
    headings = ["trial", *names, *(column.label for column in (*columns, *judged.values())), *told]
    print_trials(f"Best trials of sweep {sweep.id}", headings, rows)


def tell(found: Sweep, *, as_json: bool) -> None:
    """Print a sweep's document, or how far it is, its best trial, and where its page is."""
    sweep = found.document
    if as_json:
        print(json.dumps(sweep))
        return
    reason = f": {sweep['reason']}" if sweep["reason"] else ""
    print(f"sweep {sweep['id']}  {sweep['name']}\nstate   {state_words(sweep)}{reason}")
    done, total, failed = (sweep[f"trials_{what}"] for what in ("done", "total", "failed"))
    reused = f", {sweep['trials_reused']:,} taken over" if sweep["trials_reused"] else ""
    print(f"trials  {done:,} of {total:,} done, {failed:,} failed{reused}")
    print_failures(found)
    if sweep["data_change"]:
        print(f"data    {sweep['data_change']}")
    if sweep["tags"]:
        print(f"tags    {', '.join(sweep['tags'])}")
    if sweep["note"]:
        print(f"note    {' '.join(sweep['note'].split())}")
    best = sweep["best_trial"]
    if best is None and done > failed:
        print("best    none: no eligible trial has a value of the objective")
    if best is not None:
        objective = METRIC_LABELS[sweep["spec"]["objective"]["metric"]]
        print(f"best    trial {best['number']}, {objective.label} {_metric(best['metrics'], objective)}")
    print_sweep_findings(found)
    print(f"page    {found.page}")


def _metric(metrics: dict[str, Any] | None, label: MetricLabel) -> str:
    value = None if metrics is None else metrics[label.name]
    return shown(Decimal(value) if isinstance(value, str) else value, label.kind)


def _parameter(value: object) -> str:
    return NOT_APPLICABLE if value is None else text_of(value)
