"""Trials of a sweep as files: CSV, JSON lines and Parquet, streamed, with a manifest beside them."""

from sweeps.export.files import ExportFormat, exported
from sweeps.export.manifest import manifest

__all__ = ["ExportFormat", "exported", "manifest"]
