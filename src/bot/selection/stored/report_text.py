"""Report on a selection as text to be stored, every bit of it, and back."""

import json

from pydantic import TypeAdapter

from bot.selection.report import SelectionReport

_REPORT = TypeAdapter(SelectionReport)


def report_text(report: SelectionReport) -> str:
    """Return a report as JSON text, in which NaN is written as Python does."""
    return json.dumps(_REPORT.dump_python(report, mode="json"), separators=(",", ":"))


def report_of(text: str) -> SelectionReport:
    """Return the report that `report_text` wrote down."""
    return _REPORT.validate_python(json.loads(text))
