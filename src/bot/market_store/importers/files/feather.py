"""Arrow files (feather version 2) as columns of text, decoded by a process that may crash alone."""

import json
import subprocess
import sys
from typing import Any

from bot.errors import DataImportError
from bot.market_store.importers.files.source import Source
from bot.market_store.importers.files.text_lines import MAX_LINES

MAGIC = b"ARROW1"
_CHILD = "bot.market_store.importers.files.arrow_child"
_PATIENCE_S = 150


def read_columns(source: Source, names: tuple[str, ...]) -> dict[str, list[str | None]]:
    """Return the named columns: times in whole ms UTC, numbers as they are stored, None where null.

    Raises: DataImportError if the file cannot be read, or has not these columns.
    """
    answer = _asked(json.dumps([names, MAX_LINES]).encode() + b"\n" + source.content())
    if "columns" not in answer:
        raise DataImportError(f"{source.name} is an Arrow file that cannot be read: {answer['refused']}")
    return dict(zip(names, answer["columns"], strict=True))


def _asked(question: bytes) -> dict[str, Any]:
    try:
        child = subprocess.run(  # noqa: S603 - this program, and the file comes as data
            [sys.executable, "-m", _CHILD],
            input=question,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"refused": "reading it takes too long"}
    if child.returncode:
        return {"refused": "it is damaged, or holds more than there is memory for"}
    answer: dict[str, Any] = json.loads(child.stdout)
    return answer
