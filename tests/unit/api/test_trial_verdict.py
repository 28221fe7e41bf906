"""Verdict on one run in words, and the parts of its page that go with it."""

import re
from decimal import Decimal
from typing import Any

import pytest
from builders import run_config
from webservice import Reader

from api.dashboard.rows import config_rows
from api.dashboard.trial.trial_verdict import trial_verdict

PAGE = {"Accept": "text/html"}
FIGURES: dict[str, Any] = {
    "annualized_return": 0.12,
    "hold_net_pnl": Decimal(1000),
    "total_trades": 3,
    "total_funding": Decimal("900.5"),
    "price_pnl": Decimal(-20),
    "total_fees": Decimal("80.5"),
    "best_month_share": 0.45,
    "liquidations": 1,
    "max_drawdown_pct": 0.031,
}


def words(**changes: Any) -> str:
    config = run_config(start="2023-01-01", end="2024-01-01", initial_capital=10000)
    return " ".join(trial_verdict(config, {**FIGURES, **changes}, changes.get("luck")).sentences)


def test_verdict_says_what_was_made_beside_holding_and_what_makes_it() -> None:
    assert words(luck=0.04) == (
        "Made 12.00 % a year, 2.00 % more than holding at this leverage (10.00 %). "
        "Chance that luck alone finds a Sharpe ratio as high in this sweep: 4 %. "
        "It is made of funding 900.50 and price P&L -20.00, less fees of 80.50; "
        "its best month made 45.00 % of the net. 1 short liquidated; the worst drawdown was 3.10 %."
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"total_trades": 0}, "It never traded. Holding made 10.00 % a year."),
        ({"annualized_return": 0.05}, "Made 5.00 % a year, 5.00 % less than holding"),
        ({"hold_net_pnl": None}, "Made 12.00 % a year. It is made of"),
        ({"annualized_return": None}, "Its return per year is undefined."),
        (
            {"borrow_cost": Decimal("3.25"), "transfer_cost": Decimal(0), "best_month_share": None},
            "less fees of 80.50, interest of 3.25. 1 short",
        ),
        ({"liquidations": 0, "best_month_share": None}, "fees of 80.50. No short was liquidated;"),
    ],
)
def test_verdict_says_what_is_missing(changes: dict[str, Any], told: str) -> None:
    assert told in words(**changes)


def test_parameters_of_other_strategies_are_folded() -> None:
    simple, composite = (
        {name for name, _ in config_rows(run_config(strategy_mode=mode)).read}
        for mode in ("simple", "composite")
    )
    assert "min_funding_rate" in simple & composite or "min_funding_rate" in simple
    folded = {name for name, _ in config_rows(run_config(strategy_mode="simple")).unread}
    assert folded == composite - simple != set()
    assert folded.isdisjoint(simple)


def test_page_tells_the_verdict_and_what_went_wrong(reader: Reader) -> None:
    number = reader.client.get(f"/sweeps/{reader.sweep_id}").json()["best_trial"]["number"]
    base = f"/dashboard/sweeps/{reader.sweep_id}/trials/{number}"
    page = reader.client.get(base, headers=PAGE).text
    metrics = reader.client.get(f"/sweeps/{reader.sweep_id}/trials/{number}").json()["metrics"]
    [verdict] = re.findall(r'id="verdict">([^<]+)<', page)
    assert verdict.startswith(f"Made {100 * metrics['annualized_return']:,.2f}\u00a0% a year")
    report = reader.client.get(f"{base}/report", headers=PAGE).text
    assert "Worst drawdowns of the marked equity" in report
    assert "The tightest short, BTC/USDT:USDT opened" in report
    first = re.findall(r'<td class="num" title="([\d.]+)">', report.partition("Worst drawdowns")[2])
    assert Decimal(first[0]) == Decimal(metrics["max_drawdown"])
