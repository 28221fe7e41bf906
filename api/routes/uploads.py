"""Files sent to be imported: streamed to disk within a limit, then stored together with their job."""

from dataclasses import asdict
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.admission import Admission
from api.errors.http_errors import BodyTooLargeError, UnsupportedMediaTypeError
from api.schemas.documents import job_document
from api.work.database_threads import Database
from bot.errors import InvalidInputError
from bot.market_store.database import write_transaction
from sweeps.jobs.data_jobs import DATA_JOBS, ImportRequest
from sweeps.jobs.jobs import JobKind, create_job, get_job
from sweeps.storage.uploads import MAX_UPLOAD_BYTES, put_upload

MEDIA_TYPE = "application/octet-stream"
PATH = "/data/imports"


async def received(
    request: Request, database: Database, admission: Admission, asked: ImportRequest
) -> dict[str, Any]:
    """Take the body as the file to import and return the job's document.

    Raises: UnsupportedMediaTypeError unless it is declared as bytes, which no form of another site can do;
    BodyTooLargeError; InvalidInputError if it is empty; NoSpaceError.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != MEDIA_TYPE:
        raise UnsupportedMediaTypeError(declared, MEDIA_TYPE)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MAX_UPLOAD_BYTES:
        raise BodyTooLargeError(MAX_UPLOAD_BYTES)
    with TemporaryFile(prefix="carrygrid-upload-") as file:
        async for part in request.stream():
            await run_in_threadpool(file.write, part)
        if not file.tell():
            raise InvalidInputError.of("body", f"{asked.name} is empty")
        # As it was sent, and once more as rows.
        admission.require_space(2 * file.tell())
        file.seek(0)
        return await run_in_threadpool(_stored, database, asked, file)


def _stored(database: Database, asked: ImportRequest, file: BinaryIO) -> dict[str, Any]:
    with write_transaction(database.engine, durable=True) as connection:
        job_id = create_job(connection, JobKind.IMPORT, asdict(asked))
        put_upload(connection, job_id, file)
        return job_document(get_job(connection, DATA_JOBS, job_id))
