"""Request bodies: strict JSON objects whose numbers keep the digits they were written with."""

import asyncio
import re
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors.http_errors import BodyTooLargeError, BodyTooSlowError, UnsupportedMediaTypeError
from bot.config.run_config import load_json
from bot.errors import InvalidInputError
from bot.notation import quoted

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 32
PATIENCE_S = 20.0


class BodyLimit:
    """ASGI layer that reads no more than `MAX_BYTES` of a body, whatever its declared length.

    `larger` are the paths that may take more, and how much. Nobody is waited for longer than `patience_s`
    between two pieces of a body.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int], patience_s: float = PATIENCE_S) -> None:
        self._app = app
        self._larger = larger
        self._patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, with a counted body.

        Raises, where it is read: BodyTooLargeError beyond the limit; BodyTooSlowError.
        """
        length, limit = 0, self._larger.get(str(scope.get("path")), MAX_BYTES)
        is_read = False

        async def counted() -> Message:
            nonlocal length, is_read
            try:
                async with asyncio.timeout(None if is_read else self._patience_s):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlowError(self._patience_s) from None
            is_read = not message.get("more_body", False)
            length += len(message.get("body", b""))
            if length > limit:
                raise BodyTooLargeError(limit)
            return message

        await self._app(scope, counted, send)


async def read_object(request: Request) -> dict[str, object]:
    """Return the JSON object in the body of `request`.

    Raises: BodyTooLargeError; UnsupportedMediaTypeError unless it is declared as JSON; InvalidInputError if
    it is none.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise UnsupportedMediaTypeError(declared)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BYTES:
        raise BodyTooLargeError(MAX_BYTES)
    return await run_in_threadpool(parse_object, await request.body())


async def body_size(request: Request) -> int:
    """Return the length in bytes of a body that has been read."""
    return len(await request.body())


def parse_object(body: bytes) -> dict[str, object]:
    """Return the JSON object that `body` holds.

    Raises: InvalidInputError for broken JSON, anything but an object, nesting deeper than any input
    here needs, and text that no database can keep.
    """
    document = load_json(body)
    if not isinstance(document, dict):
        raise InvalidInputError.of("body", "is not a JSON object")
    _check_members(document, None, 1)
    return document


_Place = tuple["_Place | None", str | int]
"""Place of a value: the place of its container, and its name or index there; written out for errors only."""


def _check_members(value: list[object] | dict[str, object], place: _Place | None, depth: int) -> None:
    members = enumerate(value) if isinstance(value, list) else value.items()
    for name, member in members:
        if depth > MAX_DEPTH:
            raise InvalidInputError.of(_path((place, name)), f"is nested deeper than {MAX_DEPTH} levels")
        if isinstance(name, str):
            _check_text(name, place)
        if isinstance(member, str):
            _check_text(member, (place, name))
        elif isinstance(member, list | dict):
            _check_members(member, (place, name), depth + 1)


def _check_text(text: str, place: _Place | None) -> None:
    if _UNSTORABLE.search(text):
        path = _path(place) or "body"
        raise InvalidInputError.of(path, f"{quoted(text[:40])} holds a NUL or half a surrogate pair")


def _path(place: _Place | None) -> str:
    parts: list[str] = []
    while place is not None:
        place, name = place
        parts.append(f"[{name}]" if isinstance(name, int) else f".{name}")
    return "".join(reversed(parts)).removeprefix(".")
