"""Bodies and answers about looks and seals."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import Of, document_of
from bot.timestamps import iso
from bot.validation import WHOLE, validated
from sweeps.lifecycle.looks import LookView
from sweeps.lifecycle.promotions import PromotedTrial
from sweeps.lifecycle.run_looks import LookKind
from sweeps.lifecycle.seals import HoldoutLook, SealView

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
_CONSISTENT = (
    "false where days like the earlier ones come to so little in at most one case of twenty; "
    "null where there are more later than earlier days"
)
_Id = Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE]


class NewSeal(BaseModel):
    """A seal to be set: an exchange, and the first day that is closed."""

    model_config = _STRICT

    exchange: Annotated[str, Field(min_length=1, max_length=64)]
    day: Annotated[str | int, WHOLE] = Field(alias="from", description="ISO date, UTC")
    insist: bool = Field(False, description="seal days that runs have read; such a seal is tainted")

    @classmethod
    def parse(cls, document: dict[str, object]) -> Self:
        """Return the seal asked for; raises InvalidInputError with one entry per refused field."""
        return validated(cls, document)


class NewLook(BaseModel):
    """A look to be taken at a holdout: sweep and number of a completed trial."""

    model_config = _STRICT

    sweep: _Id
    trial: _Id

    @classmethod
    def parse(cls, document: dict[str, object]) -> Self:
        """Return the look asked for; raises InvalidInputError with one entry per refused field."""
        return validated(cls, document)


class PromotionRequest(BaseModel):
    """A promotion asked for; `override` is the reason for which a trial passes that is not validated."""

    model_config = _STRICT

    override: str | None = None

    @classmethod
    def parse(cls, document: dict[str, object]) -> Self:
        """Return the promotion asked for; raises InvalidInputError with one entry per refused field."""
        return validated(cls, document)


class DayCounts(BaseModel):
    """Days before a seal or promotion, and from it on."""

    earlier: int
    later: int


class LaterDays(BaseModel):
    """Days of a run from a midnight on, beside its earlier ones."""

    first: str = Field(alias="from", description="first day judged")
    until: str = Field(description="end of the replay: the newest data")
    days: DayCounts
    net_pnl: str = Field(description="P&L of these days")
    in_profit: bool
    consistent: bool | None = Field(description=_CONSISTENT)
    p: float | None = Field(description="chance that days like the earlier ones come to no more")


class ConditionDocument(BaseModel):
    """One condition of a promotion."""

    name: str
    met: bool | None = Field(description="null where nothing is known")
    required: bool = Field(description="whether it must be met; the others only warn")
    detail: str


class EvidenceDocument(BaseModel):
    """Evidence for a promoted trial."""

    sweep: int
    trial: int
    run_key: str
    conditions: list[ConditionDocument]
    override: str | None = Field(description="the reason for which it passed nevertheless")
    promotion: int = Field(description="number of the trial's first promotion")
    promoted_at: str
    decay: LaterDays | None = Field(description="the days after that promotion; null until they are judged")


class PromotedRun(BaseModel):
    """Every parameter of a run, with the evidence for it beside them."""

    model_config = ConfigDict(extra="allow")

    evidence: EvidenceDocument


def _date(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat()


class LookDocument(BaseModel):
    """Runs whose results could be seen; `first` and `last` are the outermost days."""

    name: str
    kind: LookKind
    exchange: Annotated[str, Of[LookView](lambda look: look.seen.exchange)]
    symbols: Annotated[list[str], Of[LookView](lambda look: sorted(look.seen.symbols))]
    first: Annotated[str, Of[LookView](lambda look: _date(look.seen.first))]
    last: Annotated[str, Of[LookView](lambda look: _date(look.seen.last))]
    runs: Annotated[int, Of[LookView](lambda look: look.seen.runs)]
    new: Annotated[int, Of[LookView](lambda look: look.seen.new)] = Field(
        description="runs whose result was not reused from an equal one"
    )
    independent: Annotated[float | None, Of[LookView](lambda look: look.seen.independent)] = Field(
        description="independent trials that they are worth; null until judged"
    )
    created_at: Annotated[str, Of[LookView](lambda look: iso(look.created_ms))]


class LookList(BaseModel):
    """Looks, oldest first."""

    looks: list[LookDocument]


def _p(look: HoldoutLook) -> float | None:
    p = look.result["p"]
    return None if p is None else min(1.0, p * look.place)


def _told(name: str) -> Of[HoldoutLook]:
    return Of(lambda look: look.result[name])


class HoldoutLookDocument(BaseModel):
    """A look of one trial at sealed days."""

    look: Annotated[str, Of[HoldoutLook](lambda look: look.label)] = Field(
        description="`first`, `look 2` and so on, or `opened` and no evidence"
    )
    sweep: Annotated[int, Of[HoldoutLook](lambda look: look.sweep_id)]
    trial: Annotated[int, Of[HoldoutLook](lambda look: look.number)]
    first: Annotated[str, _told("from")] = Field(description="first day judged")
    until: Annotated[str, _told("until")] = Field(description="end of the replay: the newest data")
    days: Annotated[DayCounts, _told("days")]
    net_pnl: Annotated[str, _told("net_pnl")] = Field(description="P&L from the seal on")
    in_profit: Annotated[bool, _told("in_profit")]
    consistent: Annotated[bool | None, _told("consistent")] = Field(description=_CONSISTENT)
    p: Annotated[float | None, Of(_p)] = Field(
        description="chance that days like the earlier ones come to no more, times the number of the look"
    )
    created_at: Annotated[str, Of[HoldoutLook](lambda look: iso(look.created_ms))]


class PromotionDocument(BaseModel):
    """The first promotion of a trial, kept beyond the deletion of its sweep."""

    id: int
    sweep: Annotated[int, Of[PromotedTrial](lambda one: one.sweep_id)]
    trial: Annotated[int, Of[PromotedTrial](lambda one: one.number)]
    run_key: str
    exchange: Annotated[str | None, Of[PromotedTrial](lambda one: one.config.exchange)]
    symbols: Annotated[list[str], Of[PromotedTrial](lambda one: list(one.config.symbols))]
    promoted_at: Annotated[str, Of[PromotedTrial](lambda one: iso(one.created_ms))]
    override: str | None = Field(description="the reason for which it passed without evidence")
    decay: LaterDays | None = Field(description="the days after it; null until they are judged")


class PromotionList(BaseModel):
    """Promotions, oldest first."""

    promotions: list[PromotionDocument]


class SealDocument(BaseModel):
    """A seal, with the looks taken at it."""

    id: int
    exchange: str
    day: str = Field(alias="from", description="first day that is closed")
    state: str = Field(description="`closed` or `opened`")
    tainted: bool = Field(description="whether something had read past it when it was set")
    created_at: str
    opened_at: str | None
    looks: list[HoldoutLookDocument]


class SealList(BaseModel):
    """Seals, oldest first."""

    seals: list[SealDocument]


def look_document(look: LookView) -> dict[str, Any]:
    """Return a look as JSON values."""
    return document_of(LookDocument, look)


def seal_document(seal: SealView) -> dict[str, Any]:
    """Return a seal as JSON values."""
    return {
        "id": seal.id,
        "exchange": seal.exchange,
        "from": seal.day,
        "state": seal.state,
        "tainted": seal.tainted,
        "created_at": iso(seal.created_ms),
        "opened_at": None if seal.opened_ms is None else iso(seal.opened_ms),
        "looks": [document_of(HoldoutLookDocument, look) for look in seal.looks],
    }
