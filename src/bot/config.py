"""The parameters of a run: their names, defaults, bounds and meaning, each in this one place."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from bot.errors import FieldError, InvalidInputError, InvalidNumberError
from bot.models import Instrument
from bot.money import dec, plain
from bot.timestamps import iso, parse_time_ms

MAX_DIGITS = 15
MAX_MAGNITUDE = Decimal(10) ** 15
MAX_PLACES = 18
_JSON_NUMBER: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "number"}]}


def parameter_number(value: object) -> Decimal:
    """Return a parameter as an exact Decimal of at most 15 significant digits.

    Raises: ValueError naming the value, also for binary floats, NaN and infinities.
    """
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")
    try:
        number = dec(value)
    except InvalidNumberError as error:
        raise ValueError(error.message) from None
    digits = len(number.normalize().as_tuple().digits)
    if digits > MAX_DIGITS:
        raise ValueError(f"{value} has {digits} significant digits, at most {MAX_DIGITS} are exact here")
    if abs(number) >= MAX_MAGNITUDE or (number and number.adjusted() < -MAX_PLACES):
        raise ValueError(f"{value} is outside the range of 1e-{MAX_PLACES} to 1e15")
    return number


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(f"{value!r} is not a whole number")
    number = parameter_number(value)
    if number != number.to_integral_value():
        raise ValueError(f"{value} is not a whole number")
    return int(number)


def _symbols(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names:
        raise ValueError(f"{value!r} is not a non-empty list of symbols")
    for name in names:
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 64:
            raise ValueError(f"{name!r} is not a symbol such as BTC/USDT:USDT")
    if len(set(names)) != len(names):
        raise ValueError(f"{list(names)!r} names a symbol twice")
    return tuple(names)


Number = Annotated[
    Decimal,
    BeforeValidator(parameter_number),
    PlainSerializer(plain, when_used="json"),
    WithJsonSchema(_JSON_NUMBER),
]
Integer = Annotated[int, BeforeValidator(_integer)]
Count = Annotated[Integer, Field(ge=1, le=1_000_000)]
Positive = Annotated[Number, Field(gt=0)]
NonNegative = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(gt=0, le=1)]
Fraction = Annotated[Number, Field(ge=0, le=1)]
FeeRate = Annotated[Number, Field(ge=0, lt=1)]
TimeMs = Annotated[
    int,
    BeforeValidator(parse_time_ms),
    PlainSerializer(iso, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
]
Symbols = Annotated[
    tuple[str, ...],
    BeforeValidator(_symbols),
    AfterValidator(tuple),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 1}),
]


class InstrumentOverride(BaseModel):
    """Instrument values of a run that replace what the store has, for every symbol of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    qty_step: Positive | None = None
    min_qty: NonNegative | None = None
    min_notional: NonNegative | None = None
    mmr: Annotated[Number, Field(ge=0, lt=1)] | None = None

    def applied_to(self, instrument: Instrument) -> Instrument:
        """Return `instrument` with the values that are set here."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        kept = {name: value for name, value in values.items() if value is not None}
        return Instrument(**{**{f: getattr(instrument, f) for f in Instrument.__slots__}, **kept})


class RunConfig(BaseModel):
    """Every parameter of one run, defaults filled in (domain specification, section 7)."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Run parameters")

    exchange: str | None = Field(None, description="data set; the only one held if left out", max_length=64)
    symbols: Symbols = Field(description="perpetuals traded from one capital pool")
    start: TimeMs = Field(description="first moment of the window, inclusive")
    end: TimeMs = Field(description="last moment of the window, inclusive")
    strategy_mode: Literal["simple", "composite"] = Field("simple", description="which strategy decides")
    initial_capital: Positive = Field(Decimal(10000), description="starting cash, quote currency")

    min_funding_rate: Number = Field(Decimal("0.0003"), description="enter at this rate per 8 h or above")
    exit_funding_rate: Number = Field(Decimal("0.0001"), description="exit below this rate per 8 h")
    min_volume_24h: Number = Field(Decimal(1000000), description="perp volume of 24 candles, quote")
    min_holding_periods: Count = Field(30, description="settlements that must pay both round-trip fees")

    entry_threshold: Number = Field(Decimal("0.5"), description="enter at this composite score or above")
    exit_threshold: Number = Field(Decimal("0.3"), description="exit below this composite score")
    weight_rate_level: NonNegative = Field(Decimal("0.35"), description="relative weight of the rate level")
    weight_trend: NonNegative = Field(Decimal("0.25"), description="relative weight of the rate trend")
    weight_persistence: NonNegative = Field(Decimal("0.25"), description="relative weight of persistence")
    weight_basis: NonNegative = Field(Decimal("0.15"), description="relative weight of the basis")
    trend_ema_span: Count = Field(6, description="span of the rate's moving average, settlements")
    trend_stable_threshold: NonNegative = Field(Decimal("0.00005"), description="smaller moves are stable")
    persistence_threshold: Number = Field(Decimal("0.0003"), description="rate per 8 h that counts as high")
    persistence_max_periods: Count = Field(30, description="run of high settlements that scores 1")
    rate_cap: Positive = Field(Decimal("0.003"), description="rate per 8 h that scores 1")
    basis_cap: Positive = Field(Decimal("0.01"), description="perp premium over spot that scores 1")
    volume_lookback_days: Count = Field(7, description="days of each half of the volume comparison")
    volume_decline_ratio: NonNegative = Field(Decimal("0.7"), description="least newer/older volume to enter")
    dynamic_sizing: bool = Field(False, strict=True, description="scale entries by the composite score")
    sizing_min_fraction: Fraction = Field(Decimal("0.3"), description="share of a slot at score 0")
    sizing_max_fraction: Fraction = Field(Decimal(1), description="share of a slot at score 1")

    spot_taker: FeeRate = Field(Decimal("0.001"), description="fee rate of a spot fill")
    perp_taker: FeeRate = Field(Decimal("0.00055"), description="fee rate of a perp fill")
    slippage_bps: Annotated[Number, Field(ge=0, lt=10000)] = Field(
        Decimal(5), description="adverse move of every fill, basis points"
    )
    perp_leverage: Positive = Field(Decimal(1), description="notional of the short over its locked margin")
    margin_exit_ratio: Share = Field(Decimal("0.8"), description="close at this maintenance/balance ratio")
    max_simultaneous_positions: Count = Field(1, description="slots the capital is split into")
    sizing_base: Literal["initial", "equity"] = Field("initial", description="fixed capital or compounding")
    allocation: Share = Field(Decimal("0.9"), description="share of the base put to work")
    max_position_size: Positive | None = Field(None, description="largest spot notional, quote")
    max_portfolio_exposure: Positive | None = Field(None, description="largest sum of notionals, quote")
    min_coverage: Fraction = Field(Decimal("0.9"), description="least share of settlements held")
    max_price_age_hours: Positive = Field(Decimal(2), description="older closes are too stale to decide on")
    instrument: InstrumentOverride | None = Field(None, description="replaces the store's trading rules")

    @model_validator(mode="after")
    def _validated(self) -> Self:
        self.refuse_contradictions()
        return self

    def refuse_contradictions(self) -> None:
        """Check the rules between parameters; raises ValueError that begins with a field."""
        if self.end < self.start:
            raise ValueError(f"end: {iso(self.end)} is before start {iso(self.start)}")
        weights = self.weight_rate_level + self.weight_trend + self.weight_persistence + self.weight_basis
        if not weights:
            raise ValueError("weight_rate_level: 0, like all other weights; at least one must be positive")
        if self.sizing_max_fraction < self.sizing_min_fraction:
            raise ValueError(
                f"sizing_max_fraction: {self.sizing_max_fraction} is below "
                f"sizing_min_fraction {self.sizing_min_fraction}"
            )

    @classmethod
    def parse(cls, values: Mapping[str, object]) -> Self:
        """Return the run that `values` describe.

        Raises: InvalidInputError with one entry per refused field.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InvalidInputError(field_errors(error)) from None

    def varied(self, values: Mapping[str, object]) -> Self:
        """Return this run with other, already validated `values`; only the rules between fields are checked.

        Raises: InvalidInputError if the parameters contradict each other.
        """
        run = self.model_copy(update=dict(values))
        try:
            run.refuse_contradictions()
        except ValueError as error:
            field, _, message = str(error).partition(": ")
            raise InvalidInputError.of(field, message) from None
        return run

    @property
    def slippage(self) -> Decimal:
        """Adverse move of every fill as a fraction of the price."""
        return self.slippage_bps.scaleb(-4)

    @property
    def max_price_age_ms(self) -> Decimal:
        """Age in ms up to which a close is fresh."""
        return self.max_price_age_hours * 3_600_000

    def document(self) -> dict[str, Any]:
        """Return the parameters as JSON values: decimals as canonical text, times as ISO text."""
        return self.model_dump(mode="json")


def load_json(text: str | bytes) -> object:
    """Return parsed JSON with each number as the Decimal it was written as.

    Raises: InvalidInputError for anything that is not strict JSON, NaN and infinities included.
    """

    def refuse(constant: str) -> object:
        raise ValueError(f"{constant} is not a number in JSON")

    try:
        return json.loads(text, parse_float=Decimal, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError.of("body", f"is not valid JSON: {error}") from None


_MESSAGES = {
    "missing": "is required",
    "extra_forbidden": "is not a known parameter",
}


def field_errors(error: ValidationError, prefix: str = "") -> list[FieldError]:
    """Return pydantic's findings as field errors that name field and value."""
    found = []
    for detail in error.errors(include_url=False):
        path = prefix + _dotted(detail["loc"])
        message = detail["msg"].removeprefix("Value error, ")
        if not detail["loc"] and ": " in message:
            field, _, message = message.partition(": ")
            path = prefix + field
        elif detail["type"] in _MESSAGES:
            message = _MESSAGES[detail["type"]]
        elif not detail["type"].startswith("value_error"):
            message = f"{_shown(detail['input'])}: {message[:1].lower()}{message[1:]}"
        found.append(FieldError(path, message))
    return found


def _dotted(loc: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value) if value.is_finite() and abs(value.adjusted()) < 40 else str(value)
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
