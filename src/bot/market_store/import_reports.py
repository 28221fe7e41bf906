"""Reports of imports: per file and series, with what was refused, skipped and left alone."""

from dataclasses import asdict, dataclass
from typing import Any

from bot.market_store.importers.files.text_lines import Refusal


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """Rows of one series of a file: `refused` counts all refused ones, `refusals` lists the first of them.

    `replaced` are those that took the place of a held row.

    A market that was refused as a whole is one with the file's own name for it, and one refusal.
    """

    symbol: str
    kind: str
    timeframe_ms: int
    rows_read: int
    new: int
    already_there: int
    refused: int
    refusals: tuple[Refusal, ...]
    replaced: int = 0


@dataclass(frozen=True, slots=True)
class FileReport:
    """Report on one file, with each series in it."""

    name: str
    format: str
    series: tuple[SeriesReport, ...]
    notes: tuple[str, ...] = ()

    @property
    def symbol(self) -> str:
        """Return the symbol of the first series."""
        return self.series[0].symbol

    @property
    def kind(self) -> str:
        """Return the kind of the first series."""
        return self.series[0].kind

    @property
    def timeframe_ms(self) -> int:
        """Return the candle interval of the first series in ms, 0 for funding."""
        return self.series[0].timeframe_ms

    @property
    def rows_read(self) -> int:
        """Return the rows of the file, refused ones included."""
        return sum(one.rows_read for one in self.series)

    @property
    def new(self) -> int:
        """Return the number of rows added."""
        return sum(one.new for one in self.series)

    @property
    def already_there(self) -> int:
        """Return the number of rows held already, with equal values."""
        return sum(one.already_there for one in self.series)

    @property
    def refused(self) -> int:
        """Return the number of rows refused."""
        return sum(one.refused for one in self.series)

    @property
    def replaced(self) -> int:
        """Return the number of rows that took the place of held ones."""
        return sum(one.replaced for one in self.series)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Return the first refused rows of all series, by their lines."""
        return tuple(
            sorted((refusal for one in self.series for refusal in one.refusals), key=lambda one: one.line)
        )

    def document(self) -> dict[str, Any]:
        """Return it as JSON values; symbol, kind and interval are null where the file has several series."""
        sole = len(self.series) == 1
        return {
            "name": self.name,
            "format": self.format,
            "symbol": self.symbol if sole else None,
            "kind": self.kind if sole else None,
            "timeframe_ms": self.timeframe_ms if sole else None,
            "rows_read": self.rows_read,
            "new": self.new,
            "already_there": self.already_there,
            "refused": self.refused,
            "replaced": self.replaced,
            "refusals": [asdict(refusal) for refusal in self.refusals],
            "notes": list(self.notes),
            "series": [{**asdict(one), "refusals": len(one.refusals)} for one in self.series],
        }


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """An entry of a folder of which nothing was imported, and why.

    `refused` are files of market data that cannot be imported, `damaged` those of them that cannot be read.
    """

    name: str
    reason: str
    damaged: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Report on all files; `ignored` are those that have nothing to do with market data.

    `not_asked` are files of other symbols than those asked for, `absent` the symbols asked for in vain.
    """

    files: tuple[FileReport, ...]
    skipped: tuple[SkippedFile, ...]
    ignored: int = 0
    not_asked: int = 0
    absent: tuple[str, ...] = ()

    @property
    def refused_files(self) -> tuple[SkippedFile, ...]:
        """Return the files of market data that could not be imported."""
        return tuple(skipped for skipped in self.skipped if skipped.refused)

    @property
    def damaged(self) -> tuple[SkippedFile, ...]:
        """Return the files that could not be imported because they are damaged."""
        return tuple(skipped for skipped in self.skipped if skipped.damaged)

    @property
    def rows_read(self) -> int:
        """Return the rows of all files, refused ones included."""
        return sum(file.rows_read for file in self.files)

    @property
    def new(self) -> int:
        """Return the number of rows added."""
        return sum(file.new for file in self.files)

    @property
    def already_there(self) -> int:
        """Return the number of rows held already, with equal values."""
        return sum(file.already_there for file in self.files)

    @property
    def refused(self) -> int:
        """Return the number of rows refused."""
        return sum(file.refused for file in self.files)

    @property
    def replaced(self) -> int:
        """Return the number of rows that took the place of held ones."""
        return sum(file.replaced for file in self.files)

    @property
    def keeps_nothing(self) -> bool:
        """Return whether there were rows, and every one was refused."""
        return 0 < self.refused == self.rows_read

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "files": [file.document() for file in self.files],
            "skipped": [asdict(skipped) for skipped in self.skipped],
            "ignored": self.ignored,
            "not_asked": self.not_asked,
            "absent": list(self.absent),
        }
