"""Confirmation before something is deleted."""

import sys

import typer

from bot.errors import InvalidInputError


def is_agreed(question: str, *, yes: bool, otherwise: str = "") -> bool:
    """Return whether the user agrees: `yes` if given, else the terminal is asked.

    Raises: InvalidInputError where there is no terminal; it names `otherwise`, what else could be done.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise InvalidInputError.of("--yes", f"nobody can be asked here; add --yes{otherwise}")
    return typer.confirm(question, err=True)
