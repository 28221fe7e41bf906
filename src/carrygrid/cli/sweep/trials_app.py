"""The commands `carrygrid sweep ...` about the trials of a sweep, and what their help says."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from carrygrid.cli.files import STANDARD
from carrygrid.cli.options import Json
from carrygrid.cli.sweep.options import Note, SweepId

Trial = Annotated[int, typer.Argument(min=0, metavar="TRIAL", help="The trial's number.")]
Settings = Annotated[
    Path | None,
    typer.Option("--with", help="A JSON object of settings that differ, such as min_trades or walk_forward."),
]
Panel = Annotated[int | None, typer.Option(min=0, help="Another window than that of the best trial.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        help="The file to write; standard output if left out, or for -.",
        callback=lambda path: None if path is None or str(path) == STANDARD else path,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]
Format = Literal["csv", "jsonl", "parquet"]

trials = typer.Typer()


@trials.command("top", epilog="Example: `carrygrid sweep top 3 --sort=-net_pnl --limit 20`")
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
    distinct: Annotated[bool, typer.Option("--distinct", help="Equal results as one row.")] = False,
    as_json: Json = False,
) -> None:
    """Print the best trials of a sweep, and why others failed."""
    from carrygrid.cli.sweep.follow import top

    top(sweep_id, sort, limit, distinct=distinct, as_json=as_json)


@trials.command("marks", epilog="Example: `carrygrid sweep marks 3`")
def show_marks(sweep_id: SweepId, as_json: Json = False) -> None:
    """List the names, notes and pins of a sweep's trials."""
    from carrygrid.cli.sweep.mark import print_marks

    print_marks(sweep_id, as_json=as_json)


@trials.command("mark", epilog="Example: `carrygrid sweep mark 3 17 --name 'low turnover' --pin`")
def mark_trial(
    sweep_id: SweepId,
    trial: Trial,
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


@trials.command("trial", epilog="Example: `carrygrid sweep trial 3 17`")
def show_trial(
    sweep_id: SweepId,
    trial: Trial,
    as_json: Json = False,
) -> None:
    """Print the evidence on one trial: bands around its equity, random entries, regimes, years.

    Bands: its days resampled in blocks. Random entries: its round trips at random settlements.
    Regimes: its days by the mean funding rate of the 30 days before.
    """
    from carrygrid.cli.sweep.evidence import print_evidence

    print_evidence(sweep_id, trial, as_json=as_json)


@trials.command("verdict", epilog="Example: `carrygrid sweep verdict 3`")
def verdict_on_sweep(sweep_id: SweepId, as_json: Json = False) -> None:
    """Print the candidate of a sweep, beside holding, and what speaks against it.

    The candidate is the centre of the largest plateau over all axes, never the highest peak.
    """
    from carrygrid.cli.sweep.verdict import print_verdict

    print_verdict(sweep_id, as_json=as_json)


@trials.command("judge", epilog="Example: `carrygrid sweep judge 3 --with changes.json`")
def judge_sweep(
    sweep_id: SweepId,
    settings: Settings = None,
    panel: Panel = None,
    as_json: Json = False,
) -> None:
    """Print the chance that the best trial of a sweep is luck, or its lead over holding.

    A completed sweep has its report already; with other settings its trials are replayed.
    """
    from carrygrid.cli.sweep.selection import judge

    judge(sweep_id, settings, panel, as_json=as_json)


@trials.command("walk-forward", epilog="Example: `carrygrid sweep walk-forward 3 --with changes.json`")
def walk_forward_sweep(
    sweep_id: SweepId,
    settings: Settings = None,
    panel: Panel = None,
    as_json: Json = False,
) -> None:
    """Print a walk-forward: the best trial by each date, and the result of trading it on the days after.

    All test days are one run, whose parameters change at the seams: positions stay open, and its P&L is that
    of a bot that was restarted with the parameters of each fold.
    """
    from carrygrid.cli.sweep.selection import walk_forward

    walk_forward(sweep_id, settings, panel, as_json=as_json)


@trials.command("promote", epilog="Example: `carrygrid sweep promote 3 17 --output btc.json`")
def promote_trial(
    sweep_id: SweepId,
    trial: Trial,
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


@trials.command(
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


@trials.command("verify", epilog="Example: `carrygrid sweep verify 3 --sample 500`")
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
