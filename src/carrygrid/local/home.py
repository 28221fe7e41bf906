"""The folder of one local service, and the lock that lets one service at a time use it."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.errors import InvalidInputError
from bot.notation import quoted
from carrygrid.local.errors import StackError


@dataclass(frozen=True, slots=True)
class Home:
    """Home of a local service: its broker's files, its logs, and files needed while it runs."""

    root: Path

    @property
    def run(self) -> Path:
        """Return the folder of sockets, locks and the supervisor's configuration."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """Return the folder of the processes' logs."""
        return self.root / "logs"

    @property
    def broker(self) -> Path:
        """Return the data folder of the private broker."""
        return self.root / "broker"

    def create(self) -> None:
        """Make the folders; `run` and `broker` are for their owner only.

        Raises: InvalidInputError if the path cannot be used.
        """
        try:
            for folder, mode in ((self.run, 0o700), (self.broker, 0o700), (self.logs, 0o755)):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(mode)
        except OSError as error:
            raise InvalidInputError.of(
                "CARRYGRID_HOME", f"{quoted(str(self.root))}: {error.strerror}"
            ) from None


class HomeLock:
    """Holds a home folder for this process; the system releases it if the process dies."""

    def __init__(self, home: Home) -> None:
        self._path = home.run / "up.pid"
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        descriptor = self._locked()
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def _locked(self) -> int:
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.read(descriptor, 32).decode(errors="replace").strip()
                os.close(descriptor)
                raise StackError(
                    f"{self._path.parent.parent} is in use by process {holder or '(starting)'}; "
                    "stop it first, or set CARRYGRID_HOME to another folder"
                ) from None
            if self._is_current(descriptor):
                return descriptor
            os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False
