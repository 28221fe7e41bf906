"""The commands of `carrygrid promotion` and what their help says."""

from typing import Annotated

import typer

from carrygrid.cli.options import Json

promotion = typer.Typer(
    no_args_is_help=True, help="Check promoted trials: are the days after promotion as those before."
)


@promotion.command("list", epilog="Example: `carrygrid promotion list`")
def list_all(as_json: Json = False) -> None:
    """List the first promotion of each trial, and the judgement of the days after it.

    `sweep promote` records them; they are kept when their sweep is deleted.
    """
    from carrygrid.cli.promotion.promotions import show

    show(as_json=as_json)


@promotion.command("decay", epilog="Example: `carrygrid promotion decay 1`")
def decay(
    promotion_id: Annotated[
        int, typer.Argument(min=1, metavar="PROMOTION", help="Its number, as promotion list shows it.")
    ],
    as_json: Json = False,
) -> None:
    """Replay a promoted trial to the newest data, and judge the days after its promotion.

    They are consistent unless their P&L is below the 5 % quantile of draws of as many earlier days.
    Import or fetch newer data first; sealed days are not read. It counts as a look.
    """
    from carrygrid.cli.promotion.promotions import judge

    judge(promotion_id, as_json=as_json)
