"""Full hours whose rows are all known, and hours still to be waited for."""

from decimal import Decimal

from bot.market.rows import Rows, SeriesKind, funding_values
from bot.models import HOUR_MS, Instrument
from bot.paper.feed import Listing
from bot.paper.watermark import Patience, Watermark

NOON = 1_704_110_400_000
LISTED = Listing(Instrument(), {SeriesKind.SPOT: HOUR_MS, SeriesKind.PERP: HOUR_MS})
PATIENCE = Patience(settle_ms=5_000, quiet_ms=60_000, grace_ms=300_000)


def watermark(*symbols: str, complete_ms: int = NOON) -> Watermark:
    return Watermark(dict.fromkeys(symbols, LISTED), PATIENCE, complete_ms)


def tell_candles(mark: Watermark, symbol: str, closed_ms: int, *kinds: SeriesKind) -> None:
    for kind in kinds or LISTED.timeframes_ms:
        mark.note(symbol, kind, Rows.of([closed_ms - HOUR_MS], [(Decimal(1),) * 5], kind))


def tell_funding(mark: Watermark, symbol: str, t_ms: int, hours: int = 8) -> None:
    mark.note(
        symbol,
        SeriesKind.FUNDING,
        Rows.of([t_ms], [funding_values(Decimal(1), hours, None)], SeriesKind.FUNDING),
    )


ONE = NOON + HOUR_MS


def test_an_hour_is_asked_for_only_after_it_has_settled() -> None:
    mark = watermark("A")
    assert not mark.is_due(ONE + 4_999)
    assert mark.is_due(ONE + 5_000)


def test_an_hour_is_complete_once_all_candles_and_a_settlement_are_there() -> None:
    mark = watermark("A")
    tell_funding(mark, "A", ONE, hours=1)
    tell_candles(mark, "A", ONE, SeriesKind.SPOT)
    assert mark.advance(ONE + 6_000) == NOON
    tell_candles(mark, "A", ONE, SeriesKind.PERP)
    assert mark.advance(ONE + 6_000) == ONE


def test_a_settlement_that_is_due_is_waited_for_until_grace_runs_out() -> None:
    mark = watermark("A")
    tell_candles(mark, "A", ONE)
    tell_funding(mark, "A", NOON, hours=1)
    assert mark.advance(ONE + 299_999) == NOON
    assert mark.advance(ONE + 300_000) == ONE


def test_a_pair_that_is_not_due_may_settle_early_for_a_minute() -> None:
    mark = watermark("A")
    tell_candles(mark, "A", ONE)
    tell_funding(mark, "A", NOON)
    assert mark.advance(ONE + 59_999) == NOON
    assert mark.advance(ONE + 60_000) == ONE


def test_one_pair_that_lacks_its_settlement_holds_back_all() -> None:
    mark = watermark("A", "B")
    for symbol in "AB":
        tell_candles(mark, symbol, ONE)
    tell_funding(mark, "A", ONE)
    assert mark.advance(ONE + 6_000) == NOON


def test_missing_candles_are_given_up_after_grace() -> None:
    mark = watermark("A")
    tell_funding(mark, "A", ONE, hours=1)
    assert mark.advance(ONE + 300_000) == ONE


def test_hours_of_an_outage_are_complete_as_soon_as_later_rows_are_there() -> None:
    mark = watermark("A", complete_ms=NOON - 30 * HOUR_MS)
    tell_candles(mark, "A", NOON)
    tell_funding(mark, "A", NOON)
    assert mark.advance(NOON + 10_000) == NOON


def test_only_series_that_lack_their_newest_row_are_asked_for() -> None:
    mark = watermark("A")
    tell_candles(mark, "A", ONE, SeriesKind.SPOT)
    tell_funding(mark, "A", NOON)
    assert list(mark.wanted(ONE + 6_000)) == [
        ("A", SeriesKind.PERP, -1),
        ("A", SeriesKind.FUNDING, NOON),
    ]
