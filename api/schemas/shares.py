"""Read-only links to a sweep, as a body asks for them and as they are answered."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from api.schemas.fields import Of, document_of
from bot.timestamps import iso
from bot.validation import WHOLE, validated
from sweeps.storage.access.shares import MAX_NAME_LENGTH, MAX_VIEW_LENGTH, MOST_DAYS, Share

# What `sweeps.storage.access.shares` checks, in its own words; here only said to readers of the schema.
_NAME = WithJsonSchema({"type": "string", "maxLength": MAX_NAME_LENGTH})
_VIEW = WithJsonSchema({"type": "string", "maxLength": MAX_VIEW_LENGTH})


def _moment(time_ms: int | None) -> str | None:
    return None if time_ms is None else iso(time_ms)


class NewShare(BaseModel):
    """A link to be made."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, _NAME] = Field("", description="who it is for")
    view: Annotated[str, _VIEW] = Field(
        "", description="query of the sweep's page that it opens: axes, metric, pins, selection"
    )
    days: Annotated[int | None, Field(ge=1, le=MOST_DAYS), WHOLE] = Field(
        None, description="how long it holds; until it is revoked if left out"
    )

    @classmethod
    def parse(cls, document: dict[str, object]) -> Self:
        """Return the link asked for; raises InvalidInputError with one entry per refused field."""
        return validated(cls, document)


class ShareDocument(BaseModel):
    """A link to a sweep; its token is not shown again."""

    id: int
    name: str
    view: str
    created_at: Annotated[str, Of[Share](lambda share: iso(share.created_ms))]
    expires_at: Annotated[str | None, Of[Share](lambda share: _moment(share.expires_ms))]


class MadeShare(ShareDocument):
    """A link that was made just now."""

    address: str = Field(description="path of this server that opens the sweep; it is shown this once")


class ShareList(BaseModel):
    """Links to a sweep, the newest first."""

    shares: list[ShareDocument]


def share_document(share: Share) -> dict[str, Any]:
    """Return the JSON values of a link."""
    return document_of(ShareDocument, share)
