"""Parameters of hedges: defaults, bounds, contradictions, identity; refused where nothing replays them."""

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from builders import instrument, market_data, run_config

from bot.accounting.brackets import Bracket
from bot.backtest import ReplayWindow
from bot.config.hedge_checks import (
    HEDGE_PARAMETERS,
    READ_BY_RULES,
    any_asks_for_hedges,
    needs_hedge_engine,
    refuse_hedges,
)
from bot.config.hedge_rules import HedgeParameters
from bot.config.parameter_columns import ParameterColumns
from bot.config.run_config import RunConfig, ruled_parameters
from bot.config.run_key import identifying, key_list, run_key, run_keys
from bot.errors import InvalidInputError
from bot.hedge_names import Hedge
from bot.market_names import Market
from bot.paper.session import PaperSession, new_session

SPOT, LINEAR, INVERSE = "BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC"
BRACKETS = [
    {"cap": "50000", "mmr": "0.004", "amount": "0", "max_leverage": "125"},
    {"cap": None, "mmr": "0.005", "amount": "50"},
]
SET: dict[str, dict[str, Any]] = {
    "structure": {"structure": "reverse"},
    "long_exchange": {"long_exchange": "bybit"},
    "short_exchange": {"short_exchange": "bybit"},
    "capital_shares": {"exchange": "binance", "capital_shares": {"binance": 1}},
    "borrow_rate_hourly": {"borrow_rate_hourly": 0},
    "borrow_leverage": {"borrow_leverage": 3},
    "borrow_mmr": {"borrow_mmr": 0},
    "margin_model": {"margin_model": "brackets"},
    "liquidation_fee": {"liquidation_fee": "0.01"},
    "margin_policy": {"margin_policy": "rebalance"},
    "margin_trigger": {"margin_trigger": "0.6"},
    "transfer_fee": {"transfer_fee": 1},
    "transfer_delay_minutes": {"transfer_delay_minutes": 30},
    "wallet_trigger": {"wallet_trigger": "0.1"},
    "stress": {"stress": [{"at": "2024-08-05"}]},
    "leg_out_delay_minutes": {"leg_out_delay_minutes": 5},
    "impact_bps": {"impact_bps": 10},
    "max_participation": {"max_participation": "0.01"},
    "fill_lag_candles": {"fill_lag_candles": 1},
    "exit_on_announcement": {"exit_on_announcement": True},
    "min_contract_age_days": {"min_contract_age_days": 30},
    "symbols": {"symbols": [f"{SPOT}>{LINEAR}"]},
    "instrument": {"instrument": {"brackets": BRACKETS}},
}
"""Values that set each parameter by which a run asks for the replay of hedges."""


def refused(**overrides: Any) -> str:
    with pytest.raises(InvalidInputError) as caught:
        run_config(**overrides)
    return caught.value.message


def test_defaults_ask_for_nothing() -> None:
    document = run_config().document()
    assert {name: document[name] for name in HedgeParameters.model_fields} == {
        "structure": "spot_perp",
        "long_exchange": None,
        "short_exchange": None,
        "capital_shares": None,
        "borrow_rate_hourly": None,
        "borrow_leverage": "1",
        "borrow_mmr": "0.1",
        "margin_model": "flat",
        "liquidation_fee": None,
        "margin_policy": "none",
        "margin_trigger": "0.5",
        "transfer_fee": "0",
        "transfer_delay_minutes": 0,
        "wallet_trigger": None,
        "stress": [],
        "leg_out_delay_minutes": 0,
        "impact_bps": "0",
        "max_participation": None,
        "fill_lag_candles": 0,
        "exit_on_announcement": False,
        "min_contract_age_days": "0",
    }
    assert not needs_hedge_engine(run_config())
    assert not needs_hedge_engine(run_config(instrument={"mmr": "0.01", "contract_size": 100}))


def test_hedges_are_those_that_symbols_name() -> None:
    assert run_config(exchange="binance").hedges == (
        Hedge(LINEAR, Market("binance", SPOT), Market("binance", LINEAR), is_short_name=True),
    )
    config = run_config(exchange="binance", structure="perp_perp", short_exchange="bybit")
    assert config.hedges == (
        Hedge(LINEAR, Market("binance", LINEAR), Market("bybit", LINEAR), is_short_name=True),
    )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("structure", "straddle", 'structure: "straddle": input should be "spot_perp", "reverse"'),
        ("long_exchange", "", 'long_exchange: "" is no name such as binance (a-z, 0-9, dot, dash)'),
        ("short_exchange", "Bybit", 'short_exchange: "Bybit" is no name such as binance'),
        ("borrow_rate_hourly", "-0.1", 'borrow_rate_hourly: "-0.1": '),
        ("borrow_leverage", 0, "borrow_leverage: 0: "),
        ("borrow_mmr", 1, "borrow_mmr: 1: "),
        ("margin_model", "tiers", 'margin_model: "tiers": input should be "flat" or "brackets"'),
        ("liquidation_fee", 1, "liquidation_fee: 1: "),
        ("margin_policy", "close", 'margin_policy: "close": input should be "none", "top_up" or "rebalance"'),
        ("margin_trigger", 0, "margin_trigger: 0: "),
        ("margin_trigger", 1, "margin_trigger: 1: "),
        ("transfer_fee", "-1", 'transfer_fee: "-1": '),
        ("transfer_fee", "0.000000001", "transfer_fee: 0.000000001 has more than 8 decimal places"),
        ("transfer_delay_minutes", "0.5", "transfer_delay_minutes: 0.5 is not a whole number"),
        ("transfer_delay_minutes", -1, "transfer_delay_minutes: -1: "),
        ("wallet_trigger", "-0.1", 'wallet_trigger: "-0.1": '),
        ("leg_out_delay_minutes", -1, "leg_out_delay_minutes: -1: "),
        ("impact_bps", 10000, "impact_bps: 10000: "),
        ("max_participation", 0, "max_participation: 0: "),
        ("fill_lag_candles", -1, "fill_lag_candles: -1: "),
        ("exit_on_announcement", 1, "exit_on_announcement: 1: input should be a valid boolean"),
        ("min_contract_age_days", -1, "min_contract_age_days: -1: "),
        ("stress", "now", 'stress: "now" is no list of entries such as {"at": "2024-08-05T12:00"}'),
        ("stress", [{}], "stress[0].at: is required"),
        ("stress", [{"at": "2024-08-05", "leg": "spot"}], 'stress[0].leg: "spot": input should be "long"'),
        ("stress", [{"at": "2024-08-05", "adverse_bps": 10000}], "stress[0].adverse_bps: 10000: "),
        (
            "stress",
            [{"at": "2024-08-05", "price": 1}],
            "stress[0].price: is not a known parameter (given: 1)",
        ),
        ("capital_shares", ["binance"], 'capital_shares: ["binance"] is no object of shares by exchange'),
        ("capital_shares", {}, "capital_shares: {} names 0 exchanges, 1 to 16 are allowed"),
        ("capital_shares", {"a": "all"}, 'capital_shares: "all" is not a decimal number'),
        ("capital_shares", {"a": 2, "b": -1}, 'capital_shares: 2 of "a" is not between 0 and 1'),
        (
            "capital_shares",
            {"a": "0.5", "b": "0.4"},
            'capital_shares: {"a": "0.5", "b": "0.4"} sums to 0.9, not to 1',
        ),
        ("instrument", {"contract_size": 0}, "instrument.contract_size: 0: "),
        ("instrument", {"brackets": []}, "instrument.brackets[0].cap: no bracket is given"),
        (
            "instrument",
            {"brackets": [BRACKETS[1], BRACKETS[0]]},
            "instrument.brackets[1].cap: 50000 follows a bracket without a cap, which only the last may be",
        ),
    ],
)
def test_value_out_of_bounds_is_refused_by_field_and_value(field: str, value: Any, message: str) -> None:
    assert refused(**{field: value}).startswith(message)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"structure": "perp_perp"},
            (
                'symbols: "BTC/USDT:USDT": one market on one exchange: '
                "name long_exchange and short_exchange, or both legs"
            ),
        ),
        (
            {"structure": "inverse"},
            (
                'symbols: "BTC/USDT:USDT": a linear perpetual, '
                "but a short name under inverse is an inverse perpetual"
            ),
        ),
        (
            {"margin_policy": "top_up", "margin_trigger": "0.80"},
            "margin_trigger: 0.8 is not below margin_exit_ratio 0.8, so that top_up never acts",
        ),
        (
            {"capital_shares": {"binance": 1}},
            'capital_shares: {"binance": "1"} needs exchange to be named, which some legs are on',
        ),
        (
            {"exchange": "binance", "capital_shares": {"binance": "0.5", "okx": "0.5"}},
            'capital_shares: "okx" is no exchange of the run\'s hedges (binance)',
        ),
        (
            {"exchange": "binance", "short_exchange": "bybit", "capital_shares": {"binance": 1}},
            'capital_shares: {"binance": "1"} has no share for "bybit", which some legs are on',
        ),
        (
            {"stress": [{"at": "2024-08-05"}, {"at": "2024-08-05", "symbol": "ETH/USDT:USDT"}]},
            'stress[1].symbol: "ETH/USDT:USDT" is no hedge of the run (BTC/USDT:USDT)',
        ),
        (
            {"structure": "reverse", "end_dead_markets": True},
            (
                "end_dead_markets: true is read by runs of spot against a perp alone; "
                "contracts of hedges end as their recorded lives say"
            ),
        ),
        (
            {"slippage_bps": 5000, "impact_bps": 5000},
            (
                "impact_bps: 5000 and slippage_bps 5000 are together not below 10000, "
                "so that a sale could earn nothing"
            ),
        ),
    ],
)
def test_contradiction_is_one_error_that_names_field_and_value(values: dict[str, Any], message: str) -> None:
    assert refused(**values) == message


@pytest.mark.parametrize(
    "values",
    [
        {"stress": [{"at": "2024-08-05"}] * 101},
        {"stress": [dict.fromkeys(map(str, range(21)))]},
        {"stress": ["2024-08-05"]},
        {"instrument": {"brackets": [{"cap": str(place + 1), "mmr": 0} for place in range(201)]}},
        {"instrument": {"brackets": [dict.fromkeys(map(str, range(21)))]}},
        {"capital_shares": dict.fromkeys(map(str, range(17)), 0)},
    ],
    ids=["entries", "members", "texts", "brackets", "members of a bracket", "shares"],
)
def test_crowds_are_one_short_error(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        run_config(**values)
    assert len(caught.value.errors) == 1
    assert len(caught.value.message) < 400


def test_trigger_is_not_compared_without_a_policy() -> None:
    assert run_config(margin_trigger="0.9").margin_trigger == Decimal("0.9")


def test_documents_read_back_as_the_same_run() -> None:
    config = run_config(
        exchange="binance",
        structure="perp_perp",
        symbols=[f"{LINEAR}@binance<>{LINEAR}@bybit"],
        capital_shares={"bybit": "0.40", "binance": "0.6"},
        stress=[{"at": "2024-08-05T12:00", "symbol": f"{LINEAR}@bybit>{LINEAR}@binance", "delay_minutes": 5}],
        instrument={"brackets": BRACKETS, "contract_size": 100},
    )
    document = json.loads(json.dumps(config.document()))
    assert RunConfig.parse(document) == config
    assert document["capital_shares"] == {"binance": "0.6", "bybit": "0.4"}
    assert document["stress"] == [
        {
            "at": "2024-08-05T12:00:00Z",
            "leg": "short",
            "symbol": f"{LINEAR}@bybit>{LINEAR}@binance",
            "delay_minutes": 5,
            "adverse_bps": "0",
        }
    ]


def test_single_stress_may_stand_without_its_list() -> None:
    entry = {"at": "2024-08-05", "leg": "long", "adverse_bps": "150"}
    assert run_config(stress=entry) == run_config(stress=[entry])


def test_instrument_sets_brackets_for_margin_and_the_size_of_contracts() -> None:
    own = run_config(instrument={"brackets": BRACKETS, "contract_size": 100}).instrument
    assert own is not None
    assert own.margin_brackets == (
        Bracket(Decimal(50000), Decimal("0.004"), Decimal(0), Decimal(125)),
        Bracket(None, Decimal("0.005"), Decimal(50)),
    )
    assert own.applied_to(instrument({"mmr": "0.02"})) == instrument({"mmr": "0.02", "contract_size": "100"})


def test_every_parameter_is_told_by_which_a_run_asks_for_hedges() -> None:
    assert set(HEDGE_PARAMETERS) == SET.keys()


@pytest.mark.parametrize("name", SET)
def test_run_that_sets_it_is_refused_by_name_wherever_it_would_be_ignored(name: str) -> None:
    config = run_config(**SET[name])
    assert needs_hedge_engine(config)
    told = rf"^{name}: .* is read by single runs alone: "
    with pytest.raises(InvalidInputError, match=told):
        refuse_hedges(config)
    with pytest.raises(InvalidInputError, match=told):
        ReplayWindow.build(config, market_data({}, config.end))
    with pytest.raises(InvalidInputError, match=told):
        PaperSession(config, new_session("x", config, 0), {})


def test_refusal_names_the_value_and_the_default() -> None:
    with pytest.raises(InvalidInputError) as caught:
        refuse_hedges(run_config(structure="reverse", impact_bps=5))
    assert caught.value.message == 'structure: "reverse" is read by single runs alone: leave it at spot_perp'


def test_defaults_leave_run_keys_as_they_were_and_values_change_them() -> None:
    document = identifying(run_config().document())
    assert HedgeParameters.model_fields.keys().isdisjoint(document)
    usual = run_config(transfer_fee="0.00", stress=[], borrow_leverage="1.0")
    assert run_key(usual, "abc") == run_key(run_config(), "abc")
    keys = {run_key(run_config(**values), "abc") for values in SET.values()}
    assert len(keys | {run_key(run_config(), "abc")}) == len(SET) + 1


def test_key_of_an_instrument_of_before_holds() -> None:
    config = run_config(instrument={"mmr": "0.01"})
    assert config.document()["instrument"] == {
        "qty_step": None,
        "min_qty": None,
        "min_notional": None,
        "mmr": "0.01",
    }


def test_rules_of_hedges_read_no_other_parameters_than_those_said() -> None:
    read: set[str] = set()

    class Recorded(RunConfig):
        def __getattribute__(self, name: str) -> Any:
            if name in RunConfig.model_fields:
                read.add(name)
            return super().__getattribute__(name)

    config = run_config(
        exchange="a",
        margin_policy="rebalance",
        impact_bps=1,
        stress=[{"at": "2024-08-05"}],
        capital_shares={"a": 1},
    )
    Recorded.model_construct(**dict(config)).refuse_contradictions()
    assert read == ruled_parameters(RunConfig, with_hedges=True)
    assert read >= READ_BY_RULES


def test_trials_by_column_are_refused_for_the_contradictions_of_hedges() -> None:
    shared = run_config(margin_policy="top_up")
    ratios = (Decimal("0.4"), Decimal("0.8"))
    columns = ParameterColumns(
        shared, {"margin_exit_ratio": ratios}, {"margin_exit_ratio": np.array([0, 1, 0])}, 3
    )
    message = "margin_trigger: 0.5 is not below margin_exit_ratio 0.4, so that top_up never acts"
    assert {trial: error.message for trial, error in columns.refused().items()} == {0: message, 2: message}


def test_columns_ask_for_hedges_if_any_of_their_values_does() -> None:
    usual, shares = run_config(), run_config(exchange="a", capital_shares={"a": 1}).capital_shares
    assert not any_asks_for_hedges(usual, {"structure": ("spot_perp",), "min_funding_rate": (1, 2)})
    assert any_asks_for_hedges(usual, {"structure": ("spot_perp", "reverse")})
    assert any_asks_for_hedges(usual, {"symbols": ((LINEAR,), (f"{SPOT}>{LINEAR}",))})
    assert any_asks_for_hedges(usual, {"capital_shares": (None, shares)})
    assert not any_asks_for_hedges(run_config(impact_bps=1), {"impact_bps": (Decimal(0),)})


def test_run_keys_by_column_of_objects_are_those_made_one_by_one() -> None:
    configs = [
        run_config(exchange="a"),
        run_config(exchange="a", capital_shares={"a": 1}),
        run_config(exchange="a", stress=[{"at": "2024-08-05"}]),
        run_config(exchange="a", stress=[{"at": "2024-08-06", "adverse_bps": "12.50"}]),
    ]
    keys = key_list(run_keys(ParameterColumns.of(configs), "x"))
    assert [key.hex() for key in keys] == [run_key(config, "x") for config in configs]
