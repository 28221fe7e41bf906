"""The commands of `carrygrid sweep share` and what their help says."""

from typing import Annotated

import typer

from carrygrid.cli.options import Json
from carrygrid.cli.sweep.options import SweepId

share = typer.Typer(no_args_is_help=True, help="Make and revoke links that show one sweep, read-only.")
LinkId = Annotated[int, typer.Argument(min=1, metavar="LINK", help="A number that sweep share list shows.")]


@share.command("create", epilog="Example: `carrygrid sweep share create 3 --name 'for the desk' --days 30`")
def create(
    sweep_id: SweepId,
    name: Annotated[str, typer.Option("--name", help="Who it is for.")] = "",
    view: Annotated[
        str,
        typer.Option(
            "--view",
            help="What the page shows at first: its address, or what follows the question mark, "
            "such as metric=net_pnl&perp_leverage=1..3.",
        ),
    ] = "",
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="How long it holds; until revoked if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a link and show it once; only a digest is stored.

    Whoever has it sees the sweep, its trials and its exports without a token, and nothing else.
    """
    from carrygrid.cli.share.shares import make

    make(sweep_id, name=name, view=view, days=days, as_json=as_json)


@share.command("list", epilog="Example: `carrygrid sweep share list 3`")
def list_all(sweep_id: SweepId, as_json: Json = False) -> None:
    """List the links to a sweep and how long they hold; never the links themselves."""
    from carrygrid.cli.share.shares import show

    show(sweep_id, as_json=as_json)


@share.command("revoke", epilog="Example: `carrygrid sweep share revoke 3 1`")
def revoke(sweep_id: SweepId, link: LinkId) -> None:
    """End a link at once, for everybody who has it."""
    from carrygrid.cli.share.shares import drop

    drop(sweep_id, link)
