"""Small disks that can be full and enlarged, for whoever may mount them."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """Put a disk of `size` at `folder`; gives a function that enlarges it."""
    folder.mkdir(exist_ok=True)
    if _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)):
        pytest.skip("mounting a small disk needs root")
    try:
        yield lambda larger: check(_mount("-o", f"remount,size={larger}", str(folder)))
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode


def check(status: int) -> None:
    assert status == 0
