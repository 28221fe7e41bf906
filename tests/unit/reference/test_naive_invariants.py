from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.markets import runs
from tests.reference.naive import run

HOUR = 3_600_000


def _money(metrics: dict[str, Any], name: str) -> Fraction:
    return Fraction(metrics[name])


@settings(max_examples=80)
@given(runs())
def test_every_run_adds_up(drawn: tuple[dict[str, Any], dict[str, Any]]) -> None:
    market, config = drawn

    result = run(market, config)

    metrics, initial = result["metrics"], Fraction(config["initial_capital"])
    net = _money(metrics, "total_funding") + _money(metrics, "price_pnl") - _money(metrics, "total_fees")
    assert _money(metrics, "net_pnl") == net
    assert _money(metrics, "final_equity") == initial + net == Fraction(result["equity"][-1][1])
    assert metrics["funding_payments"] == sum(trade["funding_payments"] for trade in result["trades"])
    assert [t for t, _ in result["equity"]] == sorted({t for t, _ in result["equity"]})


@settings(max_examples=60)
@given(runs(), st.integers(0, 100))
def test_curve_before_a_moment_does_not_depend_on_what_comes_after(
    drawn: tuple[dict[str, Any], dict[str, Any]], percent: int
) -> None:
    market, drawn_config = drawn
    # Whether a contract is over is told from the end of its record, which the cut moves.
    config = {**drawn_config, "end_dead_markets": False}
    curve = run(market, config)["equity"]
    moment = curve[len(curve) * percent // 101][0]

    known = {name: _known_at(data, moment) for name, data in market.items()}
    replayed = run(known, config)["equity"]

    # The last event closes everything, so only the points before it are the same.
    assert replayed[:-1] == [point for point in curve if point[0] < moment]


def _known_at(data: dict[str, Any], moment: int) -> dict[str, Any]:
    """Return the symbol as it could be read at `moment`, with one mark candle left to name the series."""
    legs = {
        leg: [row for row in data[leg] if row[0] + HOUR <= moment] if data[leg] else data[leg]
        for leg in ("spot", "perp", "mark")
    }
    marks = None if data["mark"] is None else legs["mark"] or data["mark"][:1]
    return {**data, **legs, "mark": marks, "funding": [row for row in data["funding"] if row[0] <= moment]}
