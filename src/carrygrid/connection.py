"""HTTP to one Carrygrid API; every failure is a ServiceError."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import httpx2

from carrygrid.errors import ServiceError
from carrygrid.settings import DEFAULT_URL, TOKEN_VARIABLE, URL_VARIABLE
from carrygrid.whole_files import whole

PAGE_ROWS = 1000
"""The most rows that the API gives at once."""


class Connection:
    """Calls of the API at `url`, with its token if there is one."""

    def __init__(self, url: str, token: str | None, timeout_s: float) -> None:
        """Connect to nothing yet; raises ServiceError for an address or a token that cannot be one."""
        self.url = url.rstrip("/")
        _check(self.url, token)
        self._http = httpx2.Client(
            base_url=self.url,
            timeout=timeout_s,
            trust_env=False,
            headers={b"Authorization": f"Bearer {token}".encode()} if token else {},
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON document that the API answers; raises ServiceError."""
        sent = dict(headers or {}) | ({} if body is None else {"Content-Type": "application/json"})
        try:
            response = self._http.request(method, path, params=query, content=body, headers=sent)
            document = response.json() if response.content else {}
        except httpx2.TransportError as error:
            raise self._unreachable(error) from None
        except ValueError:
            raise ServiceError.unreachable(self.url, "its answer is no JSON") from None
        if response.is_success:
            return cast("dict[str, Any]", document)
        raise ServiceError.of(document, response.status_code)

    def rows(
        self, path: str, name: str, *, query: Mapping[str, str], limit: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows called `name` of every page, up to `limit`; raises ServiceError."""
        asked, left = dict(query), limit
        while left is None or left > 0:
            asked["limit"] = str(PAGE_ROWS if left is None else min(left, PAGE_ROWS))
            page = self.call("GET", path, query=asked)
            yield from page[name]
            left = None if left is None else left - len(page[name])
            if page["next_cursor"] is None:
                return
            asked["cursor"] = page["next_cursor"]

    def chunks(self, path: str, *, query: Mapping[str, str]) -> Iterator[bytes]:
        """Yield a file as it arrives; raises ServiceError, also if it breaks off."""
        try:
            with self._http.stream("GET", path, params=query) as response:
                if not response.is_success:
                    response.read()
                    raise ServiceError.of(_json(response), response.status_code)
                yield from response.iter_bytes()
        except httpx2.TransportError as error:
            raise self._unreachable(error) from None

    def download(self, path: str, target: Path, *, query: Mapping[str, str]) -> None:
        """Write a file to `target`, which appears only once it is whole; raises ServiceError, OSError."""
        with whole(target) as file:
            file.writelines(self.chunks(path, query=query))

    def _unreachable(self, error: httpx2.TransportError) -> ServiceError:
        return ServiceError.unreachable(self.url, str(error) or type(error).__name__)


def _json(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _check(url: str, token: str | None) -> None:
    try:
        address = httpx2.URL(url)
        usable = address.scheme in {"http", "https"} and bool(address.host) and (address.port or 1) < 2**16
        usable = usable and "?" not in url and "#" not in url  # paths are put behind it
    except httpx2.InvalidURL:
        usable = False
    if not usable:
        raise ServiceError.misstated(URL_VARIABLE, f"{json.dumps(url)} is no address such as {DEFAULT_URL}")
    if token is not None and not token.isprintable():
        # Not shown: it is secret, and the library would.
        raise ServiceError.misstated(TOKEN_VARIABLE, "holds a character that no token has: a line break?")
