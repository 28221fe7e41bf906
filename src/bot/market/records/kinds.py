"""Kinds of recorded rows beside candles and funding, in one table: a further kind is a row of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.market.records.borrow_rates import FIELDS as BORROW_FIELDS
from bot.market.records.borrow_rates import borrow_rate_document, parse_borrow_rate
from bot.market.records.bracket_history import FIELDS as BRACKETS_FIELDS
from bot.market.records.bracket_history import dated_brackets_document, parse_dated_brackets
from bot.market.records.contract_life import FIELDS as LIFE_FIELDS
from bot.market.records.contract_life import check_life, epoch_document, parse_epoch
from bot.market.records.fee_rows import FIELDS as FEE_FIELDS
from bot.market.records.fee_rows import fee_part, fee_row_document, parse_fee_row
from bot.market.records.fields import RecordRefusedError, Values


class RecordKind(StrEnum):
    """Kind of recorded rows, as a file's name says it: `BTCUSDT-borrow.csv`, `fees.json`."""

    BORROW = "borrow"
    BRACKETS = "brackets"
    LIFE = "life"
    FEES = "fees"


@dataclass(frozen=True, slots=True)
class RecordKey:
    """Key of recorded rows: `symbol` is the perp symbol, empty for what holds for a whole exchange."""

    exchange: str
    symbol: str
    kind: RecordKind

    @property
    def timeframe_ms(self) -> int:
        """Return 0: the rows are no candles."""
        return 0


def _nothing_more(_rows: Sequence[Any]) -> None:
    """Accept rows whose times ascend."""


def _one_part(_row: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class RecordType:
    """Type of the rows of a kind: `fields` name what a file gives of each, the first but `part` its time.

    `parse` and `document` turn a row into its values and back. Of each `part` there is one row a time;
    `check` says what else rows must be together, ascending as they are. `csv` files have the fields as their
    header, others are JSON lists of objects, or of `rows_under` that name in an object. `of_exchange` says
    that a file is about all markets of an exchange.
    """

    kind: RecordKind
    row: str
    fields: tuple[str, ...]
    time_field: str
    csv: bool
    parse: Callable[[object], Any]
    document: Callable[[Any], Values]
    part: Callable[[Any], str] = _one_part
    check: Callable[[Sequence[Any]], None] = _nothing_more
    rows_under: str | None = None
    of_exchange: bool = False

    def place(self, row: Any) -> tuple[str, int]:
        """Return what distinguishes a row from all others."""
        return self.part(row), row.from_ms

    def check_all(self, rows: Sequence[Any]) -> None:
        """Check rows in the order in which a file has them; raises RecordRefusedError."""
        newest: dict[str, int] = {}
        for index, row in enumerate(rows):
            part, from_ms = self.place(row)
            last_ms = newest.get(part)
            if last_ms is not None and from_ms <= last_ms:
                said = "repeats that" if from_ms == last_ms else f"is not after {last_ms}"
                raise RecordRefusedError(index, f"{self.time_field} {from_ms} {said} of a row before")
            newest[part] = from_ms
        self.check(rows)


RECORD_TYPES = {
    one.kind: one
    for one in (
        RecordType(
            RecordKind.BORROW,
            "borrow rate",
            BORROW_FIELDS,
            time_field="timestamp_ms",
            csv=True,
            parse=parse_borrow_rate,
            document=borrow_rate_document,
        ),
        RecordType(
            RecordKind.BRACKETS,
            "list of brackets",
            BRACKETS_FIELDS,
            time_field="from_ms",
            csv=False,
            parse=parse_dated_brackets,
            document=dated_brackets_document,
        ),
        RecordType(
            RecordKind.LIFE,
            "epoch",
            LIFE_FIELDS,
            time_field="from_ms",
            csv=False,
            parse=parse_epoch,
            document=epoch_document,
            part=lambda epoch: str(epoch.market),
            check=check_life,
        ),
        RecordType(
            RecordKind.FEES,
            "fee row",
            FEE_FIELDS,
            time_field="from_ms",
            csv=False,
            parse=parse_fee_row,
            document=fee_row_document,
            part=fee_part,
            rows_under="rows",
            of_exchange=True,
        ),
    )
}
"""The type of each kind."""
