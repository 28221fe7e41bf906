import socket

import pytest

from bot.errors import InvalidInputError
from carrygrid.local.ports import LOOPBACK, free_port, require_free


def test_a_port_in_use_is_refused_by_name() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(InvalidInputError, match=f"port: {port} is in use"):
            require_free(port)


def test_a_preferred_port_in_use_is_replaced_by_a_free_one() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        other = free_port(port)
    assert other != port
    assert require_free(other) == other


def test_a_free_preferred_port_is_kept() -> None:
    port = free_port()
    assert free_port(port) == port
