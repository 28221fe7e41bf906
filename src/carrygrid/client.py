"""The service at one address."""

import json
from types import TracebackType
from typing import Any, Self, cast

from carrygrid.connection import Connection
from carrygrid.encoding import Body, body_bytes
from carrygrid.errors import ServiceError
from carrygrid.runs import Run, run_of
from carrygrid.settings import named_token, named_url
from carrygrid.sweep import Sweep
from carrygrid.waiting import wait_for

_TIMEOUT_S = 60.0
_LONGEST_KEY = 200


class Client:
    """A Carrygrid service: by default the one at CARRYGRID_API_URL, with CARRYGRID_API_TOKEN if there is one.

    Every call raises ServiceError if it is refused or not answered; `timeout_s` bounds one request. Amounts
    are Decimal. A client is for one thread at a time.
    """

    def __init__(
        self, url: str | None = None, token: str | None = None, *, timeout_s: float = _TIMEOUT_S
    ) -> None:
        self._connection = Connection(url or named_url(), token or named_token(), timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self._connection.url}>"

    def close(self) -> None:
        """Let go of the connections."""
        self._connection.close()

    def submit(self, spec: Body, idempotency_key: str | None = None) -> Sweep:
        """Submit a sweep: a mapping, JSON text, or a file.

        The same key and sweep again give the sweep that exists; a key is 1 to 200 printable ASCII characters,
        with no blank at either end. Numbers may be text, Decimal or arrays.
        """
        headers = {} if idempotency_key is None else {"Idempotency-Key": _checked(idempotency_key)}
        document = self._connection.call("POST", "/sweeps", body=body_bytes(spec), headers=headers)
        return Sweep(self._connection, document)

    def plan(self, spec: Body) -> dict[str, Any]:
        """Return the plan of a sweep: trials, rejected cells, time and space; submit nothing."""
        return self._connection.call("POST", "/sweeps/validate", body=body_bytes(spec))

    def sweep(self, sweep_id: int) -> Sweep:
        """Return a sweep by its number."""
        return Sweep(self._connection, self._connection.call("GET", f"/sweeps/{sweep_id}"))

    def sweeps(
        self,
        *,
        state: str | None = None,
        outcome: str | None = None,
        tag: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
    ) -> list[Sweep]:
        """Return sweeps: all, or those in one state, with one outcome or with one tag.

        The newest come first, or by `sort`: oldest, name, annualized_return, net_pnl_over_hold.
        """
        asked = (("state", state), ("outcome", outcome), ("tag", tag), ("sort", sort))
        query = {name: value for name, value in asked if value is not None}
        rows = self._connection.rows("/sweeps", "sweeps", query=query, limit=limit)
        return [Sweep(self._connection, document) for document in rows]

    def backtest(self, config: Body, timeout_s: float | None = None) -> Run:
        """Do one run on the service and wait for its result; raises ServiceError, TimeoutError."""
        job = self._connection.call("POST", "/backtests", body=body_bytes(config))
        path = f"/backtests/{job['id']}"
        return wait_for(
            lambda: run_of(self._connection.call("GET", path)), timeout_s, f"backtest {job['id']}"
        )

    def coverage(self) -> list[dict[str, Any]]:
        """Return the market data that the service holds, gaps included, one entry an exchange."""
        return cast("list[dict[str, Any]]", self._connection.call("GET", "/data/coverage")["exchanges"])

    def looks(self, exchange: str | None = None) -> list[dict[str, Any]]:
        """Return every run whose result could be seen, by market and days, deleted sweeps included."""
        query = {} if exchange is None else {"exchange": exchange}
        return cast("list[dict[str, Any]]", self._connection.call("GET", "/looks", query=query)["looks"])

    def seals(self) -> list[dict[str, Any]]:
        """Return the seals, with the looks taken at them."""
        return cast("list[dict[str, Any]]", self._connection.call("GET", "/seals")["seals"])

    def seal(self, exchange: str, day: str, *, insist: bool = False) -> dict[str, Any]:
        """Seal an exchange from a day on; `insist` where runs have read it, and the seal is tainted."""
        body = body_bytes({"exchange": exchange, "from": day, "insist": insist})
        return self._connection.call("POST", "/seals", body=body)

    def look(self, seal_id: int, sweep_id: int, trial: int) -> dict[str, Any]:
        """Replay a trial to the newest data and judge it from the seal on; written down, then shown."""
        body = body_bytes({"sweep": sweep_id, "trial": trial})
        return self._connection.call("POST", f"/seals/{seal_id}/looks", body=body)

    def promotions(self) -> list[dict[str, Any]]:
        """Return the first promotion of each trial, with what is known of the days after it."""
        return cast("list[dict[str, Any]]", self._connection.call("GET", "/promotions")["promotions"])

    def decay(self, promotion_id: int) -> dict[str, Any]:
        """Replay a promoted trial to the newest data, and return its promotion with the days after judged."""
        return self._connection.call("POST", f"/promotions/{promotion_id}/decay")

    def open_seal(self, seal_id: int) -> dict[str, Any]:
        """End a seal for everything and for ever."""
        return self._connection.call("POST", f"/seals/{seal_id}/open")

    def strategies(self) -> dict[str, Any]:
        """Return the strategies with parameters, defaults and presets."""
        return self._connection.call("GET", "/strategies")


def _checked(key: str) -> str:
    """Return a key that can be sent; raises ServiceError: the library would call others a failed call."""
    if 1 <= len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable() and key == key.strip():
        return key
    rule = f"is not 1 to {_LONGEST_KEY} printable ASCII characters without blanks at its ends"
    raise ServiceError.misstated("idempotency_key", f"{json.dumps(key[:_LONGEST_KEY])} {rule}")
