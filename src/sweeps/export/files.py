"""An export as a stream of bytes in one of the formats."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.numbers.money import MONEY_PLACES
from sweeps.export.pages import Field, Kind, Page, export_fields, export_pages
from sweeps.export.parquet import ParquetWriter, decimal_places
from sweeps.export.text import csv_header, csv_page, json_page
from sweeps.spec.metrics import METRICS
from sweeps.spec.spec import SweepSpec

_PAGES_PER_ROW_GROUP = 10


class ExportFormat(StrEnum):
    """File formats, named as they are asked for."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """Return the media type of the format."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSON_LINES: "application/x-ndjson",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}


def exported(
    engine: sa.Engine,
    sweep_id: int,
    spec: SweepSpec,
    file_format: ExportFormat,
    manifest: Mapping[str, Any],
) -> Iterator[bytes]:
    """Yield the finished trials of a sweep; a Parquet file carries the manifest in its metadata."""
    fields = export_fields(spec)
    pages = export_pages(engine, sweep_id, spec)
    return _WRITERS[file_format](fields, pages, spec, manifest)


def _csv(fields: Sequence[Field], pages: Iterator[Page], *_: Any) -> Iterator[bytes]:
    yield csv_header(fields)
    yield from map(csv_page, pages)


def _json_lines(fields: Sequence[Field], pages: Iterator[Page], *_: Any) -> Iterator[bytes]:
    for page in pages:
        yield json_page(fields, page)


def _parquet(
    fields: Sequence[Field], pages: Iterator[Page], spec: SweepSpec, manifest: Mapping[str, Any]
) -> Iterator[bytes]:
    places = {field.name: _places(spec, field) for field in fields if field.kind is Kind.EXACT}
    writer = ParquetWriter(fields, places, {"carrygrid": json.dumps(manifest)})
    yield writer.start()
    for page in _joined(pages):
        yield writer.rows(page)
    yield writer.end()


def _places(spec: SweepSpec, field: Field) -> int:
    if field.source in METRICS and field.group == "metrics":
        return MONEY_PLACES
    values = [value for value in spec.space.by_name[field.source].values if value is not None]
    return max(decimal_places(Decimal(value)) for value in values)


def _joined(pages: Iterator[Page]) -> Iterator[Page]:
    """Yield fewer, longer pages."""
    while page := next(pages, None):
        for _ in range(_PAGES_PER_ROW_GROUP - 1):
            more = next(pages, None)
            if more is None:
                break
            page = [column + values for column, values in zip(page, more, strict=True)]
        yield page


_WRITERS: Mapping[ExportFormat, Callable[..., Iterator[bytes]]] = {
    ExportFormat.CSV: _csv,
    ExportFormat.JSON_LINES: _json_lines,
    ExportFormat.PARQUET: _parquet,
}
