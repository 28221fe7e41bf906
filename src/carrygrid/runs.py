"""Single runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carrygrid.errors import ServiceError
from carrygrid.records import (
    EquityPoint,
    Finding,
    Trade,
    amounts,
    equity_table,
    finding,
    trade_table,
)
from carrygrid.tables import Table

COMPLETED = "completed"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Run:
    """A run's result; `document` is all of it as the service wrote it."""

    document: Mapping[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        """Return every parameter, defaults filled in, amounts as text."""
        return dict(self.document["config"])

    @property
    def metrics(self) -> dict[str, Any]:
        """Return the metrics by name."""
        return amounts(self.document["metrics"])

    @property
    def findings(self) -> list[Finding]:
        """Return the findings about the data of the run, warnings first."""
        return [finding(found) for found in self.document.get("findings", [])]

    @property
    def run_key(self) -> str:
        """Return the key that names configuration, history and engine."""
        return str(self.document["run_key"])

    @property
    def equity(self) -> Table[EquityPoint]:
        """Return the equity curve."""
        return equity_table(self.document["equity"])

    @property
    def trades(self) -> Table[Trade]:
        """Return the round trips."""
        return trade_table(self.document["trades"])


def run_of(job: Mapping[str, Any]) -> Run | None:
    """Return the run of a job, None while it is not over; raises ServiceError if it failed."""
    if job["state"] == FAILED:
        error = job["error"] or {}
        raise ServiceError(error.get("code") or "run_failed", 422, error.get("detail") or "the run failed")
    return Run(job["result"]) if job["state"] == COMPLETED else None
