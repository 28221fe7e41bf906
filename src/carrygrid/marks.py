"""Names, notes and pins of the trials of a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carrygrid.connection import Connection
from carrygrid.encoding import body_bytes


@dataclass(frozen=True, slots=True)
class TrialMark:
    """Marks that readers left on a trial; name and note are empty where nobody gave any."""

    number: int
    name: str = ""
    note: str = ""
    pinned: bool = False


class Marks:
    """Part of a sweep that reads and leaves marks on its trials."""

    _connection: Connection
    _path: str

    def marks(self) -> list[TrialMark]:
        """Return the marks on all trials that have any, by number."""
        found = self._connection.call("GET", f"{self._path}/marks")
        return [TrialMark(**one) for one in found["marks"]]

    def mark(
        self, number: int, *, name: str | None = None, note: str | None = None, pinned: bool | None = None
    ) -> TrialMark:
        """Replace name, note or pin of a trial; None leaves one as it is. At most five are pinned."""
        asked = {"name": name, "note": note, "pinned": pinned}
        body = body_bytes({field: value for field, value in asked.items() if value is not None})
        return TrialMark(**self._connection.call("PATCH", f"{self._path}/trials/{number}", body=body))


def mark_of(document: Mapping[str, Any] | None) -> TrialMark | None:
    """Return marks from their document, None for a trial without any."""
    return None if document is None else TrialMark(**document)
