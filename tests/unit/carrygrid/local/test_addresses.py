"""Addresses of the local service: on this machine alone, unless a token guards it."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from api.settings import Settings
from bot.errors import InvalidInputError
from carrygrid.local.ports import is_loopback
from carrygrid.local.stack import LocalStack


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)],
)
def test_addresses_of_this_machine_alone_are_known(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7"])
def test_an_address_that_others_reach_needs_a_token(tmp_path: Path, host: str) -> None:
    with pytest.raises(InvalidInputError, match=f'host: "{host}" is reached by other machines: set CARRY'):
        LocalStack(Settings(home=tmp_path), host=host)
    LocalStack(Settings(home=tmp_path, api_token=SecretStr("token")), host=host)


def test_a_name_that_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match='host: "carry.example" is no address'):
        LocalStack(Settings(home=tmp_path), host="carry.example")
