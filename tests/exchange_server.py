"""Exchanges' public REST interfaces on this machine, in each one's own shapes, failing on request."""

import contextlib
import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from servers import LOOPBACK

HOUR_MS = 3_600_000
TIMEFRAMES_MS = {"1h": HOUR_MS, "60": HOUR_MS, "1H": HOUR_MS, "4h": 4 * HOUR_MS}

Query = Mapping[str, str]
Rows = Sequence[Sequence[Any]]


@dataclass(slots=True)
class Failure:
    """An answer that goes wrong: an HTTP status with headers and body, or a line cut in mid-answer."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


@dataclass(slots=True)
class ServedPair:
    """One pair by the exchange's coin name: hourly rows of text per leg, and (time, rate) settlements.

    The perp of an `inverse` one settles in coins; its volumes, in coins here, are told in contracts too.
    """

    coin: str
    spot_coin: str
    spot: Rows
    perp: Rows
    mark: Rows
    funding: Rows
    borrow: Rows | None = ()
    inverse: bool = False


@dataclass(slots=True)
class ExchangeServer(ABC):
    """Data that is served; nothing later than `now_ms` is told. Each path meets its `failures` first."""

    pair: ServedPair
    now_ms: int
    url: str = ""
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    stop_after: int | None = None
    answers_after_s: float = 0.0

    @abstractmethod
    def answer(self, path: str, query: dict[str, Any]) -> Any:
        """Return the JSON document of a request."""

    def rows(self, held: Rows, from_ms: int, until_ms: int) -> list[Sequence[Any]]:
        """Return the rows of [from_ms, until_ms] that have begun by now, oldest first."""
        return [row for row in held if from_ms <= row[0] <= min(until_ms, self.now_ms)]


class Binance(ExchangeServer):
    """Spot and USD-M futures of Binance: oldest rows first."""

    def answer(self, path: str, query: dict[str, Any]) -> Any:
        legs = {
            "/api/v3/klines": self.pair.spot,
            "/fapi/v1/klines": self.pair.perp,
            "/fapi/v1/markPriceKlines": self.pair.mark,
            "/dapi/v1/klines": self.pair.perp,
            "/dapi/v1/markPriceKlines": self.pair.mark,
        }
        if path.endswith("/time"):
            return {"serverTime": self.now_ms}
        if path == "/api/v3/exchangeInfo":
            return {"symbols": [self._market(self.pair.spot_coin, "0.00001", "1")]}
        if path.endswith("pi/v1/exchangeInfo"):
            return {"symbols": [self._perp()] if path.startswith("/dapi") == self.pair.inverse else []}
        span = int(query.get("startTime", 0)), int(query.get("endTime", self.now_ms))
        limit = int(query["limit"])
        if path.endswith("/fundingRate"):
            found = self.rows(self.pair.funding, *span)[:limit]
            return [
                {"symbol": query["symbol"], "fundingRate": r, "fundingTime": t, "markPrice": "100.5"}
                for t, r in found
            ]
        found = self.rows(legs[path], *span)[:limit]
        if path.startswith("/dapi"):
            return [[t, *v[:4], "77777", t + HOUR_MS - 1, v[4], 1, "0", "0", "0"] for t, *v in found]
        return [[t, *values, t + HOUR_MS - 1, "0", 1, "0", "0", "0"] for t, *values in found]

    def _perp(self) -> dict[str, Any]:
        perp = {**self._market(self.pair.coin, "0.001", "100"), "contractType": "PERPETUAL", "pair": ""}
        if not self.pair.inverse:
            return {**perp, "marginAsset": "USDT"}
        names = {"symbol": f"{self.pair.coin}USD_PERP", "quoteAsset": "USD", "marginAsset": self.pair.coin}
        return {**perp, **names, "contractSize": 100, "contractStatus": "TRADING"}

    def _market(self, coin: str, step: str, least: str) -> dict[str, Any]:
        return {
            "symbol": f"{coin}USDT",
            "status": "TRADING",
            "baseAsset": coin,
            "quoteAsset": "USDT",
            "isSpotTradingAllowed": True,
            "permissionSets": [["SPOT"]],
            "filters": [
                {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "1000", "stepSize": step},
                {"filterType": "MIN_NOTIONAL", "notional": least, "minNotional": least},
            ],
        }


class Bybit(ExchangeServer):
    """Spot and linear contracts of Bybit: newest rows first."""

    def answer(self, path: str, query: dict[str, Any]) -> Any:
        return {"retCode": 0, "retMsg": "OK", "result": self._result(path, query), "time": self.now_ms}

    def _result(self, path: str, query: Query) -> Any:
        if path == "/v5/market/time":
            return {"timeSecond": str(self.now_ms // 1000), "timeNano": str(self.now_ms * 1_000_000)}
        category = query.get("category", "linear")
        if path == "/v5/market/instruments-info":
            is_listed = category in {"spot", "inverse" if self.pair.inverse else "linear"}
            listed = [self._market(category)] if is_listed and "status" not in query else []
            return {"category": category, "list": listed}
        if path == "/v5/market/risk-limit":
            tiers = [("2000000", "0.01", "50"), ("3000000", "0.015", "33.3")]
            names = ("riskLimitValue", "maintenanceMargin", "maxLeverage")
            market = {"symbol": query["symbol"]}
            return {
                "list": [
                    {**market, "id": number, **dict(zip(names, tier, strict=True))}
                    for number, tier in enumerate(tiers, 1)
                ]
            }
        limit = int(query["limit"])
        if path == "/v5/market/funding/history":
            found = self.rows(self.pair.funding, int(query["startTime"]), int(query["endTime"]))
            market = {"symbol": query["symbol"]}
            listed = [{**market, "fundingRate": r, "fundingRateTimestamp": str(t)} for t, r in found]
            return {"category": category, "list": listed[::-1][:limit]}
        legs = {"/v5/market/mark-price-kline": self.pair.mark}
        held = legs.get(path, self.pair.spot if category == "spot" else self.pair.perp)
        found = self.rows(held, int(query["start"]), int(query["end"]))
        volumes = ["77777"] if category == "inverse" else []
        rows = [[str(t), *v[:4], *volumes, *v[4:], "0"] for t, *v in found]
        return {"category": category, "list": rows[::-1][:limit]}

    def _market(self, category: str) -> dict[str, Any]:
        coin = self.pair.spot_coin if category == "spot" else self.pair.coin
        names = {"symbol": f"{coin}USDT", "baseCoin": coin, "quoteCoin": "USDT", "status": "Trading"}
        if category == "spot":
            return {**names, "lotSizeFilter": {"basePrecision": "0.000001", "minOrderQty": "0.00005"}}
        lots = {"qtyStep": "0.01", "minOrderQty": "0.02", "maxOrderQty": "100"}
        if category == "inverse":
            lots = {"qtyStep": "1", "minOrderQty": "1", "maxOrderQty": "1000000"}
            names = {**names, "symbol": f"{coin}USD", "quoteCoin": "USD", "settleCoin": coin}
            return {**names, "contractType": "InversePerpetual", "lotSizeFilter": lots}
        return {**names, "contractType": "LinearPerpetual", "settleCoin": "USDT", "lotSizeFilter": lots}


class Okx(ExchangeServer):
    """Spot and swaps of OKX: contracts of a hundredth coin, newest rows first, both bounds exclusive."""

    def answer(self, path: str, query: dict[str, Any]) -> Any:
        if path.endswith("lending-rate-history") and self.pair.borrow is None:
            return {"code": "51000", "msg": "Parameter ccy error", "data": []}
        return {"code": "0", "msg": "", "data": self._data(path, query)}

    def _data(self, path: str, query: Query) -> Any:
        facts = {
            "/api/v5/public/time": {"ts": str(self.now_ms)},
            "/api/v5/public/instruments": self._market(swap=query.get("instType") == "SWAP"),
            "/api/v5/public/mark-price": {"instId": query.get("instId", ""), "markPx": "104.7"},
        }
        if path in facts:
            return [facts[path]]
        return self._tiers(query) if path == "/api/v5/public/position-tiers" else self._rows(path, query)

    def _rows(self, path: str, query: Query) -> Any:
        before, after = int(query.get("before", 0)), int(query.get("after", self.now_ms + 1))
        limit = int(query.get("limit", 100))
        if path == "/api/v5/public/funding-rate-history":
            found = self.rows(self.pair.funding, before + 1, after - 1)
            market = {"instType": "SWAP", "instId": query["instId"], "fundingRate": "0.9"}
            listed = [{**market, "realizedRate": r, "fundingTime": str(t)} for t, r in found]
            return listed[::-1][:limit]
        if path == "/api/v5/finance/savings/lending-rate-history":
            found = self.rows(self.pair.borrow or (), before + 1, after - 1)[::-1][:limit]
            return [{"ccy": query["ccy"], "amt": "1", "rate": rate, "ts": str(t)} for t, rate in found]
        held = self._leg(path, query["instId"])
        found = self.rows(held, before + 1, after - 1)[::-1][:limit]
        if held is self.pair.mark:
            return [[str(t), *values[:4], "1"] for t, *values in found]
        if held is self.pair.spot:
            return [[str(t), *values, "0", "0", "1"] for t, *values in found]
        return [[str(t), *values[:4], "77777", values[4], "0", "1"] for t, *values in found]

    def _tiers(self, query: Query) -> Any:
        tiers = (("1", "0.004", "100", "0", "1000"), ("2", "0.01", "50", "1000.1", "5000"))
        names = ("tier", "mmr", "maxLever", "minSz", "maxSz")
        common = {"instId": "", "uly": query["uly"], "baseMaxLoan": "", "optMgnFactor": "0"}
        return [{**common, **dict(zip(names, tier, strict=True))} for tier in tiers]

    def _leg(self, path: str, market: str) -> Rows:
        if "mark-price" in path:
            return self.pair.mark
        return self.pair.perp if market.endswith("-SWAP") else self.pair.spot

    def _market(self, *, swap: bool) -> dict[str, Any]:
        if not swap:
            name, coin = f"{self.pair.spot_coin}-USDT", self.pair.spot_coin
            lots = {"lotSz": "0.00001", "minSz": "0.00002"}
            return {
                "instId": name,
                "instType": "SPOT",
                "baseCcy": coin,
                "quoteCcy": "USDT",
                "state": "live",
                **lots,
            }
        inverse, coin = self.pair.inverse, self.pair.coin
        name = f"{coin}-{'USD' if inverse else 'USDT'}"
        kind = {"ctType": "inverse", "ctVal": "100"} if inverse else {"ctType": "linear", "ctVal": "0.01"}
        market = {
            "instId": f"{name}-SWAP",
            "instType": "SWAP",
            "uly": name,
            "settleCcy": coin if inverse else "USDT",
            "state": "live",
        }
        return {**market, **kind, "ctMult": "1", "lotSz": "0.1", "minSz": "0.1"}


class Hyperliquid(ExchangeServer):
    """Perps and spot of Hyperliquid: one path, the question is in the body."""

    def answer(self, path: str, query: dict[str, Any]) -> Any:
        kind = query["type"]
        steps = [{"lowerBound": "0.0", "maxLeverage": 25}, {"lowerBound": "3000000.0", "maxLeverage": 3}]
        tables = [[56, {"description": "tiered", "marginTiers": steps}]]
        facts: dict[str, Any] = {
            "exchangeStatus": {"specialStatuses": None, "time": self.now_ms},
            "meta": {"universe": [], "marginTables": tables},
        }
        if kind in facts:
            return facts[kind]
        if kind == "metaAndAssetCtxs":
            market = {"name": self.pair.coin, "szDecimals": 3, "maxLeverage": 25, "marginTableId": 56}
            return [{"universe": [market]}, [{"markPx": "100", "midPx": "100", "funding": "0"}]]
        if kind == "spotMetaAndAssetCtxs":
            tokens = [{"name": "USDC", "szDecimals": 8, "index": 0}]
            tokens.append({"name": self.pair.spot_coin, "szDecimals": 5, "index": 1})
            market = {"name": "@142", "tokens": [1, 0], "index": 0}
            return [{"universe": [market], "tokens": tokens}, [{"markPx": "100", "midPx": "100"}]]
        if kind == "fundingHistory":
            found = self.rows(self.pair.funding, query["startTime"], query["endTime"])[:500]
            return [{"coin": self.pair.coin, "fundingRate": r, "premium": "0", "time": t} for t, r in found]
        if kind != "candleSnapshot":
            return []
        asked = query["req"]
        held = self.pair.perp if asked["coin"] == self.pair.coin else self.pair.spot
        names = ("o", "h", "l", "c", "v")
        return [
            {
                "t": t,
                "T": t + HOUR_MS - 1,
                "s": asked["coin"],
                "i": "1h",
                **dict(zip(names, values, strict=True)),
            }
            for t, *values in self.rows(held, asked["startTime"], asked["endTime"])
        ]


DIALECTS: Mapping[str, type[ExchangeServer]] = {
    "binance": Binance,
    "bybit": Bybit,
    "okx": Okx,
    "hyperliquid": Hyperliquid,
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    exchange: ExchangeServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._tell(parts.path, dict(parse_qsl(parts.query)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._tell(urlsplit(self.path).path, json.loads(body))

    def _tell(self, path: str, query: dict[str, Any]) -> None:
        exchange = self.exchange
        exchange.requests.append((path, query))
        time.sleep(exchange.answers_after_s)
        if exchange.stop_after is not None and len(exchange.requests) > exchange.stop_after:
            self._send(403, {}, b'{"msg": "closed"}')
        elif exchange.failures:
            self._fail(exchange.failures.pop(0))
        else:
            self._send(200, {}, json.dumps(exchange.answer(path, query)).encode())

    def _fail(self, failure: Failure) -> None:
        if failure.status:
            self._send(failure.status, failure.headers, failure.body)
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'[["half')
        self.close_connection = True

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


@contextlib.contextmanager
def serving(exchange: ExchangeServer) -> Iterator[ExchangeServer]:
    """Serve `exchange` at its `url` until the end of the block."""
    handler = type("Handler", (_Handler,), {"exchange": exchange})
    server = ThreadingHTTPServer((LOOPBACK, 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    exchange.url = f"http://{LOOPBACK}:{server.server_address[1]}"
    try:
        yield exchange
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
