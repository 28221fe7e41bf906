"""Marks on trials, as a body asks for them and as they are answered."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, WithJsonSchema

from bot.validation import validated
from sweeps.lifecycle.tags import MAX_NOTE_LENGTH
from sweeps.lifecycle.trial_marks import MAX_NAME_LENGTH

# What `sweeps.lifecycle.trial_marks` checks, in its own words; here only said to readers of the schema.
_NAME = WithJsonSchema({"type": "string", "maxLength": MAX_NAME_LENGTH})
_NOTE = WithJsonSchema({"type": "string", "maxLength": MAX_NOTE_LENGTH})


class MarkChange(BaseModel):
    """Change of the marks on a trial; what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, _NAME] | None = Field(None, description="in place of its name, empty for none")
    note: Annotated[str, _NOTE] | None = Field(None, description="in place of its note, empty for none")
    pinned: StrictBool | None = Field(None, description="whether it is among the pinned ones")

    @classmethod
    def parse(cls, document: dict[str, object]) -> Self:
        """Return the change; raises InvalidInputError with one entry per refused field."""
        return validated(cls, document)


class MarkedTrial(BaseModel):
    """Marks on a trial."""

    number: int
    name: str
    note: str
    pinned: bool


class MarkList(BaseModel):
    """Marks on all trials of a sweep that have any."""

    marks: list[MarkedTrial]
