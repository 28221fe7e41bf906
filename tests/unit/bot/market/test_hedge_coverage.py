"""Coverage of a window by the markets of hedges, and the refusals of one that is too small."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from builders import run_config
from hedge_files import hedge_data

from bot.errors import InsufficientDataError
from bot.market.coverage import Coverage, coverage
from bot.market.hedge_coverage import hedge_coverage

HOUR = 3_600_000
START = 1_704_067_200_000
END = START + 24 * HOUR
LINEAR, INVERSE, SPOT = "AAA/USDT:USDT", "AAA/USD:AAA", "AAA/USDT"
BORROW = f"timestamp_ms,hourly_rate,max_quantity\n{START},0.00001,\n"
FEES = ("spot", "linear", "inverse")


def funding(*hours: int) -> str:
    rows = "".join(f"{START + hour * HOUR},0.001,8,\n" for hour in hours)
    return f"timestamp_ms,funding_rate,interval_hours,mark_price\n{rows}"


def candles(first: int = -1, last: int = 23) -> str:
    rows = "".join(f"{START + hour * HOUR},100,101,99,100,10\n" for hour in range(first, last + 1))
    return f"timestamp_ms,open,high,low,close,volume\n{rows}"


def life(*epochs: Mapping[str, object]) -> str:
    return json.dumps([{"market": "perp", **epoch} for epoch in epochs])


def brackets(from_ms: int) -> str:
    return json.dumps([{"from_ms": from_ms, "brackets": [{"cap": None, "mmr": "0.01"}]}])


def fees(*markets: str, from_ms: int = 0) -> str:
    row = {"from_ms": from_ms, "tier": "VIP0", "min_volume": "0", "maker": "0", "taker": "0.0005"}
    return json.dumps({"rows": [{**row, "market": market} for market in markets]})


PAIR = {
    "alpha/AAAUSDT-funding.csv": funding(0, 8, 16, 24),
    "alpha/AAAUSDT-perp-1h.csv": candles(),
    "alpha/AAAUSDT-spot-1h.csv": candles(),
}
OTHER = {"beta/AAAUSDT-funding.csv": funding(0, 8, 24), "beta/AAAUSDT-perp-1h.csv": candles(2)}
COINS = {"alpha/AAAUSD_PERP-funding.csv": funding(0, 8, 16, 24), "alpha/AAAUSD_PERP-perp-1h.csv": candles()}


def covered(files: Mapping[str, str], **overrides: Any) -> Mapping[str, Coverage]:
    """Return the coverage of a run over `files`."""
    values = {"exchange": "alpha", "symbols": [LINEAR], "start": START, "end": END, **overrides}
    config = run_config(**values)
    return hedge_coverage(config.hedges, hedge_data(files, {"exchange": "alpha", "end": END}), config)


def counts(found: Mapping[str, Coverage]) -> dict[str, list[tuple[int, int]]]:
    """Return found and expected rows of settlements, spot and perp candles, by name."""
    return {
        name: [(leg.found, leg.expected) for leg in (one.funding, one.spot, one.perp)]
        for name, one in found.items()
    }


def refused(files: Mapping[str, str], **overrides: Any) -> str:
    with pytest.raises(InsufficientDataError) as error:
        covered(files, **overrides)
    return str(error.value)


def test_pair_of_one_exchange_is_covered_as_a_run_of_before_covers_it() -> None:
    found = covered(PAIR, structure="spot_perp")
    [pair] = hedge_data(PAIR, {"exchange": "alpha", "end": END}).pairs.values()
    assert found == {LINEAR: coverage(pair, START, END)}
    assert counts(found) == {LINEAR: [(4, 4), (24, 24), (24, 24)]}


def test_perps_of_two_exchanges_are_covered_each_by_itself_and_nothing_else_of_their_pairs() -> None:
    found = covered({**PAIR, **OTHER}, structure="perp_perp", short_exchange="beta", min_coverage="0.7")
    assert counts(found) == {
        LINEAR: [(4, 4), (0, 0), (24, 24)],
        f"{LINEAR}@beta": [(3, 4), (0, 0), (22, 24)],
    }
    assert [gap.missing for gap in found[f"{LINEAR}@beta"].perp.gaps] == [2]
    assert found[f"{LINEAR}@beta"].timeframes_ms == {"perp": HOUR}


def test_spot_market_of_another_pair_is_covered_under_its_own_name() -> None:
    files = {**COINS, "alpha/AAAUSDT-spot-1h.csv": candles(10)}
    found = covered(files, symbols=[INVERSE], structure="inverse")
    assert counts(found) == {SPOT: [(0, 0), (14, 24), (0, 0)], INVERSE: [(4, 4), (0, 0), (24, 24)]}
    assert (found[SPOT].first_ms, found[INVERSE].last_ms) == (None, END)


def test_both_directions_of_two_perps_are_two_markets_in_order_of_appearance() -> None:
    found = covered(
        {**PAIR, **OTHER}, symbols=[f"{LINEAR}@beta<>{LINEAR}@alpha"], structure="perp_perp", min_coverage="0"
    )
    assert [*found] == [f"{LINEAR}@beta", LINEAR]


def test_nothing_is_expected_outside_the_recorded_life_of_a_contract() -> None:
    files = {**PAIR, "alpha/AAAUSDT-funding.csv": funding(8), "alpha/AAAUSDT-perp-1h.csv": candles(5, 15)}
    told = "only 1 of 4 settlements are recorded, less than min_coverage 0.9,"
    assert told in refused(files)
    files["alpha/AAAUSDT-life.json"] = life({"from_ms": START + 5 * HOUR, "to_ms": START + 16 * HOUR})
    assert counts(covered(files)) == {LINEAR: [(1, 1), (24, 24), (11, 11)]}


def test_epochs_of_several_contracts_and_stems_are_summed_without_the_time_between_them() -> None:
    files = {
        **PAIR,
        "alpha/AAAUSDT-funding.csv": funding(16, 24),
        "alpha/AAAUSDT-perp-1h.csv": candles(12),
        "alpha/OLDUSDT-funding.csv": funding(0, 8),
        "alpha/OLDUSDT-perp-1h.csv": candles(-1, 6),
        "alpha/AAAUSDT-life.json": life(
            {"from_ms": 0, "to_ms": START + 9 * HOUR, "stem": "OLDUSDT"}, {"from_ms": START + 12 * HOUR}
        ),
    }
    found = covered(files)
    assert counts(found) == {LINEAR: [(4, 4), (24, 24), (7 + 12, 9 + 12)]}
    assert (found[LINEAR].first_ms, found[LINEAR].last_ms) == (START, END)
    del files["alpha/OLDUSDT-funding.csv"], files["alpha/OLDUSDT-perp-1h.csv"]
    assert counts(covered(files, min_coverage="0")) == {LINEAR: [(2, 4), (24, 24), (12, 21)]}


def test_jump_between_epochs_of_a_redenomination_is_no_finding() -> None:
    jumped = candles(-1, 11) + "".join(f"{START + hour * HOUR},1,1.01,0.99,1,10\n" for hour in range(12, 24))
    files = {**PAIR, "alpha/AAAUSDT-perp-1h.csv": jumped}
    assert "price_jump" in {one.name for one in covered(files)[LINEAR].findings}
    middle = START + 12 * HOUR
    files["alpha/AAAUSDT-life.json"] = life(
        {"from_ms": 0, "to_ms": middle, "units": "1"}, {"from_ms": middle, "units": "0.01", "carried": True}
    )
    found = covered(files)[LINEAR]
    assert "price_jump" not in {one.name for one in found.findings}
    assert (found.jumps, found.perp.found) == ((), 24)


def test_market_that_is_not_held_is_refused_by_its_name_with_the_range_asked() -> None:
    asked = "in the range asked, 2024-01-01T00:00:00Z to 2024-01-02T00:00:00Z"
    assert refused(PAIR, structure="perp_perp", short_exchange="beta") == (
        f"symbols: {LINEAR}@beta: nothing of it is held {asked}; held: nothing"
    )
    without = {name: text for name, text in PAIR.items() if "spot" not in name}
    assert refused(without).startswith(f"symbols: {LINEAR}: no spot candles are recorded {asked}; held: ")
    ranges = "perp 2023-12-31T23:00:00Z to 2024-01-01T23:00:00Z"
    assert ranges in refused(without, structure="reverse", borrow_rate_hourly="0")
    assert f"symbols: {SPOT}: no spot candles are recorded" in refused(
        {**without, **COINS}, symbols=[INVERSE], structure="inverse"
    )


def test_market_whose_contract_lives_at_another_time_is_refused() -> None:
    files = {**PAIR, "alpha/AAAUSDT-life.json": life({"from_ms": 0, "to_ms": START})}
    assert f"{LINEAR}: no contract of it lives in the range asked" in refused(files, min_coverage="0")


def test_too_few_settlements_of_the_other_exchange_are_refused_with_its_name() -> None:
    told = refused({**PAIR, **OTHER}, structure="perp_perp", short_exchange="beta")
    assert told.startswith(f"symbols: {LINEAR}@beta: only 3 of 4 settlements are recorded, less than")


def test_borrowed_leg_asks_for_a_rate_given_or_recorded() -> None:
    told = refused(PAIR, structure="reverse")
    assert told.startswith(f"borrow_rate_hourly: {SPOT}: no borrow rate is recorded in the range asked, ")
    assert LINEAR in covered(PAIR, structure="reverse", borrow_rate_hourly="0.00001")
    assert LINEAR in covered({**PAIR, "alpha/AAAUSDT-borrow.csv": BORROW}, structure="reverse")


def test_margin_brackets_are_asked_for_from_the_first_moment_of_a_leg() -> None:
    file = "alpha/AAAUSDT-brackets.json"
    told = refused(PAIR, margin_model="brackets")
    assert told.startswith(f"margin_model: {LINEAR}: no margin brackets are recorded in the range asked, ")
    late = refused({**PAIR, file: brackets(START + HOUR)}, margin_model="brackets")
    assert "no margin brackets are in force at 2024-01-01T00:00:00Z in the range asked" in late
    assert LINEAR in covered({**PAIR, file: brackets(START)}, margin_model="brackets")
    given = {"brackets": [{"cap": None, "mmr": "0.01"}]}
    assert LINEAR in covered(PAIR, margin_model="brackets", instrument=given)


def test_fee_rows_are_asked_for_of_each_exchange_and_kind_of_market() -> None:
    two = {**PAIR, **OTHER}
    asked = {"structure": "perp_perp", "short_exchange": "beta", "fee_model": "recorded", "min_coverage": "0"}
    assert refused({**two, "alpha/fees.json": fees("linear")}, **asked).startswith(
        f"fee_model: {LINEAR}@beta: no fee schedule of beta is recorded (fees.json) in the range asked, "
    )
    told = refused({**two, "alpha/fees.json": fees("linear"), "beta/fees.json": fees("spot")}, **asked)
    assert told.startswith(f'fee_tier: {LINEAR}@beta: no linear fee row of tier "auto" is in force at 2024-')
    own = {**asked, "short_taker": "0.0005", "short_maker": "0"}
    assert f"{LINEAR}@beta" in covered({**two, "alpha/fees.json": fees("linear")}, **own)
    files = {**PAIR, **COINS, "alpha/fees.json": fees("spot", "linear")}
    told = refused(files, symbols=[INVERSE], structure="inverse", fee_model="recorded")
    assert told.startswith(f'fee_tier: {INVERSE}: no inverse fee row of tier "auto"')
    files["alpha/fees.json"] = fees(*FEES)
    assert INVERSE in covered(files, symbols=[INVERSE], structure="inverse", fee_model="recorded")
