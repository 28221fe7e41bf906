"""Bodies that change a sweep; parsed from exact JSON, refused with the paths of their fields."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from bot.config.fields import Count
from bot.errors import FieldError, InvalidInputError
from bot.validation import validated
from sweeps.lifecycle.extend_clone import extended_spec
from sweeps.lifecycle.tags import MAX_NOTE_LENGTH, MAX_TAG_LENGTH, MAX_TAGS
from sweeps.spec.spec import SweepSpec
from sweeps.spec.spec_fields import SweepName

# What `sweeps.lifecycle.tags` checks, in its own words; here only said to readers of the schema.
_TAG: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_TAG_LENGTH}
_TAGS = WithJsonSchema({"type": "array", "items": _TAG, "maxItems": MAX_TAGS})
_NOTE = WithJsonSchema({"type": "string", "maxLength": MAX_NOTE_LENGTH})


def _few(raw: object) -> object:
    """Refuse more tags than there can be before each of them is looked at."""
    if isinstance(raw, list) and len(raw) > MAX_TAGS:
        raise ValueError(f"has {len(raw)} tags, at most {MAX_TAGS} are allowed")
    return raw


class SweepChange(BaseModel):
    """Change of a sweep: its name, tags and note, and its extension."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: SweepName | None = Field(None, description="in place of the name it has")
    tags: Annotated[list[str], BeforeValidator(_few), _TAGS] | None = Field(
        None, description="in place of the tags it has"
    )
    note: Annotated[str, _NOTE] | None = Field(None, description="in place of the note it has")
    add_values: dict[str, list[Any]] = Field(
        default_factory=dict, description="more values of axes, or of parameters that become axes by it"
    )
    extend_to: Any = Field(None, description="a later end, beside those there are")
    n: Count | None = Field(None, description="more trials of a random or sobol sample")

    @classmethod
    def parse(cls, document: dict[str, object]) -> Self:
        """Return the change; raises InvalidInputError with one entry per refused field."""
        return validated(cls, document)

    @property
    def extends(self) -> bool:
        """True if it adds trials."""
        return bool(self.add_values) or self.extend_to is not None or self.n is not None

    def applied_to(self, spec: SweepSpec) -> SweepSpec:
        """Return the sweep with its new values; raises InvalidInputError."""
        added = dict(self.add_values)
        if self.extend_to is not None:
            if "end" in added:
                raise InvalidInputError.of("extend_to", "and add_values.end say the same; give one of them")
            added["end"] = [self.extend_to]
        return extended_spec(spec, add_values=added, n=self.n)

    def as_written(self, error: InvalidInputError) -> InvalidInputError:
        """Return a refusal of the extended sweep with its fields as this change names them."""
        if self.extend_to is None:
            return error
        ours = {"add_values.end[0]"} if self.add_values else {"add_values.end[0]", "add_values"}
        return error.renamed(
            lambda item: FieldError("extend_to" if item.field in ours else item.field, item.message)
        )


class SweepClone(BaseModel):
    """Fields of a sweep in place of those it has; `base` and `grid` name by name, null removes one."""

    model_config = ConfigDict(extra="allow")

    base: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, Any] = Field(default_factory=dict)
