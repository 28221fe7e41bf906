import zlib
from decimal import Decimal

import numpy as np
import pytest

from bot.errors import StoreError
from bot.market.rows import Rows, SeriesKind, funding_values
from bot.market_store.segments import decode, digest, encode, months
from bot.timestamps import parse_time_ms

MARCH = parse_time_ms("2024-03-01T08:00:00Z")
GOLDEN = "a40004ae58c0bf69"


def rows(*rates: str) -> Rows:
    times = [MARCH + 28_800_000 * n for n in range(len(rates))]
    return Rows.of(times, [funding_values(Decimal(rate), 8, None) for rate in rates], SeriesKind.FUNDING)


def test_decoded_segment_is_what_was_encoded() -> None:
    original = rows("0.0001", "-0.00025", "1e-30")
    segment = encode(original)
    decoded = decode(segment.payload, segment.digest, "funding")
    assert decoded.times.tolist() == original.times.tolist()
    assert [c.decimals() for c in decoded.columns] == [c.decimals() for c in original.columns]
    assert digest(decoded) == segment.digest == digest(original)


def test_segment_knows_its_month_and_extent() -> None:
    segment = encode(rows("0.0001", "0.0002"))
    assert (segment.month, segment.first_ms, segment.last_ms, segment.rows) == (
        202403,
        MARCH,
        MARCH + 28_800_000,
        2,
    )


def test_digest_does_not_depend_on_how_a_number_was_written() -> None:
    assert digest(rows("0.0001", "0.5")) == digest(rows("1E-4", "0.500"))
    assert digest(rows("0.0001", "0.5")) != digest(rows("0.0001", "0.6"))


def test_digest_of_known_rows_never_changes() -> None:
    assert digest(rows("0.0001", "0.00012345678901234567890", "-0.5")).startswith(GOLDEN)


def test_damaged_payload_is_refused_by_name() -> None:
    segment = encode(rows("0.0001"))
    other = encode(rows("0.0002"))
    for payload in (other.payload, segment.payload[:-3], b"", zlib.compress(b"anything")):
        with pytest.raises(StoreError, match="binance BTC funding is damaged"):
            decode(payload, segment.digest, "binance BTC funding")


def test_months_follow_the_calendar_in_utc() -> None:
    moments = ("2023-12-31T23:59:59.999Z", "2024-01-01", "2024-02-29T12:00", "2024-03-01")
    found = months(np.array([parse_time_ms(moment) for moment in moments]))
    assert found.tolist() == [202312, 202401, 202402, 202403]
