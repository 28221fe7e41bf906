"""Loading of the kernel's library, which is checked and self-tested before use."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from bot.backtest.ledger_digest import ledger_digest
from bot.config.run_key import KEY_BYTES
from bot.kernel.build import LIBRARY, sources_digest
from bot.kernel.layouts import (
    LEDGER_BYTES,
    SIZES,
    Batch,
    Columns,
    Comparison,
    Judged,
    Luck,
    PairColumns,
    RowPairs,
    RunKeys,
    Window,
)
from bot.selection.track.track_record import chance_above

_PATHS = ("plain C", "x86-64-v3")


class UnusableLibraryError(RuntimeError):
    """There is no library, or none that was built from these sources and works; says why."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library that works on this processor; `path` names the code that runs."""

    path: str
    _loaded: ctypes.CDLL
    _fast: bool = True

    def replay(self, window: Window, batch: Batch) -> None:
        """Replay the trials of `batch`; raises MemoryError."""
        self._call("replay", "a replay", ctypes.byref(window), ctypes.byref(batch), self._fast)

    def put_window(self, columns: PairColumns) -> bool:
        """Write the columns of a window; return False where a number is out of the kernel's range."""
        return bool(self._loaded.carrygrid_window(ctypes.byref(columns)))

    def shifts(self, luck: Luck) -> None:
        """Write the bootstrap shifts that `luck` asks for; raises MemoryError."""
        self._call("shifts", "a bootstrap", ctypes.byref(luck), self._fast)

    def sums(self, returns: Judged) -> None:
        """Write the sums of `returns`; raises MemoryError."""
        self._call("sums", "a sum of returns", ctypes.byref(returns), self._fast)

    def equal_rows(self, pairs: RowPairs) -> None:
        """Write the first equal ones of `pairs`; raises MemoryError."""
        self._call("equal_rows", "a search for equal rows", ctypes.byref(pairs), self._fast)

    def compare(self, comparison: Comparison) -> None:
        """Compare the trials of `comparison`; raises MemoryError."""
        self._call("compare", "a comparison of trials", ctypes.byref(comparison), self._fast)

    def run_keys(self, texts: RunKeys) -> None:
        """Write the run keys of `texts`; raises MemoryError."""
        self._call("run_keys", "hashing run keys", ctypes.byref(texts), self._fast)

    def split(self, columns: Columns) -> None:
        """Write the planes of `columns`; raises MemoryError."""
        self._call("split", "splitting columns", ctypes.byref(columns))

    def growths(
        self, initial: Sequence[int], finals: Sequence[int], elapsed_ms: int
    ) -> list[tuple[float, bool]]:
        """Return the growth of four accounts, NaN where undefined, and of each whether it is certain."""
        read = np.array(initial, dtype=np.float64), np.array(finals, dtype=np.float64)
        growth, certain = np.empty(4), np.empty(4, dtype=np.int32)
        self._loaded.carrygrid_growths(
            *(ctypes.c_void_p(one.ctypes.data) for one in read),
            ctypes.c_double(elapsed_ms),
            *(ctypes.c_void_p(one.ctypes.data) for one in (growth, certain)),
        )
        return list(zip(growth.tolist(), (certain != 0).tolist(), strict=True))

    @property
    def hashes(self) -> bool:
        """True if the library hashes faster than hashlib: on a processor with instructions for SHA-256."""
        return self._fast and bool(self._loaded.carrygrid_hashes())

    def in_plain_c(self) -> "Library":
        """Return the same library without the code of newer processors."""
        return Library(_PATHS[False], self._loaded, False)

    def _call(self, function: str, work: str, *arguments: object) -> None:
        """Call a function that returns 0 where its work needs more memory than there is."""
        if not getattr(self._loaded, f"carrygrid_{function}")(*arguments):
            raise MemoryError(f"{work} needs more memory than the process may use")


def load(path: Path = LIBRARY) -> Library:
    """Return the library at `path`; raises UnusableLibraryError."""
    try:
        loaded = ctypes.CDLL(str(path))
        loaded.carrygrid_sources.restype = ctypes.c_char_p
        sources = loaded.carrygrid_sources().decode()
    except (OSError, AttributeError) as error:
        reason = "it has not been built" if not path.exists() else str(error)
        raise UnusableLibraryError(reason) from None
    if sources != sources_digest():
        raise UnusableLibraryError("it was built from other sources")
    _test(loaded)
    library = Library(_PATHS[bool(loaded.carrygrid_path())], loaded)
    _test_keys(library)
    return library


@cache
def found() -> "Library | UnusableLibraryError":
    """Return the installed library, or why there is none; looked for once a process."""
    try:
        return load()
    except UnusableLibraryError as error:
        return error.with_traceback(None)


def usable() -> Library | None:
    """Return the installed library, None if there is none."""
    library = found()
    return library if isinstance(library, Library) else None


def replay_path() -> str:
    """Return in words what replays sweeps."""
    library = found()
    return f"replay kernel in {library.path}" if isinstance(library, Library) else str(plain_replays())


def plain_replays() -> str | None:
    """Return in words that sweeps run plainly, why, and how much slower; None with a usable library."""
    library = found()
    if isinstance(library, Library):
        return None
    return (
        f"no replay kernel ({library}): sweeps run plainly, 100 to 250 times slower; "
        "`python -m bot.kernel.build` builds it"
    )


def _test(loaded: ctypes.CDLL) -> None:
    """Check layouts and digests; replays are compared by tests, and by samples of every chunk."""
    sizes = np.zeros(len(SIZES), dtype=np.int64)
    loaded.carrygrid_layout(ctypes.c_void_p(sizes.ctypes.data))
    if tuple(sizes.tolist()) != SIZES:
        raise UnusableLibraryError(f"its layouts are {sizes.tolist()} instead of {list(SIZES)}")
    rows = np.arange(24, dtype=np.int64).reshape(3, 8) * (10**17 + 1) - 10**18
    digest = np.zeros(LEDGER_BYTES, dtype=np.uint8)
    loaded.carrygrid_digest(
        ctypes.c_void_p(rows.ctypes.data), ctypes.c_int64(3), ctypes.c_void_p(digest.ctypes.data)
    )
    if digest.tobytes() != ledger_digest(rows):
        raise UnusableLibraryError("it fails its self-test on this processor")
    loaded.carrygrid_chance.restype = ctypes.c_double
    scores = [float(one) / 7 for one in range(-60, 61)]
    if [loaded.carrygrid_chance(ctypes.c_double(one)) for one in scores] != [
        chance_above(one) for one in scores
    ]:
        raise UnusableLibraryError("its error function differs from Python's")


def _test_keys(library: Library) -> None:
    """Check run keys: a wrong one would be stored as the identity of a run."""
    pieces = [bytes([65 + place]) * length for place, length in enumerate((100, 70, 71, 120))]
    starts = np.array([0, *map(len, pieces)], dtype=np.int64).cumsum()
    numbers = np.array([[0, 1], [0, 2], [0, 3], [1, 1], [1, 2]], dtype=np.int64)
    order, keys = np.arange(len(numbers)), np.zeros((len(numbers), KEY_BYTES), dtype=np.uint8)
    pointers = (array.ctypes.data for array in (starts, numbers, order, keys))
    library.run_keys(RunKeys(*numbers.shape, len(pieces), b"".join(pieces), *pointers))
    texts = (b"".join(pieces[place] for place in own) for own in numbers.tolist())
    if keys.tobytes() != b"".join(sha256(text).digest() for text in texts):
        raise UnusableLibraryError("it makes other run keys on this processor")
