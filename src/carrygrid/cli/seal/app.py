"""The commands of `carrygrid seal` and what their help says."""

from typing import Annotated

import typer

from carrygrid.cli.options import Json

seal = typer.Typer(no_args_is_help=True, help="Keep days of history unseen, to judge a winner on them later.")
SealId = Annotated[int, typer.Argument(min=1, metavar="SEAL", help="Its number, as seal list shows it.")]


@seal.command("list", epilog="Example: `carrygrid seal list`")
def list_all(as_json: Json = False) -> None:
    """List seals: exchange, first closed day, state, and the looks taken at them."""
    from carrygrid.cli.seal.seals import show

    show(as_json=as_json)


@seal.command("set", epilog="Example: `carrygrid seal set binance 2026-01-01`")
def create(
    exchange: Annotated[str, typer.Argument(metavar="EXCHANGE", help="A data set that data list shows.")],
    day: Annotated[str, typer.Argument(metavar="DAY", help="First closed day, UTC, such as 2026-01-01.")],
    insist: Annotated[
        bool, typer.Option("--insist", help="Seal days that runs have read; the seal is tainted then.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Close data from a day on to runs, probes, charts and exports until the seal is opened.

    Runs that end on that day or later are refused. Importing goes on; live paper trading is not affected.
    """
    from carrygrid.cli.seal.seals import make

    make(exchange, day, insist=insist, as_json=as_json)


@seal.command("look", epilog="Example: `carrygrid seal look 1 3 17` for trial 17 of sweep 3.")
def look(
    seal_id: SealId,
    sweep_id: Annotated[int, typer.Argument(min=1, metavar="SWEEP", help="The sweep's number.")],
    trial: Annotated[int, typer.Argument(min=0, metavar="TRIAL", help="The trial's number.")],
    as_json: Json = False,
) -> None:
    """Replay one trial to the newest data and judge it from the seal on.

    The look is recorded before it is shown. The p-value of the second look is doubled, that of the third
    tripled, and so on. The same trial again is the same look.
    """
    from carrygrid.cli.seal.seals import take_look

    take_look(seal_id, sweep_id, trial, as_json=as_json)


@seal.command("open", epilog="Example: `carrygrid seal open 1`")
def end(seal_id: SealId, as_json: Json = False) -> None:
    """Open a seal for good: results on its days are no evidence from then on."""
    from carrygrid.cli.seal.seals import end

    end(seal_id, as_json=as_json)
