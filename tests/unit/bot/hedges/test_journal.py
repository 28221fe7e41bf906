"""Journals of runs of hedges: they change nothing, and their parts sum to the net P&L to the last digit."""

import json
from collections import Counter
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hedge_files import hedge_data
from hypothesis import given, settings
from reference.hedges.drawn import STRUCTURES, made, runs

from bot.backtest.attribution import Attribution
from bot.config.run_config import RunConfig
from bot.hedges.arithmetic import exact_products
from bot.hedges.engine import replay_hedges, replay_with_journal
from bot.hedges.journal.ledger import ledger_entries
from bot.hedges.journal.records import Journal, LegAction, LegName, attribution_by_leg
from bot.hedges.result import HedgeRun
from bot.hedges.window import HedgeWindow
from bot.models import CloseReason
from bot.numbers.money import ZERO

Run = tuple[dict[str, str], dict[str, Any]]
CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


def journaled(files: dict[str, str], config: dict[str, Any]) -> tuple[HedgeRun, Journal]:
    """Replay a run with its journal, and check that it is the run without one."""
    parsed = RunConfig.parse(config)
    window = HedgeWindow.build(parsed, hedge_data(files, config))
    run, journal = replay_with_journal(parsed, window)
    assert run.document() == replay_hedges(parsed, window).document()
    return run, journal


def assert_parts_sum_up(files: dict[str, str], config: dict[str, Any]) -> tuple[HedgeRun, Journal]:
    """Check every sum of a journal against what the run itself booked."""
    run, journal = journaled(files, config)
    with exact_products():
        parts = attribution_by_leg(journal)
        assert parts.whole.net_pnl == run.metrics.net_pnl
        assert parts.whole.funding == run.metrics.total_funding
        assert parts.whole.borrow_cost == -run.hedge_metrics.borrow_cost
        assert parts.whole.transfer_cost == -run.hedge_metrics.transfer_cost
        assert parts.whole.fees + parts.whole.liquidation_fees == -run.metrics.total_fees
        assert tuple(hedge.trade for hedge in journal.hedges) == run.trades
        ledger = ledger_entries(journal)
        assert sum((entry.amount for entry in ledger), ZERO) == run.metrics.net_pnl
        assert [entry.t_ms for entry in ledger] == sorted(entry.t_ms for entry in ledger)
        for hedge in journal.hedges:
            trade = hedge.trade
            assert hedge.parts.net_pnl == trade.net_pnl
            for own, pnl in ((hedge.long, trade.long_pnl), (hedge.short, trade.short_pnl)):
                gained = (own.basis, own.slippage, own.impact, own.liquidations, own.adl, own.coins)
                assert sum(gained, ZERO) == pnl
            assert len(hedge.payments) == trade.funding_payments
            assert sum((one.amount for one in hedge.interest), ZERO) == trade.borrow_cost
            assert len(hedge.top_ups) == trade.top_ups
            for leg, booked in ((LegName.LONG, trade.long_pnl), (LegName.SHORT, trade.short_pnl)):
                moved = [move.pnl for move in hedge.moves if move.leg is leg]
                if None not in moved:
                    assert sum(moved, ZERO) == booked  # type: ignore[arg-type]
        for place, (_, equity) in enumerate(run.equity):
            held = sum((of_exchange[place] for of_exchange in journal.wallets.values()), ZERO)
            assert held + journal.under_way[place] == equity
    nearest = min((test.distance for test in journal.margins), default=None)
    assert (None if nearest is None else float(nearest)) == run.hedge_metrics.min_liquidation_distance
    assert len(list(journal.liquidations())) >= run.metrics.liquidations
    return run, journal


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_parts_of_a_case_worked_out_by_hand_sum_to_its_net(path: Path) -> None:
    case = json.loads(path.read_text())
    run, _ = assert_parts_sum_up(case["files"], case["config"])
    assert run.trades


def test_parts_of_runs_of_every_structure_sum_to_the_last_digit() -> None:
    seen, actions = Counter[str](), Counter[LegAction]()
    for structure in STRUCTURES:
        for seed in range(25):
            _, journal = assert_parts_sum_up(*made(seed, structure))
            for hedge in journal.hedges:
                actions.update(move.action for move in hedge.moves)
                seen.update(field.name for field in fields(Attribution) if getattr(hedge.parts, field.name))
            seen.update("transfers" for _ in journal.transfers)
    assert set(actions) == set(LegAction)
    assert seen.keys() == {field.name for field in fields(Attribution)} | {"transfers"}


@settings(max_examples=60, derandomize=True)
@given(runs())
def test_parts_of_drawn_runs_sum_to_the_last_digit(drawn: Run) -> None:
    assert_parts_sum_up(*drawn)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_fills_at_the_last_prices_have_neither_slippage_nor_impact(structure: str) -> None:
    for seed in range(12):
        files, config = made(seed, structure)
        still = {"slippage_bps": 0, "impact_bps": 0, "maker_slippage_bps": 0}
        _, journal = assert_parts_sum_up(files, {**config, **still})
        for hedge in journal.hedges:
            lost = hedge.parts.slippage, hedge.parts.impact
            if structure == "inverse":
                assert abs(lost[0]) < Decimal("0.000001") * max(1, hedge.trade.quantity)
                assert lost[1] == 0
            else:
                assert lost == (0, 0)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_takers_lose_by_slippage_and_by_the_size_of_their_orders(structure: str) -> None:
    found = Counter[str]()
    for seed in range(12):
        files, config = made(seed, structure)
        wide = {"slippage_bps": 20, "impact_bps": 50, "order_style": "taker", "margin_policy": "none"}
        _, journal = assert_parts_sum_up(files, {**config, **wide})
        for hedge in journal.hedges:
            if all(move.fill is not None and move.action is not LegAction.TAKE for move in hedge.moves):
                assert hedge.parts.slippage < 0
                assert hedge.parts.impact < 0
                found[structure] += 1
    assert found[structure]


def test_liquidation_is_journaled_with_the_price_that_reached_it() -> None:
    case = json.loads((CASES[0].parent / "06-long-leg-liquidated.json").read_text())
    _, journal = assert_parts_sum_up(case["files"], case["config"])
    ((hedge, move),) = journal.liquidations()
    tests = [test for test in journal.margins if (test.number, test.leg) == (hedge.number, move.leg)]
    last = tests[-1]
    assert (move.reason, move.fill, move.leg) == (CloseReason.LIQUIDATION, None, LegName.LONG)
    assert (last.t_ms, last.reached) == (move.t_ms, move.price)
    assert last.distance <= 0 <= last.missing
    assert all(test.distance > 0 > test.missing for test in tests[:-1])
