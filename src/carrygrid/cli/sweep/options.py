"""Arguments and options that several `carrygrid sweep` commands share."""

from typing import Annotated

import typer

SweepId = Annotated[int, typer.Argument(min=1, metavar="ID", help="The sweep's number.")]
Note = Annotated[str | None, typer.Option("--note", help="A remark to keep with it.")]
