from dataclasses import fields
from decimal import Decimal

import numpy as np

from bot.accounting.cash_flows import BOOKED, CASH_FLOWS, FLOWS, FUNDING, net_flow
from bot.backtest.attribution import Attribution
from bot.models import Trade
from bot.statistics.run_metrics import Metrics
from bot.trading.account import OpenHedge, PendingHedge


def test_every_cash_flow_has_its_place_in_trades_accounts_attributions_and_metrics() -> None:
    assert set(BOOKED) < set(Trade._fields)
    for holder in (OpenHedge, PendingHedge, Attribution):
        assert set(FLOWS) < {field.name for field in fields(holder)}
    assert {flow.metric for flow in CASH_FLOWS} < {field.name for field in fields(Metrics)}


def test_ledgers_list_cash_flows_before_fees_and_price_pnl() -> None:
    assert BOOKED == ("funding", "fees", "price_pnl")


def test_funding_received_adds_to_the_net_and_funding_paid_takes_from_it() -> None:
    assert net_flow({FUNDING.name: Decimal("-0.5")}) == Decimal("-0.5")
    assert net_flow({FUNDING.name: np.array([3, -4])}).tolist() == [3, -4]
