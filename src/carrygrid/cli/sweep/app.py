"""The commands `carrygrid sweep ...` and what their help says."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from carrygrid.cli.options import Json, Yes

SweepId = Annotated[int, typer.Argument(min=1, metavar="ID", help="The sweep's number.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A word to find it by; repeat for more.")]
Output = Annotated[
    Path | None, typer.Option("--output", help="The file to write; standard output if left out.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]
Format = Literal["csv", "jsonl", "parquet"]
Note = Annotated[str | None, typer.Option("--note", help="A remark to keep with it.")]

sweep = typer.Typer(
    no_args_is_help=True,
    help="Submit and follow parameter sweeps (API at CARRYGRID_API_URL, http://127.0.0.1:8000).",
)


@sweep.command("submit", epilog="Example: `carrygrid sweep submit spec.json --wait`")
def submit_sweep(
    spec: Annotated[Path, typer.Argument(help="A JSON object: name, base, grid, constraints, objective.")],
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow it to its end and print its best trials.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Submit nothing; print size, what is left out, time and space.")
    ] = False,
    key: Annotated[
        str | None,
        typer.Option("--key", help="Idempotency key: repeated, it returns the same sweep."),
    ] = None,
    tags: Tags = None,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """Submit the sweep in a file.

    With --wait the status is 0 if the sweep completed, also where some of its trials failed (it says why),
    and 1 if every trial failed or the sweep was cancelled.
    """
    from carrygrid.cli.sweep.control import print_plan
    from carrygrid.cli.sweep.follow import SubmitOptions, submit

    if dry_run:
        print_plan(spec, as_json=as_json)
    else:
        _leave(submit(spec, SubmitOptions(key, tags, note), wait=wait, as_json=as_json))


@sweep.command("list", epilog="Example: `carrygrid sweep list --state running --tag btc`")
def list_sweeps(
    state: Annotated[str | None, typer.Option(help="Only those in one state, such as running.")] = None,
    outcome: Annotated[
        str | None,
        typer.Option(help="Only those with one outcome, such as completed_with_failures or failed."),
    ] = None,
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            help="newest, oldest, name; or, by each sweep's candidate, annualized_return, net_pnl_over_hold."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """List sweeps, newest first unless sorted otherwise."""
    from carrygrid.cli.sweep.control import ListFilter, print_sweeps

    print_sweeps(limit, ListFilter(state, outcome, tag, sort), as_json=as_json)


@sweep.command("show", epilog="Example: `carrygrid sweep show 3`, `carrygrid sweep show 3 --wait`")
def show_sweep(
    sweep_id: SweepId,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end first.")] = False,
    as_json: Json = False,
) -> None:
    """Print how far a sweep is, and why trials failed.

    With --wait the status is 0 if it completed, also where some of its trials failed, and 1 if every trial
    failed or it was cancelled.
    """
    from carrygrid.cli.sweep.follow import show

    _leave(show(sweep_id, wait=wait, as_json=as_json))


@sweep.command("top", epilog="Example: `carrygrid sweep top 3 --sort=-net_pnl --limit 20`")
def top_trials(
    sweep_id: SweepId,
    sort: Annotated[
        str | None,
        typer.Option(
            help="Metric or parameter; a leading - sorts descending; of several, by comma, later ones break "
            "ties. Default: the objective."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 10,
    distinct: Annotated[
        bool, typer.Option("--distinct", help="Show trials with equal results once.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the best trials of a sweep, and why others failed."""
    from carrygrid.cli.sweep.follow import top

    top(sweep_id, sort, limit, distinct=distinct, as_json=as_json)


@sweep.command("marks", epilog="Example: `carrygrid sweep marks 3`")
def show_marks(sweep_id: SweepId, as_json: Json = False) -> None:
    """List the names, notes and pins of a sweep's trials."""
    from carrygrid.cli.sweep.mark import print_marks

    print_marks(sweep_id, as_json=as_json)


@sweep.command("mark", epilog="Example: `carrygrid sweep mark 3 17 --name 'low turnover' --pin`")
def mark_trial(
    sweep_id: SweepId,
    trial: Annotated[int, typer.Argument(min=0, metavar="TRIAL", help="The trial's number.")],
    name: Annotated[str | None, typer.Option("--name", help="A name; empty for none.")] = None,
    note: Note = None,
    pinned: Annotated[
        bool | None, typer.Option("--pin/--unpin", help="Among the five that the page's map numbers.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Name, annotate or pin a trial; options left out change nothing."""
    from carrygrid.cli.sweep.mark import mark

    mark(sweep_id, trial, name=name, note=note, pinned=pinned, as_json=as_json)


@sweep.command("trial", epilog="Example: `carrygrid sweep trial 3 17`")
def show_trial(
    sweep_id: SweepId,
    trial: Annotated[int, typer.Argument(min=0, metavar="TRIAL", help="The trial's number.")],
    as_json: Json = False,
) -> None:
    """Print the evidence on one trial: bands around its equity, random entries, regimes, years.

    Bands: its days resampled in blocks. Random entries: its round trips at random settlements.
    Regimes: its days by the mean funding rate of the 30 days before.
    """
    from carrygrid.cli.sweep.evidence import print_evidence

    print_evidence(sweep_id, trial, as_json=as_json)


@sweep.command("verdict", epilog="Example: `carrygrid sweep verdict 3`")
def verdict_on_sweep(sweep_id: SweepId, as_json: Json = False) -> None:
    """Print the candidate of a sweep, beside holding, and what speaks against it.

    The candidate is the centre of the largest plateau over all axes, never the highest peak.
    """
    from carrygrid.cli.sweep.verdict import print_verdict

    print_verdict(sweep_id, as_json=as_json)


@sweep.command("judge", epilog="Example: `carrygrid sweep judge 3 --with changes.json`")
def judge_sweep(
    sweep_id: SweepId,
    settings: Annotated[
        Path | None,
        typer.Option("--with", help="A JSON object of settings that differ, such as min_trades or blocks."),
    ] = None,
    panel: Annotated[
        int | None, typer.Option(min=0, help="Another window than that of the best trial.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the chance that the best trial of a sweep is luck, or its lead over holding.

    A completed sweep has its report already; with other settings its trials are replayed.
    """
    from carrygrid.cli.sweep.selection import judge

    judge(sweep_id, settings, panel, as_json=as_json)


@sweep.command("walk-forward", epilog="Example: `carrygrid sweep walk-forward 3 --with changes.json`")
def walk_forward_sweep(
    sweep_id: SweepId,
    settings: Annotated[
        Path | None,
        typer.Option(
            "--with", help="A JSON object of settings that differ, such as walk_forward or min_trades."
        ),
    ] = None,
    panel: Annotated[
        int | None, typer.Option(min=0, help="Another window than that of the best trial.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a walk-forward: the best trial by each date, and the result of trading it on the days after.

    All test days are one run, whose parameters change at the seams: positions stay open, and its P&L is that
    of a bot that was restarted with the parameters of each fold.
    """
    from carrygrid.cli.sweep.selection import walk_forward

    walk_forward(sweep_id, settings, panel, as_json=as_json)


@sweep.command("cancel", epilog="Example: `carrygrid sweep cancel 3`")
def cancel_sweep(sweep_id: SweepId, as_json: Json = False) -> None:
    """Cancel a sweep, keeping its finished trials."""
    from carrygrid import Sweep
    from carrygrid.cli.sweep.follow import change

    change(sweep_id, Sweep.cancel, as_json=as_json)


@sweep.command("resume", epilog="Example: `carrygrid sweep resume 3`")
def resume_sweep(sweep_id: SweepId, as_json: Json = False) -> None:
    """Run the remaining trials of a sweep, and the failed ones again."""
    from carrygrid import Sweep
    from carrygrid.cli.sweep.follow import change

    change(sweep_id, Sweep.resume, as_json=as_json)


@sweep.command("pause", epilog="Example: `carrygrid sweep pause 3`; `carrygrid sweep resume 3` goes on.")
def pause_sweep(sweep_id: SweepId, as_json: Json = False) -> None:
    """Start no more trials until the sweep is resumed."""
    from carrygrid import Sweep
    from carrygrid.cli.sweep.follow import change

    change(sweep_id, Sweep.pause, as_json=as_json)


@sweep.command("retry", epilog="Example: `carrygrid sweep retry 3`")
def retry_sweep(sweep_id: SweepId, as_json: Json = False) -> None:
    """Run the failed trials again, and nothing else."""
    from carrygrid.cli.sweep.control import retry

    retry(sweep_id, as_json=as_json)


@sweep.command("delete", epilog="Example: `carrygrid sweep delete 3`")
def delete_sweep(sweep_id: SweepId, yes: Yes = False, as_json: Json = False) -> None:
    """Remove a sweep with all its trials: names it, and asks."""
    from carrygrid.cli.sweep.control import delete

    delete(sweep_id, yes=yes, as_json=as_json)


@sweep.command("extend", epilog="Example: `carrygrid sweep extend 3 --add perp_leverage=4,5 --to 2024-06-01`")
def extend_sweep(
    sweep_id: SweepId,
    add: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="NAME=VALUE,...", help="More values; repeat for other parameters."),
    ] = None,
    to: Annotated[str | None, typer.Option(help="A later end, in addition to the present ones.")] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Total number of trials of a sampled sweep, more than now.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Extend a sweep: trials keep their numbers and results, only new ones run."""
    from carrygrid.cli.sweep.control import extend

    extend(sweep_id, add or [], to, samples, as_json=as_json)


@sweep.command("clone", epilog="Example: `carrygrid sweep clone 3 changes.json`")
def clone_sweep(
    sweep_id: SweepId,
    changes: Annotated[
        Path | None,
        typer.Argument(help="A JSON object of what differs; base and grid name by name."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Submit a copy of a sweep, on the data as they are now; results of identical runs are reused."""
    from carrygrid.cli.sweep.control import clone

    clone(sweep_id, changes, as_json=as_json)


@sweep.command("rename", epilog="Example: `carrygrid sweep rename 3 'BTC thresholds, five years'`")
def rename_sweep(
    sweep_id: SweepId,
    name: Annotated[str, typer.Argument(help="Its new name.")],
    as_json: Json = False,
) -> None:
    """Give a sweep another name; its spec keeps the one that it was submitted under."""
    from carrygrid.cli.sweep.follow import change

    change(sweep_id, lambda sweep: sweep.label(name=name), as_json=as_json)


@sweep.command("tag", epilog="Example: `carrygrid sweep tag 3 --tag btc --tag draft --note 'look again'`")
def tag_sweep(sweep_id: SweepId, tags: Tags = None, note: Note = None, as_json: Json = False) -> None:
    """Replace a sweep's tags, its note, or both."""
    from carrygrid.cli.sweep.control import label

    label(sweep_id, tags, note, as_json=as_json)


@sweep.command("notify", epilog="Example: `carrygrid sweep notify 3`, `carrygrid sweep notify 3 --again`")
def notify_sweep(
    sweep_id: SweepId,
    again: Annotated[bool, typer.Option("--again", help="Send it once more.")] = False,
    as_json: Json = False,
) -> None:
    """Print whether the notification of a sweep's end was delivered to its `notify_url`, and why not.

    Messages are signed; `carrygrid webhook-secret` prints the secret that verifies them.
    """
    from carrygrid.cli.sweep.control import print_notification

    print_notification(sweep_id, again=again, as_json=as_json)


@sweep.command("promote", epilog="Example: `carrygrid sweep promote 3 17 --output btc.json`")
def promote_trial(
    sweep_id: SweepId,
    trial: Annotated[int, typer.Argument(min=0, metavar="TRIAL", help="The trial's number.")],
    output: Output = None,
    override: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Promote a trial that is not validated; the file says why."),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write a trial's parameters as the configuration that `paper` and `backtest` take.

    All of them, exactly as they ran, with the evidence for it; `paper` ignores the window. While the
    exchange is sealed, a trial needs enough trades and settlements, and a look at the holdout (`seal look`)
    that is consistent and in profit. Everything else that speaks against it is a warning.
    """
    from carrygrid.cli.sweep.promote import promote

    promote(sweep_id, trial, output, override, force=force, as_json=as_json)


@sweep.command(
    "export", epilog="Example: `carrygrid sweep export 3 --output trials.parquet`; without it to a pipe."
)
def export_trials(
    sweep_id: SweepId,
    file_format: Annotated[
        Format | None,
        typer.Option(
            "--format", help="By default what the name of the file ends in; csv on standard output."
        ),
    ] = None,
    output: Output = None,
    force: Force = False,
    view: Annotated[
        str | None,
        typer.Option(
            help="Only what a page shows, as CSV: the address of its link “CSV of this view”, or what "
            "follows the question mark, such as sort=-sharpe,total_fees&perp_leverage=1..3&columns=sharpe."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write all finished trials of a sweep; beside a file its manifest: spec, data, versions, columns."""
    from carrygrid.cli.sweep.export import export, export_view

    if view is None:
        export(sweep_id, output, file_format, force=force, as_json=as_json)
    else:
        export_view(sweep_id, output, view, force=force)


@sweep.command("verify", epilog="Example: `carrygrid sweep verify 3 --sample 500`")
def verify_sweep(
    sweep_id: SweepId,
    sample: Annotated[
        int | None, typer.Option(min=1, help="How many finished trials to draw; 100 if left out.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Replay every finished trial.")] = False,
    as_json: Json = False,
) -> None:
    """Replay stored trials one by one, and compare every number, curve and run key with what is stored.

    Reads the database that CARRYGRID_DATABASE_URL names (the one of this machine if unset), not the API. Ends
    with status 1 if anything differs.
    """
    from carrygrid.cli.verify import verify_sweep

    if not verify_sweep(sweep_id, sample, every=every, as_json=as_json):
        raise typer.Exit(1)


def _leave(completed: bool) -> None:
    """Leave with a status that says so where a sweep that was waited for did not complete."""
    if not completed:
        raise typer.Exit(1)
