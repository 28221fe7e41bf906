"""An exchange's public REST interface on this machine, in Binance's words, whose clock the test moves."""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from servers import LOOPBACK

HOUR_MS = 3_600_000


@dataclass(slots=True)
class LiveExchange:
    """One pair, `rows` as in `builders.MarketRows`; nothing later than `now_ms` is told.

    `failures` are the HTTP statuses of the next answers; 0 cuts the connection.
    """

    market: str
    rows: Mapping[str, Any]
    now_ms: int
    url: str = ""
    requests: list[str] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)

    def answer(self, path: str, query: Mapping[str, str]) -> Any:
        """Return the JSON that a path answers with."""
        tables = {
            "/api/v3/time": lambda: {"serverTime": self.now_ms},
            "/fapi/v1/time": lambda: {"serverTime": self.now_ms},
            "/api/v3/exchangeInfo": lambda: {"symbols": [self._spot()]},
            "/fapi/v1/exchangeInfo": lambda: {"symbols": [self._perp()]},
            "/api/v3/klines": lambda: self._klines("spot", query),
            "/fapi/v1/klines": lambda: self._klines("perp", query),
            "/fapi/v1/markPriceKlines": lambda: self._klines("mark", query),
            "/fapi/v1/fundingRate": lambda: self._funding(query),
        }
        return tables[path]()

    def _klines(self, leg: str, query: Mapping[str, str]) -> list[list[Any]]:
        held = _page(self.rows[leg], query, self.now_ms)
        return [[t_ms, *numbers, t_ms + HOUR_MS - 1, "0", 1, "0", "0", "0"] for t_ms, *numbers in held]

    def _funding(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        return [
            {"symbol": self.market, "fundingRate": rate, "fundingTime": t_ms + 3, "markPrice": mark or ""}
            for t_ms, rate, _hours, mark in _page(self.rows["funding"], query, self.now_ms)
        ]

    def _spot(self) -> dict[str, Any]:
        base = self.market.removesuffix("USDT")
        return {
            "symbol": self.market,
            "status": "TRADING",
            "baseAsset": base,
            "quoteAsset": "USDT",
            "baseAssetPrecision": 8,
            "quoteAssetPrecision": 8,
            "isSpotTradingAllowed": True,
            "permissionSets": [["SPOT"]],
            "filters": _filters("0.00001"),
        }

    def _perp(self) -> dict[str, Any]:
        return {
            **self._spot(),
            "pair": self.market,
            "contractType": "PERPETUAL",
            "marginAsset": "USDT",
            "pricePrecision": 2,
            "quantityPrecision": 3,
            "filters": _filters("0.001"),
        }


def _filters(step: str) -> list[dict[str, str]]:
    return [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "1000", "stepSize": step},
        {"filterType": "MIN_NOTIONAL", "notional": "5", "minNotional": "5"},
    ]


def _page(rows: Sequence[Sequence[Any]], query: Mapping[str, str], now_ms: int) -> list[Sequence[Any]]:
    first, last = int(query.get("startTime", 0)), int(query.get("endTime", now_ms))
    held = [row for row in rows if first <= row[0] <= min(last, now_ms)]
    return held[: int(query.get("limit", 500))]


@contextlib.contextmanager
def serving(exchange: LiveExchange) -> Iterator[LiveExchange]:
    """Serve `exchange` at its `url` until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            exchange.requests.append(parts.path)
            status = exchange.failures.pop(0) if exchange.failures else 200
            if not status:
                self.close_connection = True
                return
            document = exchange.answer(parts.path, dict(parse_qsl(parts.query))) if status == 200 else {}
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """Say nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    exchange.url = f"http://{LOOPBACK}:{server.server_address[1]}"
    try:
        yield exchange
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
