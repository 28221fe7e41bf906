"""Names in the query of an address: those of no parameter are refused, since nothing would come of them."""

from collections.abc import Iterator
from typing import Any

from fastapi import Depends, Request

from bot.validation import refuse_unknown


class QueryNames:
    """Names that a route reads from its query itself, beside its parameters; without any it takes all."""

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)

    async def __call__(self) -> None:
        """Do nothing: the names are read off the route."""


ANY_NAMES = Depends(QueryNames())
"""Dependency of routes that check names themselves, as of axes and metrics, and of those that read none."""

_known: dict[object, frozenset[str] | None] = {}


async def refuse_unknown_names(request: Request) -> None:
    """Refuse a query with a name that the route does not read; raises InvalidInputError."""
    query = request.query_params
    if not query:
        return
    endpoint = request.scope["endpoint"]
    if endpoint not in _known:
        _known[endpoint] = _names_of(request.scope["route"].dependant)
    known = _known[endpoint]
    if known is not None:
        refuse_unknown(query, known)


def _names_of(dependant: Any) -> frozenset[str] | None:
    """Return the query names of a route and of all that it depends on, None if it takes any."""
    parts = list(_parts(dependant))
    own = [part.call.names for part in parts if isinstance(part.call, QueryNames)]
    if not all(own):
        return None
    return frozenset(field.alias for part in parts for field in part.query_params).union(*own)


def _parts(dependant: Any) -> Iterator[Any]:
    yield dependant
    for part in dependant.dependencies:
        yield from _parts(part)
