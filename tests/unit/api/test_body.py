"""Bodies: exact numbers in, everything a database or a reader could not hold refused."""

import asyncio
from decimal import Decimal

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from api.errors.http_errors import BodyTooSlowError
from api.middleware.body import MAX_DEPTH, BodyLimit, parse_object
from bot.errors import InvalidInputError


def test_numbers_keep_the_digits_they_were_written_with() -> None:
    assert parse_object(b'{"a": 0.1, "b": [1e-8]}') == {"a": Decimal("0.1"), "b": [Decimal("1e-8")]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": [1, [NaN]]}',
        b"\xff\xfe\xff",
        b'{"a": ' + b"9" * 10_000 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse_object(body)


@pytest.mark.parametrize("text", ['"\\ud800"', '"a\\u0000b"'])
@pytest.mark.parametrize("template", ['{"base": {"x": [%s]}}', '{"base": {%s: 1}}'])
def test_text_that_cannot_be_stored_is_refused_with_its_place(template: str, text: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        parse_object((template % text).encode())
    assert refusal.value.errors[0].field.startswith("base")
    refusal.value.message.encode("utf-8")


def test_nesting_is_refused_past_its_limit_and_accepted_up_to_it() -> None:
    fits = b'{"a": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert "a" in parse_object(fits)
    with pytest.raises(InvalidInputError, match="nested deeper"):
        parse_object(fits.replace(b"[]", b"[[[]]]"))
    with pytest.raises(InvalidInputError, match="^body: is not valid JSON: it is nested too deeply$"):
        parse_object(b"[" * 100_000)


async def test_body_that_stops_coming_is_not_waited_for_but_a_client_that_listens_is() -> None:
    pieces: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.request", "body": b"}", "more_body": False},
    ]
    seen: list[bytes] = []

    async def receive() -> Message:
        if pieces:
            return pieces.pop(0)
        await asyncio.sleep(0.1)
        return {"type": "http.disconnect"}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(await Request(scope, receive).body())
        assert await receive() == {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        """Answer nothing."""

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    limited = BodyLimit(app, {}, patience_s=0.01)
    await limited(scope, receive, send)
    assert seen == [b"{}"]
    pieces.append({"type": "http.request", "body": b"{", "more_body": True})
    with pytest.raises(BodyTooSlowError, match=r"0\.01 s"):
        await limited(scope, receive, send)
