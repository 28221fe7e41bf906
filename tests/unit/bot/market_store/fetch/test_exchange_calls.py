"""Calls to an exchange that fail: what is said of them."""

from collections.abc import Iterator

import pytest

from bot.errors import ExchangeOfflineError
from bot.market_store.fetch.exchange_calls import ATTEMPTS, ExchangeCalls
from bot.market_store.fetch.exchanges import ccxt_errors

ADDRESS = "binance GET https://api.binance.com/api/v3/time"


class _Unreachable:
    """Client of an exchange whose calls end in one error, begun by another."""

    id = "binance"
    last_response_headers = None

    def __init__(self, error: Exception, cause: Exception | None) -> None:
        self._error, self._cause = error, cause

    def fetch_time(self) -> None:
        raise self._error from self._cause


def causes() -> Iterator[tuple[Exception, Exception | None, str]]:
    errors = ccxt_errors()
    nobody = OSError(-2, "Name or service not known")
    yield errors.NetworkError(ADDRESS), nobody, f"{ADDRESS}: [Errno -2] Name or service not known"
    yield errors.RequestTimeout(f"{ADDRESS} timed out"), TimeoutError("timed out"), f"{ADDRESS} timed out"
    yield errors.BadResponse("no JSON"), None, "no JSON"


@pytest.mark.parametrize(("error", "cause", "said"), [*causes()], ids=["no name", "no time", "no cause"])
def test_exchange_that_is_not_reached_is_told_with_what_kept_it(
    error: Exception, cause: Exception | None, said: str
) -> None:
    pauses: list[float] = []
    calls = ExchangeCalls(_Unreachable(error, cause), pauses.append)
    with pytest.raises(ExchangeOfflineError) as refusal:
        calls("fetch_time")
    assert str(refusal.value) == f"binance gives no usable answer: {said}"
    assert len(pauses) == ATTEMPTS - 1
