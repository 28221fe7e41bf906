"""The service from a shell: one HTTP client whose errors read like those of every other command."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, cast

import httpx2

from api.problems import Problem, ProblemError
from api.settings import Settings
from bot.errors import FieldError

_TIMEOUT_S = 60
_JSON = {"Content-Type": "application/json"}


class ApiClient:
    """Calls of the HTTP API at `CARRYGRID_API_URL`, with the token if there is one."""

    def __init__(self, settings: Settings, url: str | None = None) -> None:
        token = settings.api_token
        self.url = (url or settings.api_url).rstrip("/")
        self._http = httpx2.Client(
            base_url=self.url,
            timeout=_TIMEOUT_S,
            trust_env=False,
            headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else {},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def submit(self, spec: bytes) -> dict[str, Any]:
        """Submit the sweep whose JSON is `spec` and return its document."""
        return self._call("POST", "/sweeps", content=spec, headers=_JSON)

    def sweep(self, sweep_id: int) -> dict[str, Any]:
        """Return a sweep's document."""
        return self._call("GET", f"/sweeps/{sweep_id}")

    def trials(self, sweep_id: int, *, sort: str | None = None, limit: int = 10) -> list[dict[str, Any]]:
        """Return the first trials in the order asked for, by default the objective's."""
        query = {"limit": str(limit)} | ({"sort": sort} if sort else {})
        return cast(
            "list[dict[str, Any]]", self._call("GET", f"/sweeps/{sweep_id}/trials", params=query)["trials"]
        )

    def trial(self, sweep_id: int, number: int) -> dict[str, Any]:
        """Return a trial with its full configuration."""
        return self._call("GET", f"/sweeps/{sweep_id}/trials/{number}")

    def change(self, sweep_id: int, action: str) -> dict[str, Any]:
        """Cancel, pause, resume or retry a sweep and return its document."""
        return self._call("POST", f"/sweeps/{sweep_id}/{action}")

    def validate(self, spec: bytes) -> dict[str, Any]:
        """Return what the sweep whose JSON is `spec` would be."""
        return self._call("POST", "/sweeps/validate", content=spec, headers=_JSON)

    def update(self, sweep_id: int, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Tag, annotate or extend a sweep and return its document."""
        return self._call("PATCH", f"/sweeps/{sweep_id}", content=json.dumps(changes).encode(), headers=_JSON)

    def clone(self, sweep_id: int, changes: bytes) -> dict[str, Any]:
        """Submit a copy of a sweep, changed by the JSON object `changes`, and return its document."""
        return self._call("POST", f"/sweeps/{sweep_id}/clone", content=changes, headers=_JSON)

    def delete(self, sweep_id: int) -> None:
        """Remove a sweep."""
        self._call("DELETE", f"/sweeps/{sweep_id}")

    def sweeps(self, **query: str | None) -> list[dict[str, Any]]:
        """Return sweeps, newest first, narrowed by `query`."""
        given = {name: value for name, value in query.items() if value is not None}
        return cast("list[dict[str, Any]]", self._call("GET", "/sweeps", params=given)["sweeps"])

    def dashboard(self, sweep_id: int) -> str:
        """Return the address of a sweep's page."""
        return f"{self.url}/dashboard/sweeps/{sweep_id}"

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, params=params, content=content, headers=headers)
            document = response.json() if response.content else {}
        except httpx2.TransportError as error:
            raise ProblemError(_unreachable(self.url, str(error))) from None
        except ValueError:
            raise ProblemError(_unreachable(self.url, "its answer is no JSON")) from None
        if response.is_success:
            return cast("dict[str, Any]", document)
        raise ProblemError(_problem(document, response.status_code))


def _unreachable(url: str, reason: str) -> Problem:
    remedy = "start one with `carrygrid up`, or set CARRYGRID_API_URL"
    return Problem("api_unreachable", 503, f"no Carrygrid API answers at {url} ({reason}); {remedy}")


def _problem(document: Any, status: int) -> Problem:
    if not isinstance(document, dict) or "detail" not in document:
        return Problem("api_error", status, f"the API answered {status}")
    fields = tuple(FieldError(item["field"], item["message"]) for item in document.get("errors", ()))
    code = str(document.get("type", "")).rpartition(":")[2]
    return Problem(code, status, str(document["detail"]), fields)
