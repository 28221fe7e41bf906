"""Calls to an exchange with retries of transient errors: cut connections, overload, unreadable answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bot.errors import ExchangeOfflineError, FetchError
from bot.market_store.fetch.exchanges import ccxt_errors

ATTEMPTS = 6
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60
_UNREADABLE = (TypeError, KeyError, IndexError, AttributeError, ValueError)
"""Errors ccxt raises on an answer that is no JSON of the exchange's, such as a proxy's page."""


class CallPolicy:
    """Retry policy of ccxt calls: the failures that get another attempt, and the pause before it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        errors = ccxt_errors()
        self._passing = (errors.NetworkError, errors.BadResponse, *_UNREADABLE)
        self._overload = (errors.DDoSProtection, errors.RateLimitExceeded)
        self.expected: tuple[type[Exception], ...] = (*self._passing, errors.BaseError)

    def pause_s(self, error: Exception, attempt: int) -> float:
        """Return the seconds to wait after failure number `attempt`.

        Raises: FetchError if the exchange refuses; ExchangeOfflineError after several attempts.
        """
        if not isinstance(error, self._passing):
            raise FetchError(f"{self._client.id} refuses: {_sentence(error)}") from error
        if attempt == ATTEMPTS:
            raise ExchangeOfflineError(
                f"{self._client.id} gives no usable answer: {_sentence(error)}"
            ) from error
        return max(_FIRST_PAUSE_S * (1 << (attempt - 1)), self._asked_pause(error))

    def _asked_pause(self, error: Exception) -> int:
        if not isinstance(error, self._overload):
            return 0
        asked = str((self._client.last_response_headers or {}).get("Retry-After", "")).strip()
        return min(int(asked), _LONGEST_PAUSE_S) if asked.isdigit() else 0


class ExchangeCalls:
    """Calls of one synchronous ccxt client; `pause` waits for so many seconds."""

    def __init__(self, client: Any, pause: Callable[[float], None] = time.sleep) -> None:
        self.client = client
        self._pause = pause
        self._policy = CallPolicy(client)

    def __call__(self, method: str, *arguments: Any) -> Any:
        """Return the answer of the client's method.

        Raises: FetchError if the exchange refuses; ExchangeOfflineError after several attempts.
        """
        attempt = 1
        while True:
            try:
                return getattr(self.client, method)(*arguments)
            except self._policy.expected as error:
                pause_s = self._policy.pause_s(error, attempt)
            self._pause(pause_s)
            attempt += 1


class AsyncExchangeCalls:
    """The asyncio twin of `ExchangeCalls`, for ccxt's asynchronous clients."""

    def __init__(self, client: Any, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.client = client
        self._pause = pause
        self._policy = CallPolicy(client)

    async def __call__(self, method: str, *arguments: Any) -> Any:
        """Return the answer of the client's method; raises as `ExchangeCalls` does."""
        attempt = 1
        while True:
            try:
                return await getattr(self.client, method)(*arguments)
            except self._policy.expected as error:
                pause_s = self._policy.pause_s(error, attempt)
            await self._pause(pause_s)
            attempt += 1


def _sentence(error: Exception) -> str:
    """Return what an error says, and what began it: ccxt names the address alone where it is not reached."""
    text, began = _said(error), _said(_first_cause(error))
    return text if began in text else f"{text}: {began}"


def _first_cause(error: BaseException) -> BaseException:
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."
