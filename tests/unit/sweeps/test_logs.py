"""Log lines can be searched by what they are about."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import logging, structlog
from sweeps.log_format import LogFormat
from sweeps.logs import configure_logging
configure_logging("INFO", LogFormat({log_format!r}))
with structlog.contextvars.bound_contextvars(sweep=3, chunk=7):
    try:
        1 / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("trial failed unexpectedly", trial=12)
    logging.getLogger("library").warning("of another library\\nin two lines")
structlog.get_logger().debug("not shown")
"""


def logged(log_format: str) -> str:
    script = SCRIPT.format(log_format=log_format)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stderr


def test_json_lines_carry_sweep_chunk_and_trial() -> None:
    first, second = map(json.loads, logged("json").splitlines())
    assert (first["sweep"], first["chunk"], first["trial"]) == (3, 7, 12)
    assert (first["event"], first["level"]) == ("trial failed unexpectedly", "error")
    assert "ZeroDivisionError" in first["exception"]
    assert first["timestamp"].endswith("Z")
    assert (second["logger"], second["sweep"]) == ("library", 3)
    assert second["event"] == "of another library\nin two lines"


@pytest.mark.parametrize("piece", ["sweep=3", "chunk=7", "trial=12", "ZeroDivisionError"])
def test_text_lines_carry_them_as_well(piece: str) -> None:
    assert piece in logged("text")


HOSTILE_SCRIPT = """
import logging, structlog
from sweeps.log_format import LogFormat
from sweeps.logs import configure_logging
configure_logging("INFO")
forged = "x\\n2026-01-01T00:00:00Z [info     ] all is well\\r\\x1b[2J\\u202e\\u2028y"
structlog.get_logger().warning("name refused", name=forged)
logging.getLogger("library").warning("refused %s", forged)
"""


def test_text_from_outside_neither_begins_a_line_nor_moves_the_cursor() -> None:
    done = subprocess.run([sys.executable, "-c", HOSTILE_SCRIPT], capture_output=True, check=True)
    told = done.stderr.decode()
    begun = [line[27:] for line in told.splitlines() if not line.startswith("    ")]
    assert [text[:22] for text in begun] == [" [warning  ] name refu", " [warning  ] refused x"]
    assert "\\n2026-01-01T00:00:00Z" in told.splitlines()[0]
    assert told.replace("\n", "").isprintable()
