"""Uploaded files to import: kept in the database, since workers may be on other machines."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from bot.errors import InvalidInputError, StoreError
from bot.notation import quoted
from sweeps.storage.tables import job_upload

MAX_UPLOAD_BYTES = 64 * 1024 * 1024
PART_BYTES = 1024 * 1024
_DISCARDING = job_upload.delete().where(job_upload.c.job_id == sa.bindparam("of_job"))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+()@=-]{0,199}\Z")


def checked_name(name: str) -> str:
    """Return the name of an uploaded file if it is a plain one: it says what the file holds, and no place.

    Raises: InvalidInputError for separators, control characters, a leading dot and anything over 200.
    """
    if not _NAME.match(name):
        raise InvalidInputError.of(
            "name",
            f"{quoted(name[:80])} is no plain file name such as BTCUSDT-funding.csv (letters, digits, . _ -)",
        )
    return name


def put_upload(connection: sa.Connection, job_id: int, file: BinaryIO) -> None:
    """Store what `file` holds from here on, for a job."""
    for part, payload in enumerate(_parts(file)):
        connection.execute(job_upload.insert().values(job_id=job_id, part=part, payload=payload))


def write_upload(connection: sa.Connection, job_id: int, path: Path) -> None:
    """Write the file of a job to `path`; raises StoreError if it is no longer held."""
    table = job_upload.c
    last = connection.execute(sa.select(sa.func.max(table.part)).where(table.job_id == job_id)).scalar()
    if last is None:
        raise StoreError(f"the file of job {job_id} is no longer held; send it again")
    with path.open("xb") as file:
        for part in range(last + 1):
            one = sa.select(table.payload).where(table.job_id == job_id, table.part == part)
            file.write(connection.execute(one).scalar_one())


def discard_uploads(connection: sa.Connection, jobs: sa.ScalarSelect[int] | int) -> None:
    """Forget the file of a job, or those of the jobs that a query gives."""
    if isinstance(jobs, int):
        connection.execute(_DISCARDING, {"of_job": jobs})
    else:
        connection.execute(job_upload.delete().where(job_upload.c.job_id.in_(jobs)))


def _parts(file: BinaryIO) -> Iterator[bytes]:
    while payload := file.read(PART_BYTES):
        yield payload
