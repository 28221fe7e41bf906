"""Windows that the store does not hold are refused as one run would be, by field, with one that it holds."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sweeping import BASE, sweep_spec

from bot.config.run_config import RunConfig
from bot.errors import InsufficientDataError, InvalidInputError, UnknownExchangeError, UnknownSymbolError
from bot.market.coverage import check_coverage, coverage
from bot.market.rows import Rows, SeriesKey, SeriesKind, funding_values
from bot.market.series import SymbolData
from bot.market_store.held_history import HeldHistory
from bot.market_store.store import HistoricalDataStore
from bot.models import DAY_MS, HOUR_MS
from bot.timestamps import parse_time_ms
from sweeps.lifecycle.held_windows import refuse_missing_run, refuse_missing_windows
from sweeps.spec.spec import SweepSpec

BTC, LATE, BARE, NEW = "BTC/USDT:USDT", "LATE/USDT:USDT", "BARE/USDT:USDT", "NEW/USDT:USDT"
LATE_MS = parse_time_ms("2024-02-01T08:00:00Z")
UNTIL_MS = parse_time_ms("2024-03-20")
WINDOW = {"start": "2024-01-10", "end": "2024-03-01"}


@pytest.fixture(scope="module")
def store(shared_engine: sa.Engine) -> HistoricalDataStore:
    """Return the generated market and three more pairs: listed in February, without a spot market, new."""
    store = HistoricalDataStore(shared_engine)
    lone = Rows.of([LATE_MS], [funding_values(Decimal("0.0001"), 0, None)], SeriesKind.FUNDING)
    store.merge(SeriesKey("synthetic", NEW, SeriesKind.FUNDING, 0), lone, synthetic=True)
    hold(store, LATE, LATE_MS, (SeriesKind.SPOT, SeriesKind.PERP))
    hold(store, BARE, parse_time_ms("2024-01-01"), (SeriesKind.PERP,))
    return store


def hold(store: HistoricalDataStore, symbol: str, first_ms: int, candles: tuple[SeriesKind, ...]) -> None:
    settled = range(first_ms, UNTIL_MS + 1, 8 * HOUR_MS)
    rows = Rows.of(settled, [funding_values(Decimal("0.0001"), 8, None)] * len(settled), SeriesKind.FUNDING)
    store.merge(SeriesKey("synthetic", symbol, SeriesKind.FUNDING, 0), rows, synthetic=True)
    opens = range(first_ms - first_ms % HOUR_MS, UNTIL_MS, HOUR_MS)
    for kind in candles:
        values = [(Decimal(10),) * 4 + (Decimal(1),)] * len(opens)
        store.merge(
            SeriesKey("synthetic", symbol, kind, HOUR_MS), Rows.of(opens, values, kind), synthetic=True
        )


def sweep(base: Mapping[str, Any], grid: Mapping[str, Any] | None = None) -> SweepSpec:
    varied = grid or {}
    fixed = {name: value for name, value in (BASE | dict(base)).items() if name not in varied}
    return sweep_spec(base=fixed, grid=varied)


def refusal(store: HistoricalDataStore, spec: SweepSpec, first: int = 0) -> InvalidInputError:
    with store.engine.connect() as connection, pytest.raises(InvalidInputError) as refused:
        refuse_missing_windows(connection, spec, first=first)
    return refused.value


def fields(error: InvalidInputError) -> list[str]:
    return [item.field for item in error.errors]


@pytest.mark.parametrize(
    ("base", "grid", "named"),
    [
        ({"symbols": [BTC, LATE]}, None, ["base.symbols[1]"]),
        ({}, {"symbols": [BTC, LATE]}, ["grid.symbols.values[1]"]),
        ({}, {"symbols": [BTC, [BTC, LATE]]}, ["grid.symbols.values[1][1]"]),
        ({"symbols": [LATE], "start": "2023-01-01"}, None, ["base.start"]),
        ({"symbols": [BTC, LATE], "end": "2026-01-01"}, None, ["base.end"]),
        ({"start": "2019-01-01", "end": "2019-02-01"}, None, ["base.start", "base.end"]),
        ({}, {"start": ["2024-01-10", "2020-01-01"]}, ["grid.start.values[1]"]),
        ({}, {"end": {"values": ["2024-02-01", "2030-01-01"]}}, ["grid.end.values[1]"]),
    ],
)
def test_window_that_is_not_held_is_refused_at_the_field_at_fault(
    store: HistoricalDataStore, base: dict[str, Any], grid: dict[str, Any] | None, named: list[str]
) -> None:
    error = refusal(store, sweep(WINDOW | base, grid))
    assert isinstance(error, InsufficientDataError)
    assert fields(error) == named


def test_refusal_tells_what_is_held_of_each_pair_and_the_window_to_use(store: HistoricalDataStore) -> None:
    spec = sweep(WINDOW, {"symbols": [BTC, LATE]})
    error = refusal(store, spec)
    assert error.errors[0].message == (
        "LATE/USDT:USDT: only 87 of 154 settlements are recorded, less than min_coverage 0.9, in the range "
        "asked, 2024-01-10T00:00:00Z to 2024-03-01T00:00:00Z; held: funding 2024-02-01T08:00:00Z to "
        "2024-03-20T00:00:00Z, perp 2024-02-01T08:00:00Z to 2024-03-19T23:00:00Z, spot 2024-02-01T08:00:00Z "
        "to 2024-03-19T23:00:00Z; all that is asked for is held from 2024-02-02 to 2024-03-20"
    )
    assert isinstance(error, InsufficientDataError)
    assert error.common_window == ("2024-02-02", "2024-03-20")
    start, end = error.common_window
    with store.engine.connect() as connection:
        refuse_missing_windows(connection, sweep({"start": start, "end": end}, {"symbols": [BTC, LATE]}))


def test_pair_without_spot_candles_has_no_window_to_offer(store: HistoricalDataStore) -> None:
    error = refusal(store, sweep(WINDOW | {"symbols": [BARE]}))
    assert fields(error) == ["base.symbols[0]"]
    assert "no spot candles are recorded" in error.message
    assert isinstance(error, InsufficientDataError)
    assert error.common_window is None


def test_pair_whose_interval_is_not_known_yet_is_refused_with_the_reason(
    store: HistoricalDataStore,
) -> None:
    error = refusal(store, sweep(WINDOW | {"symbols": [NEW]}))
    assert fields(error) == ["base.symbols[0]"]
    assert "the funding interval is not known yet, because only one settlement is held" in error.message


def test_lower_coverage_is_what_a_pair_listed_inside_the_window_needs(store: HistoricalDataStore) -> None:
    grid = {"symbols": [BTC, LATE], "min_coverage": ["0.5", "0.9"]}
    assert fields(refusal(store, sweep(WINDOW, grid))) == ["grid.symbols.values[1]"]
    with store.engine.connect() as connection:
        refuse_missing_windows(connection, sweep(WINDOW | {"min_coverage": "0.5"}, {"symbols": [BTC, LATE]}))


def test_window_without_any_settlement_is_refused_whatever_the_coverage(store: HistoricalDataStore) -> None:
    base = {"start": "2024-01-10T01:00:00Z", "end": "2024-01-10T02:00:00Z", "min_coverage": "0"}
    error = refusal(store, sweep(base))
    assert "no settlement is recorded" in error.message


def test_trials_that_end_before_they_start_are_left_to_themselves(store: HistoricalDataStore) -> None:
    with store.engine.connect() as connection:
        refuse_missing_windows(connection, sweep(WINDOW, {"end": ["2024-03-01", "2024-01-05"]}))


def test_combinations_that_constraints_leave_out_are_not_asked_for(store: HistoricalDataStore) -> None:
    linked = sweep_spec(
        base={"exchange": "synthetic", "end": "2024-03-01"},
        grid={"symbols": [BTC, LATE], "start": ["2024-01-10", "2024-02-05"]},
        linked=[["symbols", "start"]],
    )
    with store.engine.connect() as connection:
        refuse_missing_windows(connection, linked)


def test_only_trials_from_the_first_new_one_on_are_asked_about(store: HistoricalDataStore) -> None:
    spec = sweep(WINDOW, {"symbols": [LATE, BTC]})
    assert fields(refusal(store, spec)) == ["grid.symbols.values[0]"]
    with store.engine.connect() as connection:
        refuse_missing_windows(connection, spec, first=1)


def test_unknown_names_are_refused_where_they_stand(store: HistoricalDataStore) -> None:
    symbols = refusal(store, sweep(WINDOW | {"symbols": [BTC, "NO/USDT:USDT", "NIX/USDT:USDT"]}))
    assert isinstance(symbols, UnknownSymbolError)
    assert fields(symbols) == ["base.symbols[1]", "base.symbols[2]"]
    exchange = refusal(store, sweep(WINDOW, {"exchange": ["synthetic", "mtgox"]}))
    assert isinstance(exchange, UnknownExchangeError)
    assert fields(exchange) == ["grid.exchange.values[1]"]


def test_run_is_refused_with_its_own_fields(store: HistoricalDataStore) -> None:
    config = RunConfig.parse(BASE | WINDOW | {"symbols": [BTC, LATE]})
    with store.engine.connect() as connection, pytest.raises(InsufficientDataError) as refused:
        refuse_missing_run(connection, config)
    assert fields(refused.value) == ["symbols[1]"]
    assert refused.value.common_window == ("2024-02-02", "2024-03-20")


def refusal_of(data: SymbolData, start_ms: int, end_ms: int, least: Decimal) -> str | None:
    try:
        check_coverage(data, coverage(data, start_ms, end_ms), start_ms, end_ms, least)
    except InsufficientDataError as error:
        return error.message
    return None


@pytest.mark.parametrize("symbol", [BTC, LATE, BARE])
@pytest.mark.parametrize("length_ms", [0, 5 * HOUR_MS, 20 * DAY_MS])
@pytest.mark.parametrize("coverage_asked", ["0", "0.9"])
def test_windows_are_judged_as_a_replay_judges_them(
    store: HistoricalDataStore, symbol: str, length_ms: int, coverage_asked: str
) -> None:
    least = Decimal(coverage_asked)
    with store.engine.connect() as connection:
        held = HeldHistory(connection, "synthetic", [symbol])
        for start_ms in range(LATE_MS - 40 * DAY_MS, UNTIL_MS + 10 * DAY_MS, 13 * DAY_MS + 4 * HOUR_MS):
            end_ms = start_ms + length_ms
            found = held.lacking(symbol, (start_ms, end_ms), least)
            data = store.load("synthetic", [symbol], end_ms, start_ms).symbols[0]
            refused = refusal_of(data, start_ms, end_ms, least)
            assert (found is None) == (refused is None), start_ms
            assert found is None or found in str(refused)
