"""Addresses and loopback ports."""

import socket
from ipaddress import ip_address

from bot.errors import InvalidInputError
from bot.notation import quoted

LOOPBACK = "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches what listens on `host`.

    Raises: InvalidInputError if it is no address.
    """
    try:
        return ip_address("127.0.0.1" if host == "localhost" else host).is_loopback
    except ValueError:
        raise InvalidInputError.of("host", f"{quoted(host)} is no address of this machine") from None


def is_free(port: int) -> bool:
    """Return whether a server could listen on the loopback `port` now (0: on any)."""
    return _bound(port) is not None


def require_free(port: int, field: str = "port") -> int:
    """Return `port`.

    Raises: InvalidInputError naming it if something else listens there.
    """
    if not is_free(port):
        raise InvalidInputError.of(
            field, f"{port} is in use on {LOOPBACK}; stop what listens there or name another"
        )
    return port


def free_port(preferred: int = 0) -> int:
    """Return `preferred` if it is free, else any free port."""
    port = _bound(preferred)
    return port if port is not None else _any_port()


def _any_port() -> int:
    port = _bound(0)
    if port is None:
        raise InvalidInputError.of("port", f"no port is free on {LOOPBACK}")
    return port


def _bound(port: int) -> int | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return None
        return int(probe.getsockname()[1])
