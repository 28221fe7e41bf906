"""A library is used only if it was built from these sources and works on this processor."""

import platform
from pathlib import Path

import pytest

from bot.kernel import build, loading
from bot.kernel.loading import Library, UnusableLibraryError, load


def built_at(library: Library) -> Path:
    return Path(library._loaded._name)


def test_the_installed_library_is_the_one_of_these_sources(library: Library) -> None:
    assert library.path in {"x86-64-v3", "plain C"}


@pytest.mark.parametrize("machine", [platform.machine(), "another"])
def test_no_source_defines_what_it_does_not_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(build, "_FLAGS", (*build._FLAGS, "-O0", "-Werror=unused-function"))
    assert build.build(tmp_path / "replay.so").exists()


def test_a_library_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UnusableLibraryError, match="it has not been built"):
        load(tmp_path / "replay.so")


def test_a_file_that_is_no_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "replay.so").write_text("no library")
    with pytest.raises(UnusableLibraryError, match="replay.so"):
        load(tmp_path / "replay.so")


def test_a_library_of_other_sources_is_refused(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "sources_digest", lambda: "0" * 32)
    with pytest.raises(UnusableLibraryError, match="it was built from other sources"):
        load(built_at(library))


def test_a_library_with_other_layouts_is_refused(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "SIZES", (*loading.SIZES[:-1], 1))
    with pytest.raises(UnusableLibraryError, match="its layouts are"):
        load(built_at(library))


def test_a_library_that_makes_other_digests_is_refused(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "ledger_digest", lambda _rows: bytes(16))
    with pytest.raises(UnusableLibraryError, match="it fails its self-test"):
        load(built_at(library))
