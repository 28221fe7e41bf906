import hashlib
import json
from typing import Any

import pytest
from builders import run_config

from bot import ENGINE_VERSION
from bot.config.account_rules import OrderParameters, PatienceParameters
from bot.config.run_key import identifying, run_key


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"symbols": ["ÄÖ/USDT:USDT", "B"], "exchange": 'quo"te'},
        {"end_dead_markets": True},
        {"instrument": {"mmr": "0.010", "qty_step": 1}, "max_position_size": "2500.50"},
        {
            "strategy_mode": "composite",
            "dynamic_sizing": True,
            "min_funding_rate": "-0.00",
            "perp_leverage": "3.0",
        },
    ],
)
def test_the_key_is_the_digest_of_canonical_json(overrides: dict[str, Any]) -> None:
    config = run_config(**overrides)
    version = {"simple": "1.0", "composite": "1.1"}[config.strategy_mode]
    document = {
        "config": identifying(config.document()),
        "data": "abc",
        "engine": ENGINE_VERSION,
        "strategy": f"{config.strategy_mode} {version}",
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert run_key(config, "abc") == hashlib.sha256(text.encode()).hexdigest()


def test_numbers_that_are_equal_have_one_key_however_they_were_written() -> None:
    assert run_key(run_config(perp_leverage="3.0"), "x") == run_key(run_config(perp_leverage=3), "x")
    assert run_key(run_config(perp_leverage="3.0"), "x") != run_key(run_config(perp_leverage=2), "x")


def test_a_later_parameter_at_its_default_leaves_the_key_as_it_was_without_it() -> None:
    document = identifying(run_config().document())
    assert {"end_dead_markets", *PatienceParameters.model_fields, *OrderParameters.model_fields}.isdisjoint(
        document
    )
    assert run_key(run_config(), "abc") == "ec6fbfc343fe5daf3c9d628ba1f4b9033dbb156da4deeef6fd82994701a1b24a"
    assert run_key(run_config(end_dead_markets=False), "abc") == run_key(run_config(), "abc")
    assert run_key(run_config(min_hold_hours="0.0", exit_confirmations="1"), "abc") == run_key(
        run_config(), "abc"
    )
    assert run_key(run_config(order_style="taker", spot_maker="0.0010"), "abc") == run_key(
        run_config(), "abc"
    )
    others = (
        {"end_dead_markets": True},
        {"cooldown_hours": 8},
        {"max_round_trips": 1},
        {"order_style": "maker"},
        {"long_taker": "0.001"},
    )
    assert len({run_key(run_config(**other), "abc") for other in ({}, *others)}) == 6
