"""A folder and uploads full of hostile files: each refused in one line, memory flat, nothing left behind."""

import gzip
import io
import json
import os
import re
import stat
import struct
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from webservice import DATABASE

from bot.market_store.database import open_engine, write_transaction
from bot.notation import quoted
from bot.timestamps import parse_time_ms
from sweeps.jobs.data_jobs import DATA_JOBS, ImportRequest
from sweeps.jobs.job_runner import JobRunner
from sweeps.jobs.jobs import JobKind, create_job, get_job
from sweeps.storage.tables import job_upload
from sweeps.storage.uploads import put_upload

COMMAND = Path(sys.executable).parent / "carrygrid"
NOON = parse_time_ms("2024-01-01T12:00:00Z")
HEADER = "timestamp_ms,open,high,low,close,volume\n"
ROW = f"{NOON},10,12,9,11,5\n"
FUNDING_HEADER = "timestamp_ms,funding_rate,interval_hours,mark_price\n"
MOST_MB = 600
"""Of a process that imports all of them; a document just within the limits takes the most, 410 MB."""


def bomb(head: str, unit: str, megabytes: int, tail: str = "") -> bytes:
    """Return a small gzip file that unpacks to `unit` over and over."""
    packed = io.BytesIO()
    piece = (unit * (1024**2 // len(unit))).encode()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        file.write(head.encode())
        for _ in range(megabytes):
            file.write(piece)
        file.write(tail.encode())
    return packed.getvalue()


def zipped(name: str, content: bytes, *, mode: int = 0, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    member = zipfile.ZipInfo(name)
    member.external_attr = mode << 16
    member.compress_type = method
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, content)
    return packed.getvalue()


def said_to_be(packed: bytes, size: int) -> bytes:
    """Return an archive whose list says another size of its only file."""
    at = packed.rindex(b"PK\x01\x02") + 24
    return packed[:at] + struct.pack("<L", size) + packed[at + 4 :]


def of_many_files(count: int) -> bytes:
    """Return an archive that lists very many files."""
    one = struct.pack("<4s4B4HL2L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0)[:30] + b"000000"
    entry = struct.pack("<4s4B4H3L5H2L", b"PK\x01\x02", *[0] * 4, *[0] * 4, 0, 0, 0, 6, *[0] * 4, 0, 0)
    listed = b"".join(entry + b"%06d" % number for number in range(count))
    numbers = (0, 0, count & 0xFFFF, count & 0xFFFF, len(listed), len(one), 0)
    return one + listed + struct.pack("<4s4H2LH", b"PK\x05\x06", *numbers)


INNER = zipped("BTCUSDT-spot-1h.csv", (HEADER + ROW).encode())
PLAIN = (HEADER + ROW).encode()
DAMAGED = "lines? cannot be read, so nothing of the file was imported"


@cache
def hostile() -> dict[str, tuple[bytes, str]]:
    """Return what each file holds, and what is said of it."""
    after = HEADER + ROW
    return {
        "ZIPUSDT-spot-1h.csv.gz": (bomb(HEADER, "1,", 128), r":2: the line is longer than 65536 bytes"),
        "GZIPUSDT-funding.csv.gz": (bomb(FUNDING_HEADER, f"{NOON},0,8,\n", 32), "more than 250,000 lines"),
        "BLANKUSDT-spot-1h.csv.gz": (bomb(HEADER, "\n", 8), "more than 6,000,000 lines"),
        "lists.json.gz": (bomb('[["1",1,1,1,1,1]', ",[]", 32, "]"), "more than 8,000,000 values"),
        "long.json.gz": (bomb("[", " ", 257), "larger than 256 MiB"),
        "zeros.zip": (zipped("x.csv", bytes(64 * 1024**2)), "no market data"),
        "nested.zip": (zipped("inner.zip", INNER), "no market data"),
        "nested.csv.gz": (gzip.compress(gzip.compress(PLAIN)), "no market data"),
        "link.zip": (
            zipped("BTCUSDT-spot-1h.csv", b"/etc/passwd", mode=stat.S_IFLNK | 0o777),
            "holds a link",
        ),
        "bzip2.zip": (zipped("x.csv", PLAIN, method=zipfile.ZIP_BZIP2), "packed in another way than deflate"),
        "many.zip": (of_many_files(1_000_000), "list of files is too long"),
        "smaller.zip": (said_to_be(zipped("LESSUSDT-spot-1h.csv", PLAIN), 50), "no market data"),
        "COLSUSDT-spot-1h.csv": (
            (after + "1," * 20_000 + "\n").encode(),
            ":3: 20,001 columns instead of 6",
        ),
        "WIDEUSDT-spot-1h.csv": ((after + "1," * 100_000 + "\n").encode(), ":3: the line is longer than"),
        "NULUSDT-spot-1h.csv": (
            (after + f"{NOON},1,1,1,1,\0\n").encode(),
            r':3: volume "\\u0000" is not a finite',
        ),
        "NANUSDT-spot-1h.csv": (
            (after + f"{NOON},1,NaN,1,1,1\n").encode(),
            ':3: high "NaN" is not a finite',
        ),
        "INFUSDT-spot-1h.csv": (
            (HEADER + f"{NOON},1,1,-inf,1,1\n").encode(),
            ':2: low "-inf" is not a finite',
        ),
        "MIXUSDT-spot-1h.csv": (PLAIN + "1,1,1,1,1,¼\n".encode("latin-1"), ":3: byte 0xbc is not text"),
        "WORDUSDT-spot-1h.csv": (PLAIN.decode().encode("utf-16"), "no market data"),
        "two\nlines.csv": (PLAIN, "cannot be shown"),
        "\u202evsc.csv": (PLAIN, "cannot be shown"),
        "\x1b[2Jx.csv": (PLAIN, "cannot be shown"),
        "not-utf8-\udcff.csv": (PLAIN, "cannot be shown"),
        "BIGUSDT-spot-1h.csv": (b"sparse", "larger than 1024 MiB"),
    }


TAKEN = {
    "BTCUSDT-perp-1h.csv": (HEADER + ROW + ROW + f"{NOON - 3_600_000},1,1,1,1,1\n").encode(),
    "traversal.zip": zipped("../../../../tmp/ETHUSDT-spot-1h.csv", PLAIN),
    "[red]ETHUSDT.zip": zipped("ETHUSDT-mark-1h.csv", PLAIN),
    "larger.zip": said_to_be(zipped("MOREUSDT-spot-1h.csv", PLAIN), 10**6),
}
"""Odd, but right: rows twice and unsorted, a name under which nothing is written, a size nobody goes by."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "files"
    folder.mkdir()
    outside = folder.parent / "SECRETUSDT-spot-1h.csv"
    outside.write_bytes(PLAIN)
    for name, (content, _) in hostile().items():
        (folder / name).write_bytes(content)
    for name, content in TAKEN.items():
        (folder / name).write_bytes(content)
    sparse = folder / "BIGUSDT-spot-1h.csv"
    sparse.write_text(HEADER)
    os.truncate(sparse, 10 * 1024**3)
    (folder / "LINKUSDT-spot-1h.csv").symlink_to(outside)
    (folder / "passwd.csv").symlink_to("/etc/passwd")
    (folder / "up").symlink_to(folder.parent)
    os.mkfifo(folder / "PIPEUSDT-spot-1h.csv")
    return folder


WATCHED = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
open(sys.argv[1], "w").write(str(used.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A small process between: the most memory of a child counts that of whoever started it, too."""


def imported(folder: Path, home: Path, *options: str) -> tuple[int, str, str, int]:
    """Import a folder as a user does; return status, output, errors and the most memory in MB."""
    home.mkdir()
    (home / "tmp").mkdir()
    command = [str(COMMAND), "data", "import", str(folder), "--exchange", "test", *options]
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(home / "memory"), *command],
        env={"CARRYGRID_HOME": str(home), "PATH": "/usr/bin:/bin", "TMPDIR": str(home / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr, int((home / "memory").read_text()) // 1024


def test_a_folder_of_hostile_files_is_gone_through_in_flat_memory(folder: Path, tmp_path: Path) -> None:
    status, output, errors, most_mb = imported(folder, tmp_path / "home", "--json")
    report: dict[str, Any] = json.loads(output)
    assert {file["name"]: file["new"] for file in report["files"]} == {
        "BTCUSDT-perp-1h.csv": 2,
        "traversal.zip": 1,
        "[red]ETHUSDT.zip": 1,
        "larger.zip": 1,
        "LINKUSDT-spot-1h.csv": 1,
        "up/SECRETUSDT-spot-1h.csv": 1,
    }
    refused = {one["name"]: one["reason"] for one in report["skipped"]}
    pipe = {"PIPEUSDT-spot-1h.csv"}
    assert {name for name, reason in refused.items() if reason == "is not a regular file"} == pipe
    shown = {name if name.isprintable() else quoted(name): reason for name, (_, reason) in hostile().items()}
    assert refused.keys() == shown.keys() | pipe | {"passwd.csv"}
    assert {name for name, reason in shown.items() if not re.search(reason, refused[name])} == set()
    assert (status, output.count("\n"), errors) == (2, 1, "")
    assert all(reason.isprintable() for reason in refused.values())
    assert most_mb < MOST_MB
    assert sorted(path.name for path in (tmp_path / "home" / "tmp").iterdir()) == []
    assert not Path("/tmp/ETHUSDT-spot-1h.csv").exists()


def test_names_that_look_like_markup_are_printed_as_they_are(folder: Path, tmp_path: Path) -> None:
    only = tmp_path / "only"
    only.mkdir()
    (only / "[red]ETHUSDT.zip").write_bytes(TAKEN["[red]ETHUSDT.zip"])
    (only / "two\nlines.csv").write_bytes(PLAIN)
    status, output, errors, _ = imported(only, tmp_path / "home")
    assert status == 2
    assert errors.startswith('error: 1 of 2 files refused: "two\\nlines.csv": ')
    assert "[red]ETHUSDT.zip" in output
    assert '"two\\nlines.csv": refused:' in output


@pytest.mark.parametrize(
    "name", ["GZIPUSDT-funding.csv.gz", "many.zip", "smaller.zip", "NANUSDT-spot-1h.csv"]
)
def test_an_uploaded_file_of_that_kind_fails_its_job_and_leaves_nothing(
    home: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    content, _ = hostile()[name]
    engine = open_engine(f"sqlite:///{home / DATABASE}")
    try:
        with write_transaction(engine) as connection:
            job_id = create_job(connection, JobKind.IMPORT, asdict(ImportRequest("kraken", name)))
            put_upload(connection, job_id, io.BytesIO(content))
        assert JobRunner(engine).run(job_id) == "failed"
        with engine.connect() as connection:
            done = get_job(connection, DATA_JOBS, job_id)
            held = connection.execute(sa.select(sa.func.count()).select_from(job_upload)).scalar_one()
    finally:
        engine.dispose()
    assert done.error_code == "import_refused"
    assert done.error is not None
    assert name in done.error
    assert held == 0
    assert list(scratch.iterdir()) == []
