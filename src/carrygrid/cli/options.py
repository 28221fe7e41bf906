"""Options that several commands share."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", help="Delete without asking.")]
