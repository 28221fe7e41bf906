"""Run keys of the compiled library are those that hashlib makes."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from builders import run_config
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config.parameter_columns import ParameterColumns
from bot.config.run_key import key_list, run_key, run_keys
from bot.kernel import loading
from bot.kernel import run_keys as by_kernel
from bot.kernel.loading import Library, UnusableLibraryError, load
from bot.kernel.run_keys import fastest_run_keys, run_keys_by

VALUES: dict[str, tuple[Any, ...]] = {
    "allocation": (Decimal("0.1"), Decimal("0.90"), Decimal(1)),
    "end_dead_markets": (False, True),
    "exit_funding_rate": (Decimal(0), Decimal("-0.00010"), Decimal("0.000012345678")),
    "max_position_size": (None, Decimal(500)),
    "symbols": (("BTC/USDT:USDT",), tuple(f"C{number:03}/USDT:USDT" for number in range(9))),
    "weight_trend": (Decimal(0), Decimal("0.25")),
}
SHARED = run_config(exchange="ÄÖ")


def columns(names: list[str], count: int, seed: int) -> ParameterColumns:
    random = np.random.default_rng(seed)
    places = {name: random.integers(0, len(VALUES[name]), count) for name in names}
    return ParameterColumns(SHARED, {name: VALUES[name] for name in names}, places, count)


def test_keys_of_drawn_trials_are_those_of_hashlib(library: Library) -> None:
    @settings(max_examples=60, derandomize=True)
    @given(
        names=st.lists(st.sampled_from(sorted(VALUES)), unique=True),
        count=st.integers(0, 40),
        seed=st.integers(0, 2**32),
        fingerprint=st.integers(0, 130).map("f".__mul__),  # so that texts end at every place of a block
    )
    def compare(names: list[str], count: int, seed: int, fingerprint: str) -> None:
        parameters = columns(names, count, seed)
        expected = run_keys(parameters, fingerprint)
        for code in (library, library.in_plain_c()):
            found = run_keys_by(code)(parameters, fingerprint)
            assert found.shape == expected.shape == (count, 32)
            assert np.array_equal(found, expected)

    compare()


def test_keys_are_those_of_each_run_alone(library: Library) -> None:
    parameters = columns(sorted(VALUES), 30, 1)
    keys = key_list(run_keys_by(library)(parameters, "x"))
    assert [key.hex() for key in keys] == [run_key(config, "x") for config in parameters.configs()]


def test_hashlib_makes_the_keys_without_a_library_and_without_instructions_for_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not library.in_plain_c().hashes
    for found in (None, library.in_plain_c()):
        monkeypatch.setattr(by_kernel, "usable", lambda found=found: found)
        assert fastest_run_keys() is run_keys


def test_a_library_that_makes_other_keys_is_refused(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading.Library, "run_keys", lambda _library, _texts: None)
    with pytest.raises(UnusableLibraryError, match="it makes other run keys"):
        load(type(loading.LIBRARY)(library._loaded._name))
