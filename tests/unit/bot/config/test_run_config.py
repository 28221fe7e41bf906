import json
from decimal import Decimal

import pytest
from builders import instrument, run_config

from bot.config.run_config import RunConfig, load_json
from bot.errors import InvalidInputError

VALID = {"symbols": ["BTC/USDT:USDT"], "start": "2024-01-01", "end": "2024-12-31"}


def refused(**overrides: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputError) as caught:
        RunConfig.parse({**VALID, **overrides})
    return [(error.field, error.message) for error in caught.value.errors]


def test_numbers_in_json_are_read_as_the_text_they_were_written_as() -> None:
    parsed = load_json('{"min_funding_rate": 0.00030, "initial_capital": 1e4}')
    config = RunConfig.parse({**VALID, **parsed})  # type: ignore[dict-item]
    assert config.min_funding_rate == Decimal("0.0003")
    assert config.document()["initial_capital"] == "10000"


@pytest.mark.parametrize(
    ("text", "field"), [('{"x": {"a": NaN}}', "a"), ('{"a": [1, -Infinity]}', "a"), ("Infinity", "body")]
)
def test_what_is_no_number_is_named_with_its_field(text: str, field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: (NaN|-?Infinity) is not a number in JSON"):
        load_json(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "", "{", b"\xff"])
def test_what_is_no_strict_json_is_one_clear_error(text: str | bytes) -> None:
    with pytest.raises(InvalidInputError, match="body"):
        load_json(text)


def test_an_unknown_key_is_named() -> None:
    assert refused(min_fundingrate="0.1") == [("min_fundingrate", 'is not a known parameter (given: "0.1")')]


def test_an_end_before_the_start_names_both() -> None:
    assert refused(end="2023-01-01") == [("end", "2023-01-01T00:00:00Z is before start 2024-01-01T00:00:00Z")]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("initial_capital", "-5", "-5"),
        ("initial_capital", "NaN", '"NaN" is not a finite number'),
        ("initial_capital", True, "true is not a number"),
        ("initial_capital", 0.5, "0.5 is not a number"),
        ("allocation", "1.1", "1.1"),
        ("allocation", "0", "0"),
        ("min_funding_rate", Decimal("0.30000000000000004"), "0.30000000000000004 has 17 significant digits"),
        ("min_holding_periods", "1.5", "1.5 is not a whole number"),
        ("min_holding_periods", 0, "0"),
        ("perp_leverage", "1e15", "1e15 is not between -1e15 and 1e15, both excluded"),
        ("slippage_bps", "1e-19", "1e-19 is nearer to 0 than 1e-18 without being 0"),
        ("perp_leverage", {"a": Decimal(1)}, '{"a": 1} is not a number'),
        ("slippage_bps", 10000, "10000"),
        ("spot_taker", 1, "1"),
        ("dynamic_sizing", 0, "0"),
        ("symbols", [], "[] is not a non-empty list"),
        ("symbols", ["A", "A"], "names a symbol twice"),
        ("strategy_mode", "magic", '"magic"'),
        ("start", "soon", '"soon" is no time: write 2024-01-31'),
        ("end", 1704067200, "1704067200 looks like seconds"),
    ],
)
def test_a_refused_value_is_named_with_its_field(field: str, value: object, message: str) -> None:
    [(named, text)] = refused(**{field: value})
    assert named == field
    assert message in text


def test_weights_that_sum_to_zero_are_refused() -> None:
    names = ("weight_rate_level", "weight_trend", "weight_persistence", "weight_basis")
    [(field, message)] = refused(**dict.fromkeys(names, 0))
    assert field == "weight_rate_level"
    assert "at least one must be positive" in message


def test_every_refused_field_is_reported_at_once() -> None:
    assert [field for field, _ in refused(allocation=2, spot_taker=-1, nonsense=1)] == [
        "spot_taker",
        "allocation",
        "nonsense",
    ]


def test_a_document_reads_back_as_the_same_run() -> None:
    config = run_config(instrument={"mmr": "0.01"}, max_position_size="2500.50")
    document = json.loads(json.dumps(config.document()))
    assert RunConfig.parse(document) == config


def test_an_instrument_override_keeps_what_it_does_not_name() -> None:
    override = run_config(instrument={"mmr": "0.01"}).instrument
    assert override is not None
    held = instrument({"qty_step": "0.1"})
    assert override.applied_to(held).mmr == Decimal("0.01")
    assert override.applied_to(held).qty_step == Decimal("0.1")
