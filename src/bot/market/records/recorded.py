"""Recorded rows of one market as a run reads them: typed, by kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.market.records.borrow_rates import BorrowRates
from bot.market.records.bracket_history import BracketHistory
from bot.market.records.contract_life import ContractLife, lives
from bot.market.records.fee_rows import FeeTable
from bot.market.records.kinds import RecordKind


@dataclass(frozen=True, slots=True, eq=False)
class RecordedRows:
    """Rows of the kinds that a run reads, those of each by part and time; other kinds have none."""

    rows: Mapping[RecordKind, tuple[Any, ...]] = field(default_factory=dict)

    def borrow_rates(self) -> BorrowRates:
        """Return the borrow rates of the coin."""
        return BorrowRates(self._of(RecordKind.BORROW))

    def brackets(self) -> BracketHistory:
        """Return the margin brackets of the perp."""
        return BracketHistory(self._of(RecordKind.BRACKETS))

    def lives(self) -> Mapping[str, ContractLife]:
        """Return the lives of `perp` and `spot`, as far as they are recorded."""
        return lives(self._of(RecordKind.LIFE))

    def fees(self) -> FeeTable | None:
        """Return the fee schedules of the exchange, None without any."""
        rows = self._of(RecordKind.FEES)
        return FeeTable(rows) if rows else None

    def _of(self, kind: RecordKind) -> tuple[Any, ...]:
        return self.rows.get(kind, ())
