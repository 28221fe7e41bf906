"""Runs of hedges without trades say which conditions kept them out, with the nearest misses."""

import json
from decimal import Decimal
from typing import Any

import pytest
from builders import run_config
from hedge_files import hedge_data
from reference.hedges.drawn import STRUCTURES, made

from bot.config.run_config import RunConfig
from bot.hedges.blockers import blocked_hedges, hedge_snapshots
from bot.hedges.runs import baselines_of, explain_run, replay_run
from bot.hedges.window import HedgeWindow
from bot.models import DAY_MS, HOUR_MS

START = 1_704_067_200_000
RATES = {8: "0.0001", 16: "0.0002", 24: "0.00015", 32: "0.0001"}
FUNDING = "timestamp_ms,funding_rate,interval_hours,mark_price\n" + "".join(
    f"{START + hour * HOUR_MS},{rate},8,\n" for hour, rate in RATES.items()
)
LOW = FUNDING.replace("0.0002", "0.00005")
HEADER = "timestamp_ms,open,high,low,close,volume\n"


def candles(volume: str = "10", hours: range = range(-1, 32)) -> str:
    """Return hourly candles at 100."""
    return HEADER + "".join(f"{START + hour * HOUR_MS},100,100,100,100,{volume}\n" for hour in hours)


def files(**changed: str) -> dict[str, str]:
    """Return the files of spot and perp of one exchange; names are kinds."""
    given = {"funding": FUNDING, "perp-1h": candles(), "spot-1h": candles(), **changed}
    return {
        f"alpha/AAAUSDT-{kind}.{'json' if kind == 'life' else 'csv'}": text for kind, text in given.items()
    }


def blocked(held: dict[str, str], **values: Any) -> list[dict[str, Any]]:
    """Return the blocked entries of a run."""
    given = {
        "exchange": "alpha",
        "symbols": ["AAA/USDT>AAA/USDT:USDT"],
        "min_funding_rate": "0.0001",
        "min_volume_24h": 0,
        "min_holding_periods": 1000,
        "start": START,
        "end": START + 32 * HOUR_MS,
        "min_coverage": 0,
    }
    config = run_config(**{**given, **values})
    window = HedgeWindow.build(config, hedge_data(held, {"exchange": "alpha", "end": config.end}))
    result = replay_run(config, window)
    assert not result.trades
    reports = explain_run(result, window, baselines_of(window)).document()["blocked_entries"]
    return [{name: value for name, value in report.items() if name != "note"} for report in reports]


def report(gate: str, count: int, hour: int, needed: str | None = None, nearest: str | None = None) -> Any:
    """Return a report about the hedge of one exchange."""
    at_ms, symbol = START + hour * HOUR_MS, "AAA/USDT>AAA/USDT:USDT"
    return {
        "gate": gate,
        "blocked": count,
        "needed": needed,
        "nearest": nearest,
        "symbol": symbol,
        "at": at_ms,
    }


def test_rate_below_its_threshold_is_told_with_the_nearest_one() -> None:
    assert blocked(files(), min_funding_rate="0.0003") == [
        report("min_funding_rate", 3, 16, "0.0003", "0.0002")
    ]


def test_each_settlement_is_told_by_its_first_condition_the_most_frequent_first() -> None:
    held = files(**{"perp-1h": candles(hours=range(-1, 12))})
    assert blocked(held, min_funding_rate="0.0002") == [
        report("fresh_prices", 2, 16, "2", "4"),
        report("min_funding_rate", 1, 8, "0.0002", "0.0001"),
    ]


def test_score_of_composite_is_told() -> None:
    [one] = blocked(files(), strategy_mode="composite", entry_threshold=1)
    assert (one["gate"], one["blocked"], one["needed"]) == ("entry_threshold", 3, "1")


def test_size_below_what_an_exchange_takes_is_told() -> None:
    assert blocked(files(), initial_capital=5) == [report("size", 3, 8)]


def test_contract_too_young_is_told_in_days() -> None:
    held = files(**{"perp-1h": candles(hours=range(-12, 32)), "spot-1h": candles(hours=range(-12, 32))})
    assert blocked(held, min_contract_age_days=2) == [report("min_contract_age_days", 3, 24, "2", "1.5")]


def test_announced_end_is_told() -> None:
    epoch = {
        "market": "perp",
        "from_ms": START - DAY_MS,
        "to_ms": START + 90 * HOUR_MS,
        "announced_ms": START,
    }
    assert blocked(files(life=json.dumps([epoch]))) == [report("end_announced", 3, 8)]


def test_hedge_without_a_borrow_rate_has_no_carry() -> None:
    held = files()
    held["alpha/AAAUSDT-borrow.csv"] = (
        f"timestamp_ms,hourly_rate,max_quantity\n{START + 20 * HOUR_MS},0.0001,\n"
    )
    gates = blocked(held, structure="reverse", symbols=["AAA/USDT:USDT>AAA/USDT"])
    assert [(one["gate"], one["blocked"]) for one in gates] == [("carry", 2), ("min_funding_rate", 1)]


@pytest.mark.parametrize("thin", ["alpha", "beta"])
def test_volume_of_either_perp_keeps_out(thin: str) -> None:
    held = {
        f"{exchange}/{name.partition('/')[2]}": text
        for exchange in ("alpha", "beta")
        for name, text in files(funding=FUNDING if exchange == "alpha" else LOW).items()
    }
    held[f"{thin}/AAAUSDT-perp-1h.csv"] = candles("3")
    gates = blocked(
        held,
        structure="perp_perp",
        symbols=["AAA/USDT:USDT@beta>AAA/USDT:USDT@alpha"],
        min_volume_24h=10000,
    )
    assert [(one["gate"], one["blocked"], one["nearest"]) for one in gates] == [
        ("min_funding_rate", 2, "0"),
        ("min_volume_24h", 1, "5100"),
    ]


def test_entry_that_waits_beyond_the_last_event_is_not_told_as_blocked() -> None:
    assert blocked(files(), fill_lag_candles=40) == []


@pytest.mark.parametrize("structure", STRUCTURES)
def test_drawn_runs_without_trades_tell_every_settlement_that_was_not_entered(structure: str) -> None:
    told = 0
    for seed in range(6):
        held, values = made(seed, structure)
        config = RunConfig.parse({**values, "strategy_mode": "simple", "min_funding_rate": "0.9"})
        window = HedgeWindow.build(config, hedge_data(held, values))
        result = replay_run(config, window)
        reports = explain_run(result, window, baselines_of(window)).blocked
        settled = sum(len(window.settlements(config).at(t_ms)) for t_ms in window.calendar.moments[:-1])
        assert sum(one.blocked for one in reports) == settled
        told += settled
    assert told > 50


@pytest.mark.parametrize(
    ("more", "gates"),
    [
        ({}, [("just_closed", 24, None, None)]),
        ({"cooldown_hours": 12}, [("cooldown_hours", 24, "12", "0")]),
        ({"max_round_trips": 1}, [("max_round_trips", 24, "1", "1")]),
        (
            {"min_funding_rate": "0.00015"},
            [("just_closed", 24, None, None), ("min_funding_rate", 8, "0.00015", "0.0001")],
        ),
    ],
)
def test_run_with_trades_tells_what_kept_it_out_in_between(
    more: dict[str, Any], gates: list[tuple[Any, ...]]
) -> None:
    values = {"symbols": ["AAA/USDT>AAA/USDT:USDT"], "start": START, "end": START + 32 * HOUR_MS}
    config = run_config(
        **values,
        exchange="alpha",
        min_volume_24h=0,
        min_holding_periods=1000,
        min_coverage=0,
        exit_funding_rate="0.00018",
        **{"min_funding_rate": "0.0001", **more},
    )
    window = HedgeWindow.build(config, hedge_data(files(), {"exchange": "alpha", "end": config.end}))
    run = replay_run(config, window)
    (trade,) = run.trades
    assert trade.closed_at_ms == START + 24 * HOUR_MS
    found = [one.document() for one in blocked_hedges(run, window)]
    assert [
        (one["gate"], (one["at"] - START) // HOUR_MS, one["needed"], one["nearest"]) for one in found
    ] == gates
    assert explain_run(run, window, baselines_of(window)).blocked == ()


def test_snapshot_of_a_moment_is_what_the_run_saw_then() -> None:
    config = run_config(
        symbols=["AAA/USDT>AAA/USDT:USDT"],
        exchange="alpha",
        start=START,
        end=START + 32 * HOUR_MS,
        min_volume_24h=0,
        min_holding_periods=1000,
        min_coverage=0,
        min_funding_rate="0.00015",
        exit_funding_rate="0.00018",
    )
    window = HedgeWindow.build(config, hedge_data(files(), {"exchange": "alpha", "end": config.end}))
    (name,) = (hedge.name for hedge in window.hedges)
    seen = hedge_snapshots(config, window, [(START + hour * HOUR_MS, name) for hour in (8, 16, 24, 25)])
    told = {
        (t_ms - START) // HOUR_MS: (one.view.funding.rate, one.gate and one.gate.name, one.wants_exit)
        for (t_ms, _), one in seen.items()
    }
    assert told == {
        8: (Decimal("0.0001"), "min_funding_rate", True),
        16: (Decimal("0.0002"), None, False),
        24: (Decimal("0.00015"), "just_closed", True),
    }
