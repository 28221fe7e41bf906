"""The set-up of `./run`, with a hand-made `uv` that only writes down what it is asked."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FAKE_UV = """#!/bin/sh
echo "$*" >>calls
case $1 in
venv) mkdir -p .venv/bin; cp fake-python .venv/bin/python ;;
pip) [ ! -e fail-install ] ;;
esac
"""
KERNEL_SOURCES = (
    "src/bot/kernel/source/replay.c",
    "src/bot/kernel/source/numbers.h",
    "src/bot/kernel/build.py",
    "src/bot/kernel/generate.py",
    "src/bot/accounting/formulas.py",
)
TOOLS = ("sh", "cat", "cksum", "cp", "dirname", "mkdir", "mv", "rm")


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    shutil.copy(ROOT / "run", checkout)
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (checkout / name).write_text(f"{name} 1\n")
    for name in KERNEL_SOURCES:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(f"{name} 1\n")
    _script(checkout / "uv", FAKE_UV)
    _script(checkout / "fake-python", '#!/bin/sh\necho "python $*" >>calls\n[ ! -e fail-build ]\n')
    return checkout


def _run(
    checkout: Path, *arguments: str, path: str = f"/usr/bin{os.pathsep}/bin"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "run", *arguments],
        env={"PATH": f"{checkout}{os.pathsep}{path}"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def _calls(checkout: Path) -> list[str]:
    """Return what has been asked since the last look, shortened to what tells the calls apart."""
    calls = checkout / "calls"
    lines = calls.read_text().splitlines() if calls.exists() else []
    calls.unlink(missing_ok=True)
    return [line.split()[0] + (" " + line.split()[-1] if line.startswith("pip") else "") for line in lines]


FULL = ["venv", "pip requirements.lock", "pip .", "python"]


def test_the_first_set_up_installs_the_lock_and_then_us(checkout: Path) -> None:
    result = _run(checkout, "setup")
    assert (result.returncode, _calls(checkout)) == (0, FULL)


def test_a_second_set_up_does_and_says_nothing(checkout: Path) -> None:
    _run(checkout, "setup")
    _calls(checkout)
    result = _run(checkout, "setup")
    assert (result.returncode, result.stdout + result.stderr, _calls(checkout)) == (0, "", [])


def test_a_changed_lock_starts_from_an_empty_folder(checkout: Path) -> None:
    _run(checkout, "setup")
    (checkout / ".venv" / "left-over").touch()
    _calls(checkout)
    (checkout / "requirements.lock").write_text("requirements.lock 2\n")
    _run(checkout, "setup")
    assert _calls(checkout) == FULL
    assert not (checkout / ".venv" / "left-over").exists()


def test_a_changed_project_file_installs_only_us_again(checkout: Path) -> None:
    _run(checkout, "setup")
    _calls(checkout)
    (checkout / "pyproject.toml").write_text("pyproject.toml 2\n")
    _run(checkout, "setup")
    assert _calls(checkout) == ["pip ."]


@pytest.mark.parametrize("name", KERNEL_SOURCES)
def test_a_changed_source_of_the_kernel_builds_only_that_again(checkout: Path, name: str) -> None:
    _run(checkout, "setup")
    _calls(checkout)
    (checkout / name).write_text(f"{name} 2\n")
    _run(checkout, "setup")
    assert _calls(checkout) == ["python"]


def test_without_a_compiler_one_is_fetched_and_deleted_again(checkout: Path) -> None:
    result = _run(checkout, "setup", path=_without_compiler(checkout))
    assert (result.returncode, _calls(checkout)) == (0, [*FULL[:3], "pip ziglang>=0.15,<0.18", "python"])
    assert "there is no C compiler; fetching one" in result.stderr
    assert not (checkout / ".venv/compiler").exists()


def test_a_kernel_that_cannot_be_built_is_said_loudly_once_and_the_rest_goes_on(checkout: Path) -> None:
    (checkout / "fail-build").touch()
    result = _run(checkout, "setup", path=_without_compiler(checkout))
    assert result.returncode == 0
    assert "run: SWEEPS RUN PLAINLY, 100 to 250 times slower: install a C compiler" in result.stderr
    assert _run(checkout, "setup", path=_without_compiler(checkout)).stderr == ""


def _without_compiler(checkout: Path) -> str:
    tools = checkout / "tools"
    tools.mkdir(exist_ok=True)
    for name in TOOLS:
        if not (tools / name).exists():
            (tools / name).symlink_to(shutil.which(name) or name)
    return str(tools)


def test_the_tests_add_their_own_lock_to_what_is_there(checkout: Path) -> None:
    _run(checkout, "setup")
    _calls(checkout)
    _run(checkout, "setup", "dev")
    assert _calls(checkout) == ["pip requirements-dev.lock"]


def test_what_the_tests_need_serves_the_service_too(checkout: Path) -> None:
    _run(checkout, "setup", "dev")
    _calls(checkout)
    _run(checkout, "setup")
    assert _calls(checkout) == []


def test_an_interrupted_set_up_is_done_again(checkout: Path) -> None:
    (checkout / "fail-install").touch()
    assert _run(checkout, "setup").returncode != 0
    _calls(checkout)
    (checkout / "fail-install").unlink()
    result = _run(checkout, "setup")
    assert (result.returncode, _calls(checkout)) == (0, FULL)


def test_a_moved_checkout_is_set_up_again(checkout: Path) -> None:
    _run(checkout, "setup")
    _calls(checkout)
    moved = checkout.rename(checkout.with_name("elsewhere"))
    _run(moved, "setup")
    assert _calls(moved) == FULL


@pytest.mark.parametrize(
    ("arguments", "marks"),
    [((), "-m not slow"), (("--all",), "-m "), (("-k", "one"), "-m not slow -k one")],
)
def test_tests_leave_out_the_slow_ones_unless_asked(
    checkout: Path, arguments: tuple[str, ...], marks: str
) -> None:
    _run(checkout, "setup", "dev")
    (checkout / "calls").unlink()
    _run(checkout, "test", *arguments)
    (*_, last) = (checkout / "calls").read_text().splitlines()
    assert last == f"python -m pytest -n 3 --dist loadfile --no-loadscope-reorder {marks}"


def test_a_machine_without_python_gets_one_clear_sentence(checkout: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("sh", "dirname", "cat", "cksum", "rm"):
        (bare / name).symlink_to(str(shutil.which(name)))
    (checkout / "uv").unlink()
    command = [str(shutil.which("sh")), str(checkout / "run"), "setup"]
    result = subprocess.run(command, env={"PATH": str(bare)}, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(
        "run: Python 3.11 or newer with its venv module is needed"
    )


def test_an_unknown_command_is_refused_with_the_list(checkout: Path) -> None:
    result = _run(checkout, "tset")
    assert result.returncode == 1
    assert "run: 'tset' is not one of these commands" in result.stderr
    assert "usage: ./run" in result.stderr


def test_the_locks_name_no_registry_and_hash_everything() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        pinned = [block for block in text.split("\n") if "==" in block]
        assert pinned
        assert all(line.endswith("\\") for line in pinned)
