"""Calls to an exchange that are repeated while there is hope: cut lines, overload, unreadable answers."""

import time
from collections.abc import Callable
from typing import Any

from bot.data.exchanges import ccxt_errors
from bot.errors import FetchError

ATTEMPTS = 6
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0
_UNREADABLE = (TypeError, KeyError, IndexError, AttributeError, ValueError)
"""What ccxt raises on an answer that is no JSON of the exchange's, such as a proxy's page."""


class ExchangeCalls:
    """Calls of one ccxt client; `pause` waits for so many seconds."""

    def __init__(self, client: Any, pause: Callable[[float], None] = time.sleep) -> None:
        self.client = client
        self._pause = pause
        errors = ccxt_errors()
        self._passing = (errors.NetworkError, errors.BadResponse, *_UNREADABLE)
        self._refusals = errors.BaseError

    def __call__(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Return what the client's method answers.

        Raises: FetchError if it refuses, or does not answer after several attempts.
        """
        attempt = 1
        while True:
            try:
                return getattr(self.client, method)(*arguments, **named)
            except self._passing as error:
                if attempt == ATTEMPTS:
                    raise FetchError(
                        f"{self.client.id} gives no usable answer: {_sentence(error)}"
                    ) from error
                self._pause(max(_FIRST_PAUSE_S * 2 ** (attempt - 1), self._asked_pause(error)))
                attempt += 1
            except self._refusals as error:
                raise FetchError(f"{self.client.id} refuses: {_sentence(error)}") from error

    def _asked_pause(self, error: Exception) -> float:
        if not isinstance(error, ccxt_errors().DDoSProtection | ccxt_errors().RateLimitExceeded):
            return 0.0
        asked = str((self.client.last_response_headers or {}).get("Retry-After", ""))
        return min(float(asked), _LONGEST_PAUSE_S) if asked.isdigit() else 0.0


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."
