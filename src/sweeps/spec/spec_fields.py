"""Fields of a specification: name, objective, stored curves, validation."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

from bot.notation import is_printable, quoted
from bot.selection.settings import ValidationSettings
from sweeps.spec.axes import MAX_TRIALS
from sweeps.spec.metrics import METRICS, Direction, natural_direction

_STRICT = ConfigDict(frozen=True, extra="forbid")


def _printable(text: str) -> str:
    if not is_printable(text):
        raise ValueError(f"{quoted(text)} holds characters that cannot be printed")
    return text


SweepName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_printable),
]


class TopCurves(BaseModel):
    """Keep the curves of the best `top` trials."""

    model_config = _STRICT
    top: int = Field(50, ge=1, le=MAX_TRIALS)


def _curves(raw: object) -> object:
    if isinstance(raw, TopCurves) or raw in ("all", "none"):
        return raw
    top = raw.get("top") if isinstance(raw, dict) and len(raw) == 1 else None
    if isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= MAX_TRIALS:
        raise ValueError(f'{quoted(raw)} is neither all, none nor {{"top": 1 to {MAX_TRIALS:,}}}')
    return TopCurves(top=top)


Curves = Annotated[Literal["all", "none"] | TopCurves, BeforeValidator(_curves)]

VALIDATED, NOT_VALIDATED = "settings", "off"


def _validation(raw: object) -> str:
    return NOT_VALIDATED if raw is False else VALIDATED


Validation = Annotated[
    Annotated[ValidationSettings, Tag(VALIDATED)] | Annotated[Literal[False], Tag(NOT_VALIDATED)],
    Discriminator(_validation),
]


class Objective(BaseModel):
    """Objective by which the best trial is found; the direction follows the metric if it is left out."""

    model_config = _STRICT
    metric: str = Field("sharpe", json_schema_extra={"enum": list(METRICS)})
    direction: Direction = Direction.MAXIMIZE

    @model_validator(mode="before")
    @classmethod
    def _with_direction(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("direction") is None:
            return {**raw, "direction": natural_direction(str(raw.get("metric", "sharpe")))}
        return raw

    @field_validator("metric")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in METRICS:
            raise ValueError(f"{quoted(name)} is no metric; there are {', '.join(METRICS)}")
        return name
