"""Base of every group of parameters."""

from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from bot.config.bounds import with_bounds


class Parameters(BaseModel):
    """A frozen group of parameters without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> dict[str, Any]:
        """Return the schema with bounds, for forms and for the API's description."""
        schema = handler(core_schema)
        written = handler.resolve_ref_schema(schema)
        written.update(with_bounds(written, cls.model_fields))
        return schema

    def refuse_contradictions(self) -> None:
        """Check the rules between parameters; raises ValueError that begins with a field.

        Groups that have such rules override this and call `super()`.
        """
