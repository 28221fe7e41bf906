"""Findings in the typed client: of sweeps, trials and runs."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import odd_markets
from webservice import Hands, serving

from carrygrid import Client, Finding


def test_findings_of_sweep_trial_and_run_are_typed(home: Path, hands: Hands, tmp_path: Path) -> None:
    odd_markets.fill(hands.engine, tmp_path / "odd")
    with serving(home) as address, Client(address) as client:
        sweep = client.submit(odd_markets.sweep("DEAD"))
        hands.work(sweep.id)
        [dead] = sweep.findings()
        [late, noted] = sweep.top(1)[0].findings
        metrics = sweep.top(1)[0].metrics
    since = datetime.fromtimestamp(odd_markets.DEAD_MS / 1000, UTC)
    until = datetime(2024, 3, 30, tzinfo=UTC)
    assert dead == Finding(
        "DEAD/USDT:USDT", "perp", "dead_contract", dead.count, since, until, dead.detail, warning=True
    )
    assert (noted.name, noted.warning, noted.pnl) == ("dead_contract", False, None)
    assert (late.name, late.warning, late.mainly, late.since) == ("pnl_after_market_end", True, True, since)
    assert isinstance(late.pnl, Decimal)
    assert late.pnl == metrics["pnl_after_market_end"]
