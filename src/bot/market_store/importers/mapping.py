"""A user's description of a CSV layout: which column is what, in which units."""

import json
import re
from datetime import tzinfo
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from bot.errors import FieldError, InvalidInputError
from bot.market.contracts import Venue
from bot.market.rows import CANDLE_COLUMNS
from bot.market.rules import TIMEFRAMES_MS
from bot.market_store.importers.zones import parse_zone
from bot.notation import quoted

MAX_SKIPPED_LINES = 100
_FROZEN = ConfigDict(frozen=True, extra="forbid", strict=True)


class Mapping(BaseModel):
    """One layout. It is used for files that have the line `header`, and are named by `name` if that is given.

    The header is line `skip_lines` + 1; left out, it is looked for among the first lines. `columns` maps
    `time` and `open` to `volume`, or `time`, `rate`, and perhaps `interval_hours` and `mark`, to names in the
    header; also `symbol`, where rows name their market. `name` is a regular expression on the file's stem;
    its groups `symbol`, `timeframe` and `kind` say what the file holds. `linear` says that contracts quoted
    in US dollars are not coin-margined, where names such as BTC-USD leave that open.
    """

    model_config = _FROZEN

    header: str
    columns: dict[str, str]
    kind: Literal["funding", "spot", "perp", "mark"] | None = None
    symbol: str | None = None
    timeframe: str | None = None
    name: str | None = None
    time_unit: Literal["s", "ms", "us", "iso"] = "ms"
    time_zone: str = "UTC"
    rate_unit: Literal["fraction", "percent", "bps"] = "fraction"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    drop_last: bool = False
    skip_lines: Annotated[int, Field(ge=0, le=MAX_SKIPPED_LINES)] | None = None
    linear: bool = False

    @classmethod
    def parse_all(cls, text: str) -> tuple["Mapping", ...]:
        """Return the mapping, or the list of them, in the text of a mapping file.

        Raises: InvalidInputError naming the field.
        """
        try:
            document = json.loads(text)
            entries = document if isinstance(document, list) else [document]
            return tuple(_ALL.validate_python(entries))
        except json.JSONDecodeError as error:
            raise InvalidInputError.of("mapping", f"line {error.lineno}: {error.msg}") from None
        except RecursionError:
            raise InvalidInputError.of("mapping", "is nested too deeply") from None
        except ValidationError as error:
            raise InvalidInputError([_refused(one) for one in error.errors(include_url=False)]) from None

    @property
    def header_columns(self) -> list[str]:
        """Return the names in the header."""
        return [name.strip().strip('"') for name in self.header.split(self.delimiter)]

    @property
    def venue(self) -> Venue:
        """Return the venue whose names the markets have."""
        return Venue.DECLARED if self.linear else Venue.UNKNOWN

    @property
    def zone(self) -> tzinfo:
        """Return the zone of times without one."""
        return parse_zone(self.time_zone)

    @model_validator(mode="after")
    def _columns_exist(self) -> Self:
        wanted = {"time", "rate"} if self.kind == "funding" else {"time", *CANDLE_COLUMNS}
        allowed = wanted | {"symbol"} | ({"interval_hours", "mark"} if self.kind == "funding" else set())
        if missing := wanted - self.columns.keys():
            raise ValueError(f"columns: {', '.join(sorted(missing))} missing")
        if unknown := self.columns.keys() - allowed:
            raise ValueError(f"columns: {', '.join(sorted(unknown))} unknown")
        if absent := set(self.columns.values()) - set(self.header_columns):
            raise ValueError(f"columns: {', '.join(sorted(absent))} not in the header {quoted(self.header)}")
        return self

    @model_validator(mode="after")
    def _values_are_known(self) -> Self:
        try:
            parse_zone(self.time_zone)
        except InvalidInputError as error:
            raise ValueError(str(error)) from None
        if self.timeframe is not None and self.timeframe not in TIMEFRAMES_MS:
            raise ValueError(f"timeframe: {quoted(self.timeframe)} is none of {', '.join(TIMEFRAMES_MS)}")
        try:
            re.compile(self.name or "")
        except re.error as error:
            raise ValueError(f"name: {quoted(self.name)} is no regular expression: {error}") from None
        return self


_ALL = TypeAdapter(list[Mapping])


def _refused(error: Any) -> FieldError:
    place = ".".join(str(part) for part in error["loc"][1:])
    message = error["msg"].removeprefix("Value error, ")
    return FieldError(f"mapping.{place}".rstrip("."), message[:1].lower() + message[1:])
