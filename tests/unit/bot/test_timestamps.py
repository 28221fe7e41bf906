import json

import pytest

from bot.timestamps import iso, parse_time_ms

_REMEDY = (
    " is no time: write 2024-01-31, 2024-01-31T16:00:00Z, or milliseconds since 1970 such as 1706716800000"
)


@pytest.mark.parametrize(
    ("value", "moment_ms"),
    [
        ("2024-01-01", 1704067200000),
        ("2024-01-01T00:00:00", 1704067200000),
        ("2024-01-01T02:00:00+02:00", 1704067200000),
        ("2024-01-01T00:00:00.250Z", 1704067200250),
        (1704067200000, 1704067200000),
        ("1704067200000", 1704067200000),
        ("20240229", 1709164800000),
        (20240229, 1709164800000),
        ("20240229T160000Z", 1709222400000),
        ("2024-W09-4", 1709164800000),
        ("2024-02-29 16:00", 1709222400000),
        (" 2024-02-29 ", 1709164800000),
        (0, 0),
        (253402300799999, 253402300799999),
    ],
)
def test_times_read_as_utc_milliseconds(value: object, moment_ms: int) -> None:
    assert parse_time_ms(value) == moment_ms


@pytest.mark.parametrize(
    "value",
    [
        *("yesterday", "2024-13-01", "", 1.5, -1, "2024-01-01T25:00", "2024-02-30", "2024-2-3"),
        *(
            "2024",
            2024,
            "202402",
            202402,
            "20240230",
            20240230,
            "2024-02",
            "2024-060",
            1,
            "1e12",
            "2024_0101",
        ),
    ],
)
def test_what_is_no_time_is_named_with_what_is_one(value: object) -> None:
    with pytest.raises(ValueError, match="is no time") as refusal:
        parse_time_ms(value)
    assert str(refusal.value) == f"{json.dumps(value)}{_REMEDY}"


@pytest.mark.parametrize(("value", "named"), [(None, "null"), (True, "true")])
def test_what_is_no_time_is_named_as_json_writes_it(value: object, named: str) -> None:
    with pytest.raises(ValueError, match="is no time") as refusal:
        parse_time_ms(value)
    assert str(refusal.value) == f"{named}{_REMEDY}"


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1704067200, "seconds"),
        ("1704067200", "seconds"),
        (1704067200000000, "micro- or nanoseconds"),
        (1704067200000000000, "micro- or nanoseconds"),
    ],
)
def test_times_in_other_units_are_refused_saying_so(value: object, unit: str) -> None:
    with pytest.raises(
        ValueError, match=f"{json.dumps(value)} looks like {unit} since 1970; write 2024-01-31"
    ):
        parse_time_ms(value)


def test_times_after_9999_are_refused() -> None:
    with pytest.raises(ValueError, match="999999999999999 is outside 1970-01-01 to 9999-12-31"):
        parse_time_ms(999999999999999)


def test_iso_shows_milliseconds_only_where_there_are_some() -> None:
    assert iso(1704067200000) == "2024-01-01T00:00:00Z"
    assert iso(1704067200250) == "2024-01-01T00:00:00.250Z"
