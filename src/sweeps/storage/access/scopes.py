"""Scopes of tokens, apart from their storage so that the command line knows them quickly."""

from enum import StrEnum


class Scope(StrEnum):
    """Scope of a token."""

    READ = "read"
    FULL = "full"
