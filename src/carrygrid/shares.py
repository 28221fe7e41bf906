"""Read-only links to a sweep."""

from dataclasses import dataclass
from typing import Any

from carrygrid.connection import Connection
from carrygrid.encoding import body_bytes


@dataclass(frozen=True, slots=True)
class Share:
    """A link that shows one sweep; `address` is that of a link made just now, else None."""

    id: int
    name: str
    view: str
    created_at: str
    expires_at: str | None
    address: str | None = None


class Shares:
    """Part of a sweep that makes and revokes links to it."""

    _connection: Connection
    _path: str

    def share(self, *, name: str = "", view: str = "", days: int | None = None) -> Share:
        """Make a read-only link to the sweep for whoever has it; its address is shown once.

        `view` is the query of the page's address; it holds `days`, or until it is revoked.
        """
        asked: dict[str, Any] = {"name": name, "view": view, "days": days}
        made = self._connection.call("POST", f"{self._path}/shares", body=body_bytes(asked))
        return Share(**made | {"address": f"{self._connection.url}{made['address']}"})

    def shares(self) -> list[Share]:
        """Return the links to the sweep, the newest first."""
        return [Share(**one) for one in self._connection.call("GET", f"{self._path}/shares")["shares"]]

    def revoke_share(self, share_id: int) -> None:
        """End a link at once, for everybody who has it."""
        self._connection.call("DELETE", f"{self._path}/shares/{share_id}")
