import pytest

from bot.timestamps import iso, parse_time_ms


@pytest.mark.parametrize(
    ("value", "moment_ms"),
    [
        ("2024-01-01", 1704067200000),
        ("2024-01-01T00:00:00", 1704067200000),
        ("2024-01-01T02:00:00+02:00", 1704067200000),
        ("2024-01-01T00:00:00.250Z", 1704067200250),
        (1704067200000, 1704067200000),
        ("1704067200000", 1704067200000),
    ],
)
def test_times_read_as_utc_milliseconds(value: object, moment_ms: int) -> None:
    assert parse_time_ms(value) == moment_ms


@pytest.mark.parametrize(
    "value", ["yesterday", "2024-13-01", "", None, True, 1.5, -1, 10**18, "2024-01-01T25:00"]
)
def test_what_is_no_time_is_named_in_the_error(value: object) -> None:
    with pytest.raises(ValueError, match="neither|no ISO|outside"):
        parse_time_ms(value)


def test_iso_shows_milliseconds_only_where_there_are_some() -> None:
    assert iso(1704067200000) == "2024-01-01T00:00:00Z"
    assert iso(1704067200250) == "2024-01-01T00:00:00.250Z"
