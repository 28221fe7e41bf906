"""Download of what exchanges publish beside candles, funding and brackets: fees and borrow rates."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from bot.market.records.borrow_rates import BorrowRate, parse_borrow_rate
from bot.market.records.fee_rows import MARKETS, FeeRow, parse_fee_row
from bot.market.rules import RowRefusedError, market_number
from bot.market_store.fetch.exchange_calls import ExchangeCalls
from bot.market_store.importers.files.text_lines import RefusalLog
from bot.numbers.money import exact, plain

LENDING = ("okx",)
"""Exchanges whose borrow rates are public; the others ask for an account."""
BASE_TIER = "base"
"""Tier of fetched fees: that of an account which has traded nothing."""
PAGE_ROWS = 100
"""Borrow rates in one answer."""
_HOURS_A_YEAR = 8760
_RATE_STEP = Decimal("1e-18")


def fee_rows_of(markets: Iterable[Mapping[str, Any]], now_ms: int) -> list[FeeRow]:
    """Return the base tier's rates from now on, by kind of market: those that most of its markets have."""
    rates: dict[str, Counter[tuple[str, str]]] = {kind: Counter() for kind in MARKETS}
    for market in markets:
        kind = _kind(market)
        if kind is not None and None not in (market.get("maker"), market.get("taker")):
            rates[kind][str(market["maker"]), str(market["taker"])] += 1
    found = []
    for kind, known in rates.items():
        if known:
            (maker, taker), _ = max(known.items(), key=lambda item: (item[1], item[0]))
            values = {"from_ms": str(now_ms), "market": kind, "tier": BASE_TIER, "min_volume": "0"}
            found.append(parse_fee_row({**values, "maker": maker, "taker": taker}))
    return found


def _kind(market: Mapping[str, Any]) -> str | None:
    if market.get("spot"):
        return "spot"
    return next((kind for kind in ("linear", "inverse") if market.get("swap") and market.get(kind)), None)


class Stretch(NamedTuple):
    """A stretch of time [from_ms, until_ms); what is held follows it, or it follows what is held."""

    from_ms: int
    until_ms: int
    follows: bool


def missing(since_ms: int, until_ms: int, held: Sequence[BorrowRate]) -> list[Stretch]:
    """Return the stretches of [since_ms, until_ms) after and before the rates that are held."""
    if not held:
        return [Stretch(since_ms, until_ms, follows=False)]
    found = (
        Stretch(held[-1].from_ms + 1, until_ms, follows=True),
        Stretch(since_ms, held[0].from_ms, follows=False),
    )
    return [one for one in found if one.from_ms < one.until_ms]


def okx_borrow_rates(
    calls: ExchangeCalls, coin: str, stretch: Stretch, refusals: RefusalLog
) -> Iterator[list[BorrowRate]]:
    """Yield the rates of a stretch page by page, the newest page first, each ascending.

    OKX publishes the rate of a year, whatever the period says that ccxt gives it.
    Raises: FetchError if the exchange does not answer.
    """
    upper_ms = stretch.until_ms
    while upper_ms > stretch.from_ms:
        page = borrow_page_read(calls(*borrow_page_asked(coin, upper_ms)), upper_ms, stretch, refusals)
        yield page.rates
        if page.oldest_ms >= upper_ms:
            break
        upper_ms = page.oldest_ms


class BorrowPage(NamedTuple):
    """Rates of one answer, ascending, and the time of the oldest row in it."""

    rates: list[BorrowRate]
    oldest_ms: int


def borrow_page_asked(coin: str, upper_ms: int) -> tuple[Any, ...]:
    """Return ccxt's method and arguments for the newest rates of OKX before a moment."""
    return "fetch_borrow_rate_history", coin, None, PAGE_ROWS, {"after": str(upper_ms)}


def borrow_page_read(
    rows: Sequence[Mapping[str, Any]], upper_ms: int, stretch: Stretch, refusals: RefusalLog
) -> BorrowPage:
    """Return the rates of a stretch in an answer of OKX."""
    oldest_ms = min((int(row["timestamp"]) for row in rows), default=upper_ms)
    found: dict[int, BorrowRate] = {}
    for number, row in enumerate(rows, 1):
        if stretch.from_ms <= int(row["timestamp"]) < stretch.until_ms:
            _take(found, row, number, refusals)
    return BorrowPage([found[t_ms] for t_ms in sorted(found)], oldest_ms)


def _take(found: dict[int, BorrowRate], row: Mapping[str, Any], number: int, refusals: RefusalLog) -> None:
    try:
        yearly = market_number(str(row["info"]["rate"]), "rate")
        with exact():
            hourly = (yearly / _HOURS_A_YEAR).quantize(_RATE_STEP)
        values = {"timestamp_ms": str(int(row["timestamp"])), "hourly_rate": plain(hourly)}
        rate = parse_borrow_rate(values)
    except RowRefusedError as error:
        refusals.add_error(number, error)
        return
    found[rate.from_ms] = rate
