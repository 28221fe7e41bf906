"""JSON answers: exact amounts as text, times as ISO text, anything else as it is."""

from decimal import Decimal
from typing import Any

import orjson
from starlette.responses import JSONResponse

from bot.numbers.money import plain


def json_bytes(content: object) -> bytes:
    """Return `content` as JSON; decimals become plain text, NaN and infinities null."""
    return orjson.dumps(content, default=_exact_text, option=orjson.OPT_NON_STR_KEYS)


def _exact_text(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class JsonResponse(JSONResponse):
    """A JSON answer whose money is text."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return json_bytes(content)


class ProblemResponse(JsonResponse):
    """An error as an RFC 9457 problem document."""

    media_type = "application/problem+json"
