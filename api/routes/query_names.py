"""Names in the query of an address: refused where nothing reads them, or one of their values alone."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple, get_args, get_origin

from fastapi import Depends, Request
from starlette.datastructures import QueryParams

from bot.errors import FieldError, InvalidInputError
from bot.notation import quoted
from bot.validation import refuse_unknown


class QueryNames:
    """Names that a route reads from its query itself, beside its parameters; without any it takes all.

    `repeated` are those of them that may be given several times.
    """

    def __init__(self, *names: str, repeated: Collection[str] = ()) -> None:
        self.names = frozenset(names)
        self.repeated = frozenset(repeated)

    async def __call__(self) -> None:
        """Do nothing: the names are read off the route."""


ANY_NAMES = Depends(QueryNames())
"""Dependency of routes that check names themselves, as of axes and metrics, and of those that read none."""


class _Read(NamedTuple):
    names: frozenset[str]
    repeated: frozenset[str]


_read: dict[object, _Read | None] = {}


async def refuse_unread(request: Request) -> None:
    """Refuse a query with a name or a value that the route does not read; raises InvalidInputError."""
    query = request.query_params
    if not query:
        return
    endpoint = request.scope["endpoint"]
    if endpoint not in _read:
        _read[endpoint] = _names_of(request.scope["route"].dependant)
    read = _read[endpoint]
    if read is not None:
        refuse_unknown(query, read.names)
        refuse_repeated(query, read.repeated)


def refuse_repeated(query: QueryParams, taken: Collection[str] = (), hint: str = "") -> None:
    """Refuse a name that is given more than once, but those `taken` so, since one value would be ignored.

    A `hint` says how else to write it. Raises: InvalidInputError.
    """
    given = {name: query.getlist(name) for name in query if name not in taken}
    errors = [
        FieldError(name, f"is given {len(values)} times: {quoted(values)}; give it once{hint}")
        for name, values in given.items()
        if len(values) > 1
    ]
    if errors:
        raise InvalidInputError(errors)


def _names_of(dependant: Any) -> _Read | None:
    """Return the query names of a route and of all that it depends on, None if it takes any."""
    parts = list(_parts(dependant))
    own = [part.call for part in parts if isinstance(part.call, QueryNames)]
    if not all(one.names for one in own):
        return None
    fields = [field for part in parts for field in part.query_params]
    lists = (field.alias for field in fields if _takes_list(field.field_info.annotation))
    return _Read(
        frozenset(field.alias for field in fields).union(*(one.names for one in own)),
        frozenset(lists).union(*(one.repeated for one in own)),
    )


def _takes_list(annotation: Any) -> bool:
    return any(get_origin(one) is list for one in (annotation, *get_args(annotation)))


def _parts(dependant: Any) -> Iterator[Any]:
    yield dependant
    for part in dependant.dependencies:
        yield from _parts(part)
