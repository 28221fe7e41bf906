"""Encoding of Python values for the API: JSON bodies and query texts, numbers exact."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

Body = Mapping[str, Any] | bytes | Path
"""A JSON object: as a mapping, as encoded text, or in a file."""


def body_bytes(body: Body) -> bytes:
    """Return the JSON text of `body`; decimals become text, dates ISO text, arrays lists."""
    if isinstance(body, bytes):
        return body
    if isinstance(body, Path):
        return body.read_bytes()
    return json.dumps(body, default=_plain).encode()


def query_text(value: object) -> str:
    """Return one value of a parameter as queries write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list | tuple):
        return ",".join(map(query_text, value))
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} of {type(value).__name__} has no form in JSON")
