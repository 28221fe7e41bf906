"""Zip archives of one file, with nothing in their headers trusted."""

import io
import stat
import struct
import zipfile
import zlib
from pathlib import PurePosixPath

from bot.errors import DataImportError

MAX_TABLE_BYTES = 1024**2
"""Longest list of files in an archive; it is read into memory before the first file."""

UNREADABLE = (EOFError, OSError, zipfile.BadZipFile, zlib.error)
"""Errors that reading a compressed file may raise."""

# A locked archive is a RuntimeError, and so is one made in a way that the library does not know.
_DAMAGED = (*UNREADABLE, RuntimeError, ValueError, struct.error, IndexError)
# The other methods unpack a whole piece at once, however much that is.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def sole_member(name: str, file: io.BufferedReader) -> tuple[str, zipfile.ZipExtFile]:
    """Return the name and the open content of the only file in the archive `file`.

    Raises: DataImportError if it holds another number of files, a link, or cannot be read.
    """
    reader = _ShortReads(file)
    try:
        archive = zipfile.ZipFile(reader)
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise DataImportError(
                f"{name} holds {len(members)} files instead of one; unpack it into a folder"
            )
        return _checked_name(name, members[0]), archive.open(members[0])  # type: ignore[return-value]
    except _DAMAGED as error:
        why = "its list of files is too long" if reader.shortened else error
        raise DataImportError(f"{name} is a damaged or locked archive: {why}") from None


def _checked_name(name: str, member: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(member.external_attr >> 16):
        raise DataImportError(f"{name} holds a link instead of a file")
    if member.compress_type not in _METHODS:
        raise DataImportError(f"{name} is packed in another way than deflate; pack it anew")
    # Nothing is written under it; the last part may say what the file holds.
    return PurePosixPath(member.filename).name


class _ShortReads(io.RawIOBase):
    """A file that gives at most `MAX_TABLE_BYTES` at a time, so that nothing longer is ever in memory."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.shortened = False
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer than asked for if that is too many."""
        self.shortened = self.shortened or size > MAX_TABLE_BYTES
        return self._file.read(size if 0 <= size <= MAX_TABLE_BYTES else MAX_TABLE_BYTES)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return True: archives are read from their end."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True
