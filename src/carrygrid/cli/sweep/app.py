"""The commands `carrygrid sweep ...` that submit, follow and change sweeps, and what their help says."""

from pathlib import Path
from typing import Annotated

import typer

from carrygrid.cli.options import Json, Yes
from carrygrid.cli.sweep.options import Note, SweepId
from carrygrid.cli.sweep.trials_app import trials

Tags = Annotated[list[str] | None, typer.Option("--tag", help="A word to find it by; repeat for more.")]

sweep = typer.Typer(
    no_args_is_help=True,
    help="Submit and follow parameter sweeps (API at CARRYGRID_API_URL, http://127.0.0.1:8000).",
)
sweep.add_typer(trials)


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


def _leave(completed: bool) -> None:
    """Leave with a status that says so where a sweep that was waited for did not complete."""
    if not completed:
        raise typer.Exit(1)
