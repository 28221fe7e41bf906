"""Computers as network namespaces on one bridge, each with its own host name and process ids."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NETWORK = f"10.213.{os.getpid() % 250 + 1}"
HUB = f"{_NETWORK}.1"


def missing_capability() -> str | None:
    """Return why no namespace can be made here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    absent = [name for name in ("ip", "unshare", "hostname") if shutil.which(name, path=_PATH) is None]
    if absent:
        return f"network namespaces need the programs {', '.join(absent)}"
    probe = f"cgp{os.getpid()}"
    made = _ip("netns", "add", probe, check=False)
    _ip("netns", "del", probe, check=False)
    return f"no network namespace: {made.stderr.strip()}" if made.returncode else None


@dataclass(frozen=True)
class Namespace:
    """One simulated computer."""

    name: str
    host_name: str
    port: str

    @property
    def enter(self) -> tuple[str, ...]:
        """Return the command that runs what follows it over there."""
        shell = f'hostname {self.host_name} && exec "$@"'
        apart = ("unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
        return (_IP, "netns", "exec", self.name, *apart, "sh", "-c", shell, "sh")

    def pids(self) -> list[int]:
        """Return what runs there, by our process ids."""
        return [int(pid) for pid in _ip("netns", "pids", self.name).stdout.split()]

    def plug(self, state: str) -> None:
        """Pull its network cable (`down`) or put it back (`up`); nobody is told."""
        _ip("link", "set", self.port, state)

    def kill(self) -> int:
        """End everything there at once, as a power cut would; return how many processes that were."""
        victims = self.pids()
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(victims)


@contextlib.contextmanager
def network(*host_names: str) -> Iterator[list[Namespace]]:
    """Give computers on one network, all of which reach this one at `HUB`."""
    _clear_leftovers()
    bridge = f"cgb{os.getpid()}"
    own = f"cg{os.getpid()}"
    spaces = [Namespace(f"{own}-{name}", name, f"{own}v{at}") for at, name in enumerate(host_names, 2)]
    with contextlib.ExitStack() as stack:
        _ip("link", "add", bridge, "type", "bridge")
        stack.callback(_ip, "link", "del", bridge)
        _ip("addr", "add", f"{HUB}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number, space in enumerate(spaces, 2):
            _ip("netns", "add", space.name)
            stack.callback(_ip, "netns", "del", space.name)
            stack.callback(space.kill)
            stack.callback(_ip, "link", "del", space.port, check=False)
            _connect(space, bridge, number)
        yield spaces


def _clear_leftovers() -> None:
    """Take down what test runs that were killed have left behind."""
    for name, pid in re.findall(r"^(cg(\d+)-\w+)", _ip("netns", "list").stdout, re.MULTILINE):
        if not Path(f"/proc/{pid}").exists():
            Namespace(name, "", "").kill()
            _ip("netns", "del", name)
    for bridge, pid in re.findall(r"^(cgb(\d+)) ", _ip("-brief", "link").stdout, re.MULTILINE):
        if not Path(f"/proc/{pid}").exists():
            _ip("link", "del", bridge)


def _connect(space: Namespace, bridge: str, number: int) -> None:
    _ip("link", "add", space.port, "type", "veth", "peer", "name", "eth0", "netns", space.name)
    _ip("link", "set", space.port, "master", bridge, "up")
    _ip("-n", space.name, "addr", "add", f"{_NETWORK}.{number}/24", "dev", "eth0")
    for device in ("eth0", "lo"):
        _ip("-n", space.name, "link", "set", device, "up")


_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_IP = shutil.which("ip", path=_PATH) or "ip"


def _ip(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_IP, *arguments], check=check, capture_output=True, text=True)
