"""The commands of `carrygrid token` and what their help says."""

from typing import Annotated

import typer

from carrygrid.cli.options import Json
from sweeps.storage.access.scopes import Scope

token = typer.Typer(no_args_is_help=True, help="Make and revoke tokens for programs that call the API.")
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Who it is for; no dots.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A name that token list shows.")]


@token.command("create", epilog="Example: `carrygrid token create grafana --scope read --days 365`")
def create(
    name: NewName,
    scope: Annotated[Scope, typer.Option(help="`read` is read-only, `full` may change things.")] = Scope.READ,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="How long it holds; for ever if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a token and show it once; only a digest is stored.

    A service that runs with CARRYGRID_API_TOKEN set accepts it too, within two seconds.
    """
    from carrygrid.cli.token.tokens import make

    make(name, scope, days, as_json=as_json)


@token.command("list", epilog="Example: `carrygrid token list`")
def list_all(as_json: Json = False) -> None:
    """List tokens with their scope and how long they hold; never the tokens themselves."""
    from carrygrid.cli.token.tokens import show

    show(as_json=as_json)


@token.command("revoke", epilog="Example: `carrygrid token revoke grafana`")
def revoke(name: Name) -> None:
    """Delete a token; it and the sessions it opened end within two seconds."""
    from carrygrid.cli.token.tokens import drop

    drop(name)
