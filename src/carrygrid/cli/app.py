"""The commands of `carrygrid` and what their help says; each imports what it needs when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from carrygrid.cli.data.app import data
from carrygrid.cli.failures import Options
from carrygrid.cli.options import Json
from carrygrid.cli.promotion.app import promotion
from carrygrid.cli.seal.app import seal
from carrygrid.cli.share.app import share
from carrygrid.cli.sweep.app import sweep
from carrygrid.cli.token.app import token

_CONFIG_HELP = (
    "A JSON object: exchange, symbols, start, end, and any parameter that `carrygrid strategies` and the "
    "`config` of `backtest --json` list."
)
Config = Annotated[Path, typer.Argument(help=_CONFIG_HELP)]

app = typer.Typer(
    name="carrygrid",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with `carrygrid demo`. Exit status: 0 done, 2 bad input, 130 Ctrl-C, 1 anything else.",
)
app.add_typer(data, name="data")
sweep.add_typer(share, name="share")
app.add_typer(sweep, name="sweep")
app.add_typer(seal, name="seal")
app.add_typer(promotion, name="promotion")
app.add_typer(token, name="token")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from bot import ENGINE_VERSION
        from bot.kernel.loading import replay_path

        print(f"carrygrid {version('carrygrid')}, engine {ENGINE_VERSION}, {replay_path()}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an unexpected error arose.")] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the versions of the package and of the engine whose results it stores.",
        ),
    ] = False,
) -> None:
    """Carrygrid: sweep the parameters of a funding-rate carry over recorded markets."""
    context.ensure_object(Options).debug = debug


@app.command(epilog="Example: `carrygrid looks --exchange binance`")
def looks(
    exchange: Annotated[str | None, typer.Option(help="Only runs on one data set.")] = None,
    as_json: Json = False,
) -> None:
    """List every run whose result could be seen, by market and days; those of deleted sweeps too.

    The more runs on the same days, the likelier it is that the best of them is luck.
    """
    from carrygrid.cli.seal.seals import print_looks

    print_looks(exchange, as_json=as_json)


@app.command("webhook-secret", epilog="Example: `carrygrid webhook-secret`")
def webhook_secret(
    new: Annotated[
        bool, typer.Option("--new", help="Replace the secret first; the old one signs no more.")
    ] = False,
) -> None:
    """Print the secret that notifications of ended sweeps are signed with (Standard Webhooks).

    A sweep submitted with `notify_url` posts to that address when it has ended.
    """
    from carrygrid.cli.token.tokens import print_webhook_secret

    print_webhook_secret(new=new)


@app.command(epilog="Example: `carrygrid up --port 8080 --workers 4`, then open the address it prints.")
def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the API and the dashboard.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's need a token.")
    ] = "127.0.0.1",
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Worker processes; one per processor if left out.")
    ] = None,
) -> None:
    """Start everything on this machine and serve until Ctrl-C: broker, database, workers, API, Flower.

    Uses the servers named in CARRYGRID_DATABASE_URL and CARRYGRID_BROKER_URL if there are any, its own
    private ones if not. Keeps its files in CARRYGRID_HOME (./var). With CARRYGRID_API_TOKEN set the dashboard
    asks for that token, and Flower for the user carrygrid with it as the password.
    """
    from carrygrid.cli.serving import serve

    serve(port, workers, host)


@app.command(epilog="Example: `carrygrid demo --data recorded/binance`, then open the address it prints.")
def demo(
    data_path: Annotated[
        Path | None, typer.Option("--data", help="Recorded data; generated markets if left out.")
    ] = None,
    leave: Annotated[bool, typer.Option("--exit", help="Stop at the end instead of serving on.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the API and the dashboard.")] = 8000,
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Worker processes; one per processor if left out.")
    ] = None,
) -> None:
    """Run an example end to end: load data, start the service, sweep, and print the best trials.

    Then serves the dashboard until Ctrl-C. A second run keeps the data and adds a sweep.
    """
    from carrygrid.cli.demo import run_demo

    run_demo(data_path, port=port, workers=workers, leave=leave)


@app.command(epilog="Example: `CARRYGRID_BROKER_URL=redis://queue:6379/0 carrygrid dispatch`")
def dispatch() -> None:
    """Run the dispatcher alone: it publishes open chunks to the workers, and those again that they lost."""
    from carrygrid.cli.serving import become_dispatcher

    become_dispatcher()


@app.command(epilog="Example: `CARRYGRID_DATABASE_URL=postgresql://db/carrygrid carrygrid migrate`")
def migrate() -> None:
    """Create the database's tables, or migrate them to this version; `up` does so at its start."""
    from carrygrid.cli.serving import migrate_database

    migrate_database()


@app.command(epilog="Example: `carrygrid backtest btc.json --json | jq .metrics`")
def backtest(
    config: Config,
    as_json: Json = False,
) -> None:
    """Replay one run over stored history and print its result."""
    from carrygrid.cli.runs import print_run

    print_run(config, as_json=as_json)


@app.command(epilog="Example: `carrygrid compare btc.json`")
def compare(
    config: Config,
    as_json: Json = False,
) -> None:
    """Run the built-in strategies, and installed ones that opt in, over the same window side by side."""
    from carrygrid.cli.analysis import print_comparison

    print_comparison(config, as_json=as_json)


@app.command(epilog="Example: `carrygrid probe btc.json --cuts 20`")
def probe(
    config: Config,
    cuts: Annotated[int, typer.Option(min=1, max=1000, help="Moments to corrupt all later data at.")] = 8,
    seed: Annotated[int, typer.Option(help="Chooses the moments and the corruption.")] = 0,
    as_json: Json = False,
) -> None:
    """Search a run for look-ahead: corrupt all data after a moment, and compare everything up to it.

    Exit status 1 if anything changed.
    """
    from carrygrid.cli.analysis import print_probe

    raise typer.Exit(print_probe(config, cuts=cuts, seed=seed, as_json=as_json))


@app.command(epilog="Example: `carrygrid paper btc.json`; start it again after a stop to resume.")
def paper(
    config: Annotated[
        Path,
        typer.Argument(help="A file as backtest takes it; its window and end_dead_markets are not used."),
    ],
    session: Annotated[
        str | None, typer.Option(help="Name of the account; the name of the file if left out.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="ISO time at which everything is closed and the session ends.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Resume a session that has ended or was closed by SIGUSR1."),
    ] = False,
    api_url: Annotated[
        str | None, typer.Option(help="Address in place of the exchange's own, http://host:port.")
    ] = None,
    poll: Annotated[
        float, typer.Option(min=0.05, max=300, help="Seconds between polls of the exchange.")
    ] = 15,
    status: Annotated[
        bool, typer.Option("--status", help="Print the results of the session so far as JSON, and exit.")
    ] = False,
) -> None:
    """Trade on paper on the live public feeds of exchanges, with the same classes as a backtest.

    Hedges of every structure are traded, on one exchange or on several. Data that the feeds lack, such as
    borrow rates, brackets, fee schedules and ends of contracts, are read from the store.

    The session is kept in the database and resumes after a restart. SIGTERM and Ctrl-C end it after the
    current event and keep positions open; SIGUSR1 is the emergency stop that closes everything.
    """
    from carrygrid.cli.paper import PaperOptions, print_status, trade_on_paper

    if status:
        print_status(config, session)
        return
    trade_on_paper(config, PaperOptions(session, until, resume, api_url, poll))


@app.command(epilog="Example: `carrygrid strategies --json | jq '.strategies[].presets'`")
def strategies(as_json: Json = False) -> None:
    """List the installed strategies with their parameters, defaults, presets and default grids."""
    from carrygrid.cli.strategies import print_strategies

    print_strategies(as_json=as_json)


@app.command(epilog="Example: `carrygrid prune --older-than 90 --keep-tag live --dry-run`")
def prune(
    older_than: Annotated[
        int, typer.Option(min=0, max=36_500, metavar="DAYS", help="How long ago they must have ended.")
    ],
    keep_tag: Annotated[
        list[str] | None, typer.Option(help="Sweeps with this tag stay; can be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    compact: Annotated[
        bool, typer.Option("--compact", help="Give the freed space back to the disk as well.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete sweeps and single runs that ended long ago; market data and paper sessions stay.

    Works on the database that CARRYGRID_DATABASE_URL names (the one of this machine if unset), while the
    service runs or not. Sweeps that are queued, running or paused are never touched.
    """
    from carrygrid.cli.prune import prune_ended

    prune_ended(older_than, keep_tag or [], dry_run=dry_run, compact=compact, as_json=as_json)


@app.command(epilog="Example: `carrygrid backup carrygrid-2026-11-22.db`")
def backup(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the backup.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Copy market data, sweeps, results and paper sessions to a file, while the service runs or not.

    For SQLite; with PostgreSQL use pg_dump. The broker needs no copy: what it holds is published again.
    """
    from carrygrid.cli.backup import write_backup

    write_backup(path, force=force)


@app.command(epilog="Example: `carrygrid restore carrygrid-2026-11-22.db`")
def restore(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A file written by `backup`.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the database that is there.")] = False,
) -> None:
    """Replace the database of a stopped service by a backup."""
    from carrygrid.cli.backup import restore_backup

    restore_backup(path, force=force)
