"""Files of a folder and of all folders in it, in an order that depends on their names alone."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.notation import quoted

_IGNORED_ENDINGS = (".CHECKSUM",)
_IGNORED_FOLDERS = frozenset({"__MACOSX", "__pycache__"})


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file: `name` is its path inside the folder, in characters that can be shown."""

    path: Path
    name: str
    size: int


@dataclass(slots=True)
class FolderContent:
    """Files by their names, entries that cannot be read with the reason, and how many were left alone.

    Left alone are hidden entries, check sums, and folders of other programs.
    """

    files: list[FoundFile] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    ignored: int = 0


def folder_content(folder: Path) -> FolderContent:
    """Return the files of `folder` and below it; links are followed, each real folder is walked once.

    Links come after everything that is there itself, so that of two ways to a folder the real one counts, and
    cycles end.
    """
    content = FolderContent()
    walk = _Walk(folder, content)
    walk.run()
    content.files.sort(key=lambda file: file.name)
    content.unreadable.sort()
    return content


class _Walk:
    def __init__(self, folder: Path, content: FolderContent) -> None:
        self._root = folder
        self._content = content
        self._seen: set[tuple[int, int]] = set()
        self._folders = [folder]
        self._links: list[Path] = []

    def run(self) -> None:
        while self._folders or self._links:
            if not self._folders:
                self._links.sort(reverse=True)
                self._folders.append(self._links.pop())
            self._enter(self._folders.pop())

    def _enter(self, folder: Path) -> None:
        try:
            found = folder.stat()
            if (found.st_dev, found.st_ino) in self._seen:
                return
            self._seen.add((found.st_dev, found.st_ino))
            for entry in self._entries(folder):
                self._take(entry)
        except OSError as error:
            self._refuse(folder, f"cannot be read: {error.strerror}")

    def _entries(self, folder: Path) -> Iterator["os.DirEntry[str]"]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_left_alone(entry.name):
                    self._content.ignored += 1
                else:
                    yield entry

    def _take(self, entry: "os.DirEntry[str]") -> None:
        path = Path(entry.path)
        try:
            found = entry.stat()
        except OSError as error:
            broken = entry.is_symlink()
            self._refuse(path, "is a link to nothing" if broken else f"cannot be read: {error.strerror}")
            return
        if stat.S_ISDIR(found.st_mode):
            (self._links if entry.is_symlink() else self._folders).append(path)
        elif stat.S_ISREG(found.st_mode):
            self._content.files.append(FoundFile(path, self._name(path), found.st_size))
        else:
            self._refuse(path, "is not a regular file")

    def _refuse(self, path: Path, reason: str) -> None:
        self._content.unreadable.append((self._name(path), reason))

    def _name(self, path: Path) -> str:
        name = path.relative_to(self._root).as_posix()
        return name if name.isprintable() else quoted(name)


def _is_left_alone(name: str) -> bool:
    return name.startswith(".") or name.endswith(_IGNORED_ENDINGS) or name in _IGNORED_FOLDERS
