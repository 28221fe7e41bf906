"""Addresses that sweeps tell of their end."""

import pytest
from sweeping import BASE

from bot.errors import InvalidInputError
from sweeps.spec.spec import SweepSpec

_SWEEP = {"base": dict(BASE), "grid": {"perp_leverage": [1, 2]}}


def _sweep(url: object) -> SweepSpec:
    return SweepSpec.parse({**_SWEEP, "notify_url": url})


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example/T0/B1?x=1", "http://127.0.0.1:9/x", "http://localhost/", "http://[::1]:80/a"],
)
def test_an_https_address_or_one_of_this_machine_is_taken(url: str) -> None:
    assert _sweep(url).notify_url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example/x", "must begin with https://"),
        ("http://10.0.0.1/x", "must begin with https://"),
        ("ftp://hooks.example/x", "is no URL of the form https://host/path"),
        ("hooks.example", "is no URL of the form https://host/path"),
        ("https://", "is no URL of the form https://host/path"),
        ("https://u:p@hooks.example/", "holds a user or a password"),
        ("https://hooks.example:99999/", "is no URL"),
        ("https://hooks.example/a b", "holds spaces"),
        ("https://hooks.example/" + "a" * 2000, "2000"),
        (7, "string"),
    ],
)
def test_another_address_is_refused_by_name(url: object, why: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        _sweep(url)
    (error,) = refused.value.errors
    assert error.field == "notify_url"
    assert why in error.message


def test_a_sweep_is_the_same_and_shows_the_same_with_an_address_and_without() -> None:
    told, silent = _sweep("https://hooks.example/secret"), SweepSpec.parse(_SWEEP)
    assert told.digest == silent.digest
    assert told.document() == silent.document()
