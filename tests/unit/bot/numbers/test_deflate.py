"""Deflate: both libraries write the same format, damage is told alike, and zlib serves where ISA-L is not."""

import importlib
import importlib.util
import sys
import zlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bot.numbers import deflate

DATA = np.arange(3_000).astype("<i8").view(np.uint8).reshape(-1, 8).T.tobytes()


UNUSABLE = {
    "absent": ModuleNotFoundError("No module named 'isal'"),
    "cut short": ImportError("isal_zlib.so: file too short"),
    "unreadable": PermissionError(13, "Permission denied"),
}


@pytest.fixture(params=["installed", *UNUSABLE])
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Give the module as it is installed here, and as it loads where ISA-L is absent or broken."""
    if request.param == "installed":
        yield deflate
        return

    def refuse(_: str) -> ModuleType:
        raise UNUSABLE[request.param]

    monkeypatch.setattr(importlib, "import_module", refuse)
    spec = importlib.util.spec_from_file_location("deflate_by_zlib", deflate.__file__)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    assert found._library is zlib
    yield found
    sys.modules.pop("deflate_by_zlib", None)


@pytest.mark.parametrize(("raw", "bits"), [(False, 15), (True, -15)])
@pytest.mark.parametrize("data", [b"", b"a", DATA])
def test_streams_are_those_of_zlib_both_ways(module: Any, data: bytes, raw: bool, bits: int) -> None:
    assert zlib.decompress(module.deflated(data, raw=raw), bits) == data
    assert module.inflated(zlib.compress(data, 6, bits), raw=raw) == data


def test_stream_begins_as_one_of_zlib_and_ends_with_its_checksum(module: Any) -> None:
    stream = module.deflated(DATA)
    assert stream[0] == 120
    assert stream[-4:] == zlib.adler32(DATA).to_bytes(4, "big")
    assert len(stream) < len(DATA) // 2


def test_arrays_are_packed_by_their_bytes(module: Any) -> None:
    array = np.frombuffer(DATA, dtype=np.uint8).reshape(8, -1)
    assert module.inflated(module.deflated(array)) == DATA


@pytest.mark.parametrize("cut", [slice(None, -3), slice(5, None), slice(None, 1)])
def test_damaged_stream_is_an_error_of_zlib(module: Any, cut: slice) -> None:
    with pytest.raises(zlib.error):
        module.inflated(module.deflated(DATA)[cut])


@pytest.mark.parametrize("sizes", [[4, 0, 8_000], [1] * 40, [len(DATA)]])
def test_stream_is_read_from_its_beginning_as_far_as_asked(module: Any, sizes: list[int]) -> None:
    stream, at = module.Inflation(zlib.compress(DATA)), 0
    for size in sizes:
        assert stream.read(size) == DATA[at : at + size]
        at += size


@pytest.mark.parametrize("cut", [slice(None, 200), slice(5, None)])
def test_damage_in_a_stream_and_its_end_are_errors_of_zlib(module: Any, cut: slice) -> None:
    with pytest.raises(zlib.error):
        module.Inflation(module.deflated(DATA)[cut]).read(len(DATA))
    with pytest.raises(zlib.error, match="ended"):
        module.Inflation(module.deflated(DATA)).read(len(DATA) + 1)
