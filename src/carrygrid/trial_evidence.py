"""Evidence on single trials of a sweep, which the service replays for it."""

from typing import Any

from carrygrid.connection import Connection


class TrialEvidence:
    """Part of a sweep that asks how far to trust its trials."""

    _connection: Connection
    _path: str

    def bands(self, number: int) -> dict[str, Any]:
        """Return bands around a trial's equity: quantiles over draws of its days in another order."""
        return self._trial(number, "/bands")

    def random_entries(self, number: int) -> dict[str, Any]:
        """Return the chance that a trial's trips at random moments earn as much."""
        return self._trial(number, "/random-entries")

    def regimes(self, number: int) -> list[dict[str, Any]]:
        """Return a trial's days, P&L and trades by level of funding, the lowest rate first."""
        return list(self._trial(number, "/regimes")["regimes"])

    def years(self, number: int) -> list[dict[str, Any]]:
        """Return a trial by UTC year beside holding; the changes add up to its net P&L."""
        return list(self._trial(number, "/years")["years"])

    def _trial(self, number: int, part: str = "") -> dict[str, Any]:
        return self._connection.call("GET", f"{self._path}/trials/{number}{part}")
