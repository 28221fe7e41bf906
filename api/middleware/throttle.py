"""Rate limit of one client: a bucket of requests for each, that fills again as time passes."""

from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors.handlers import problem_response
from api.errors.http_errors import TooManyRequestsError
from bot.clock import Clock

LOGIN_PATH = "/dashboard/login"
LOGINS_PER_MINUTE = 10
BURST_SECONDS = 5
_FREE_PATHS = ("/healthz", "/dashboard/static/", "/static-offline-docs/")
_MOST_CLIENTS = 10_000


@dataclass(slots=True)
class _Bucket:
    requests: float
    at_ms: int


class Buckets:
    """Allows each client `per_second` requests in the long run, and `most` at once."""

    def __init__(self, per_second: float, most: int) -> None:
        self._per_second = per_second
        self._most = most
        self._held: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, client: str, now_ms: int) -> float:
        """Take a request of `client`, and return 0; or return how long there is none to take."""
        bucket = self._held.setdefault(client, _Bucket(self._most, now_ms))
        self._held.move_to_end(client)
        if len(self._held) > _MOST_CLIENTS:
            self._held.popitem(last=False)
        passed_s = max(now_ms - bucket.at_ms, 0) / 1000
        bucket.requests = min(self._most, bucket.requests + passed_s * self._per_second)
        bucket.at_ms = now_ms
        if bucket.requests < 1:
            return (1 - bucket.requests) / self._per_second
        bucket.requests -= 1
        return 0.0


class Throttle:
    """ASGI layer that puts off clients who ask too often; `per_second` 0 lets everybody pass."""

    def __init__(self, app: ASGIApp, per_second: int, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._requests = Buckets(per_second, per_second * BURST_SECONDS) if per_second else None
        self._logins = Buckets(LOGINS_PER_MINUTE / 60, LOGINS_PER_MINUTE) if per_second else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 429 with the time to wait, or hand on."""
        wait_s = self._wait_s(scope) if scope["type"] == "http" else 0.0
        refusal = problem_response(TooManyRequestsError(wait_s)) if wait_s else None
        await (refusal or self._app)(scope, receive, send)

    def _wait_s(self, scope: Scope) -> float:
        path = str(scope["path"])
        if path.startswith(_FREE_PATHS):
            return 0.0
        is_login = path == LOGIN_PATH and scope["method"] == "POST"
        buckets = self._logins if is_login else self._requests
        client = scope.get("client")
        return buckets.wait_s(client[0] if client else "", self._clock.now_ms()) if buckets else 0.0
