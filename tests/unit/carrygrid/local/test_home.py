import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import InvalidInputError
from carrygrid.local.errors import StackError
from carrygrid.local.home import Home, HomeLock


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def test_a_second_service_on_a_home_is_refused_naming_the_first(home: Home) -> None:
    with (
        HomeLock(home),
        pytest.raises(StackError, match=f"in use by process {os.getpid()};"),
        HomeLock(home),
    ):
        pass


def test_a_released_home_holds_no_lock_file_and_can_be_locked_again(home: Home) -> None:
    for _ in range(2):
        with HomeLock(home):
            pass
    assert list(home.run.iterdir()) == []


def test_the_lock_of_a_killed_process_is_taken_over(home: Home) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from carrygrid.local.home import Home, HomeLock;"
        "HomeLock(Home(Path(sys.argv[1]))).__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(home.root)], check=False)
    assert list(home.run.iterdir()) != []
    with HomeLock(home):
        pass


def test_sockets_and_queues_are_for_their_owner_only(home: Home) -> None:
    assert [stat.S_IMODE(path.stat().st_mode) for path in (home.run, home.broker)] == [0o700, 0o700]


def test_a_home_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInputError, match="CARRYGRID_HOME: .*file"):
        Home(tmp_path / "file").create()
