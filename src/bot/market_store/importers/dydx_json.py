"""Answers of dYdX's indexer: historical funding, with the oracle price as the price of the payment."""

from bot.market.contracts import Venue
from bot.market.rules import RowRefusedError
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importers.markets import Recorded
from bot.market_store.importers.vendor_json import FundingShape, parse_funding, rows_at
from bot.timestamps import parse_time_ms

_FUNDING = FundingShape(Venue.DYDX, "ticker", "effectiveAt", "rate", mark="price")


def recognise(source: Source, _options: ImportOptions) -> bool:
    """Say whether there is a list of such records, bare or in an envelope."""
    return _FUNDING.fits(_rows(source))


def parse(source: Source, options: ImportOptions) -> Recorded:
    """Return the settlements."""
    return parse_funding(source, options, _rows(source) or [], _FUNDING, _iso_ms)


def _rows(source: Source) -> list[dict[str, str]] | None:
    document = source.document()
    found = rows_at(document, "result", "historicalFunding") or rows_at(document, "historicalFunding")
    return found if isinstance(found, list) else None


def _iso_ms(stamp: str) -> int:
    try:
        return parse_time_ms(stamp)
    except ValueError as error:
        raise RowRefusedError(f"effectiveAt {error}") from None
