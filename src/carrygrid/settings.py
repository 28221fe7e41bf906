"""Settings of the client from the environment; read only here."""

import os

URL_VARIABLE = "CARRYGRID_API_URL"
TOKEN_VARIABLE = "CARRYGRID_API_TOKEN"  # noqa: S105
DEFAULT_URL = "http://127.0.0.1:8000"


def named_url() -> str:
    """Return the address of the API; an empty variable counts as not set."""
    return os.environ.get(URL_VARIABLE) or DEFAULT_URL


def named_token() -> str | None:
    """Return the API's token, if there is one."""
    return os.environ.get(TOKEN_VARIABLE) or None
