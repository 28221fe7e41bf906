"""Manifest of exported numbers: the specification, its data, and the versions of programs."""

import platform
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa

from bot import ENGINE_VERSION
from bot.timestamps import iso
from sweeps.analysis.findings import sweep_findings
from sweeps.analysis.judged.judged_panels import made_report
from sweeps.analysis.progress import SweepView
from sweeps.export.pages import Field, export_fields
from sweeps.spec.spec import SweepSpec
from sweeps.storage.tables import sweep

_LIBRARIES = ("carrygrid", "numpy", "pydantic", "sqlalchemy")


def manifest(connection: sa.Connection, view: SweepView, spec: SweepSpec) -> dict[str, Any]:
    """Return the manifest of a sweep's export as JSON values.

    `data_pin` is the digest of the market data that the sweep was submitted on, `data_changed` the reason why
    they are no longer held, None while they are. Each trial's `run_key` is one of its parameters, the history
    it read and the engine version. `findings` say what is odd about that data. `selection` is the report on
    the best trial, None where there is none, or not yet.
    """
    data_pin = connection.execute(sa.select(sweep.c.data_pin).where(sweep.c.id == view.id)).scalar_one()
    judged = made_report(connection, view.id, spec.validation)
    return {
        "sweep": {
            "id": view.id,
            "name": spec.name,
            "state": view.state,
            "created_at": iso(view.created_ms),
            "trials_total": view.trials_total,
            "trials_done": view.trials_done,
            "trials_failed": view.trials_failed,
        },
        "spec": spec.document(),
        "spec_digest": spec.digest,
        "engine_version": view.engine_version,
        "data_pin": data_pin,
        "findings": [found.document() for found in sweep_findings(connection, view.id)],
        "data_changed": view.data_changed,
        "selection": judged and judged.document(),
        "exported_by": {
            "engine_version": ENGINE_VERSION,
            "python": platform.python_version(),
            **{name: version(name) for name in _LIBRARIES},
        },
        "columns": [_column(field) for field in export_fields(spec)],
    }


def _column(field: Field) -> dict[str, Any]:
    return {"name": field.name, "kind": field.kind, "of": field.group or "trial"}
