"""Ask the servers named in the environment whether they are there."""

from urllib.parse import urlsplit

import httpx2
import redis
from pydantic import SecretStr

from bot.errors import InvalidInputError
from bot.notation import quoted
from carrygrid.local.errors import StackError

_CONNECT_SECONDS = 3
_BROKER_SCHEMES = ("redis://", "rediss://", "unix://")


def shown(url: str) -> str:
    """Return `url` without its password."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"


def is_answering(broker_url: str) -> bool:
    """Return whether the broker answers a ping."""
    return _refusal(broker_url) is None


def is_healthy(url: str, token: SecretStr | None = None) -> bool:
    """Return whether the loopback `url` answers 200."""
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    try:
        with httpx2.Client(trust_env=False, timeout=_CONNECT_SECONDS, headers=headers) as client:
            return client.get(url).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


def require_broker(url: str) -> None:
    """Do nothing if the broker that the environment names answers.

    Raises: InvalidInputError for what is no address of one; StackError saying why it does not answer.
    There is no falling back to a private one.
    """
    if not _is_address(url):
        told = f"{quoted(url.rpartition('@')[2])} is no address such as redis://127.0.0.1:6379/0"
        raise InvalidInputError.of("CARRYGRID_BROKER_URL", told)
    refusal = _refusal(url)
    if refusal is not None:
        raise StackError(f"CARRYGRID_BROKER_URL: {shown(url)} does not answer: {refusal}")


def _is_address(url: str) -> bool:
    try:
        _ = urlsplit(url).port
    except ValueError:  # brackets that do not close, or a port that is no number
        return False
    return url.startswith(_BROKER_SCHEMES)


def _refusal(url: str) -> str | None:
    try:
        client = redis.Redis.from_url(
            url, socket_connect_timeout=_CONNECT_SECONDS, socket_timeout=_CONNECT_SECONDS
        )
        with client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return str(error)
    return None
