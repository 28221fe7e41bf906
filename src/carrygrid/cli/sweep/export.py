"""The command `sweep export`: all finished trials as a file, or on standard output."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

from bot.errors import InvalidInputError
from carrygrid.cli.client import found_sweep
from carrygrid.cli.files import output
from carrygrid.sweep import ExportFormat, Sweep, format_of, manifest_path
from carrygrid.whole_files import whole

_USUAL: ExportFormat = "csv"


def export(
    sweep_id: int, path: Path | None, file_format: ExportFormat | None, *, force: bool, as_json: bool
) -> None:
    """Write a sweep's trials to a file with its manifest beside it, or to standard output.

    Raises: InvalidInputError if the file is there, or nothing tells the format.
    """
    if path is None:
        _refuse_output(file_format, as_json=as_json)
    with found_sweep(sweep_id) as sweep:
        if path is None:
            _stream(sweep, file_format or _USUAL)
        else:
            _write(sweep, path, file_format or _told_by(path), force=force, as_json=as_json)


def export_view(sweep_id: int, path: Path | None, view: str, *, force: bool) -> None:
    """Write the trials of a view of a sweep's page as CSV; raises InvalidInputError if the file is there."""
    query = dict(parse_qsl(view.rpartition("?")[2], keep_blank_values=True))
    with found_sweep(sweep_id) as sweep:
        if path is None:
            _write_out(sweep.view(query))
            return
        with output(path, force=force), whole(path) as file:
            file.writelines(sweep.view(query))
    print(f"sweep {sweep_id}: {path} ({path.stat().st_size:,} bytes)")


def _refuse_output(file_format: ExportFormat | None, *, as_json: bool) -> None:
    if as_json:
        raise InvalidInputError.of("--json", "needs --output: standard output would carry the trials")
    if file_format == "parquet" and sys.stdout.isatty():
        raise InvalidInputError.of("--format", "parquet is binary; name a file by --output")


def _told_by(path: Path) -> ExportFormat:
    told = format_of(path)
    if told is None:
        raise InvalidInputError.of("--output", f"{path.name}: its suffix names no format; give --format")
    return told


def _stream(sweep: Sweep, file_format: ExportFormat) -> None:
    _write_out(sweep.exported(file_format))


def _write_out(chunks: Iterator[bytes]) -> None:
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _write(sweep: Sweep, path: Path, file_format: ExportFormat, *, force: bool, as_json: bool) -> None:
    with output(path, force=force):
        sweep.export(path, file_format)
    found = {"path": str(path), "manifest": str(manifest_path(path)), "bytes": path.stat().st_size}
    told = f"sweep {sweep.id}: {path} ({found['bytes']:,} bytes), manifest in {found['manifest']}"
    print(json.dumps(found) if as_json else told)
