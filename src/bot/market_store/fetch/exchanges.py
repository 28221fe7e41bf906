"""Clients of exchanges' public REST interfaces through ccxt, which is an optional extra."""

import importlib
import importlib.util
from typing import Any

from bot.errors import InvalidInputError, MissingExtraError
from bot.notation import quoted

EXCHANGES = ("binance", "bybit", "okx", "hyperliquid")
TIMEOUT_MS = 10_000

_MARKETS = {
    "binance": ["spot", "linear"],
    "bybit": ["spot", "linear"],
    "okx": ["spot", "swap"],
    "hyperliquid": ["spot", "swap"],
}


def open_client(
    exchange: str,
    *,
    api_url: str | None = None,
    timeout_ms: int = TIMEOUT_MS,
    asynchronous: bool = False,
    inverse: bool = False,
) -> Any:
    """Return a ccxt client of the spot and linear perp markets; every number it returns is exact text.

    With `inverse` perps that settle in coins are among them. `api_url` (http://host:port) takes the place of
    the exchange's own addresses, paths stay as they are.
    Raises: InvalidInputError for an exchange we do not know; MissingExtraError without ccxt.
    """
    if exchange not in EXCHANGES:
        raise InvalidInputError.of("exchange", f"{quoted(exchange)} is none of {', '.join(EXCHANGES)}")
    types = [*_MARKETS[exchange], *(["inverse"] if inverse and "linear" in _MARKETS[exchange] else [])]
    client = getattr(_ccxt(asynchronous=asynchronous), exchange)(
        {
            "enableRateLimit": True,
            "timeout": timeout_ms,
            "options": {"fetchMarkets": {"types": types}, "adjustForTimeDifference": False},
        }
    )
    client.number = str
    _insist_on_json(client)
    if api_url is not None:
        client.urls["api"] = _redirected(client.urls["api"], _checked(api_url))
    return client


def require_ccxt() -> None:
    """Raise MissingExtraError, which says what to install, where ccxt is not."""
    if importlib.util.find_spec("ccxt") is None:
        raise _missing()


def ccxt_errors() -> Any:
    """Return the module of ccxt's exceptions; raises MissingExtraError without ccxt."""
    return _ccxt(asynchronous=False)


def _insist_on_json(client: Any) -> None:
    # ccxt reads a proxy's page, or half an answer, as an empty list of rows or markets.
    passed_on = client.on_rest_response

    def checked(code: int, *answer: Any) -> Any:
        text = passed_on(code, *answer)
        if 200 <= code < 300 and client.parse_json(text) is None:
            raise ccxt_errors().BadResponse(f"{client.id} answers with something that is no JSON")
        return text

    client.on_rest_response = checked


def _ccxt(*, asynchronous: bool) -> Any:
    try:
        return importlib.import_module("ccxt.async_support" if asynchronous else "ccxt")
    except ModuleNotFoundError:
        raise _missing() from None


def _missing() -> MissingExtraError:
    return MissingExtraError("access to exchanges needs the package ccxt; pip install carrygrid[live]")


def _checked(api_url: str) -> str:
    if not api_url.startswith(("http://", "https://")):
        raise InvalidInputError.of(
            "api_url", f"{quoted(api_url)} is no address such as http://127.0.0.1:8080"
        )
    return api_url.rstrip("/")


def _redirected(urls: Any, api_url: str) -> Any:
    if isinstance(urls, dict):
        return {name: _redirected(url, api_url) for name, url in urls.items()}
    _scheme, _, rest = urls.partition("://")
    _host, slash, path = rest.partition("/")
    return f"{api_url}{slash}{path}"
