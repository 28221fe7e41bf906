"""The command `backtest`: one run, as a summary to read or as its result document."""

import json
from pathlib import Path
from typing import Any

from api.database import ready_store
from api.settings import Settings
from bot.config.run_config import RunConfig, load_json
from bot.errors import InvalidInputError
from bot.hedges.runs import baselines_of, explain_run, load_window, replay_run
from bot.market_store.database import write_transaction
from carrygrid.cli.files import read_text
from sweeps.lifecycle.run_looks import LookKind, note_run


def print_run(path: Path, *, as_json: bool) -> None:
    """Replay the run that the file describes and print it."""
    config = read_config(path)
    with ready_store(Settings()) as store:
        window = load_window(config, store)
        result = replay_run(config, window)
        with write_transaction(store.engine) as connection:
            note_run(connection, LookKind.BACKTEST, result.config, result.run_key, result.data_fingerprint)
    explanation = explain_run(result, window, baselines_of(window))
    if as_json:
        print(json.dumps({**result.document(), **explanation.document()}))
    else:
        from carrygrid.cli.run_summary import print_summary

        print_summary(result, window, explanation)


def read_config(path: Path) -> RunConfig:
    """Return the run parameters in a JSON file.

    Raises: InvalidInputError naming field and value.
    """
    return RunConfig.parse(read_document(path))


def read_document(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; raises InvalidInputError if there is none."""
    document = _parsed(path, read_text(path))
    if not isinstance(document, dict):
        raise InvalidInputError.of(str(path), "is no JSON object of run parameters")
    return document


def read_body(path: Path) -> bytes:
    """Return a JSON file as it is sent; raises InvalidInputError naming the file if it is none."""
    text = read_text(path)
    _parsed(path, text)
    return text.encode()


def _parsed(path: Path, text: str) -> object:
    try:
        return load_json(text)
    except InvalidInputError as error:
        if error.errors[0].field != "body":
            raise
        raise InvalidInputError.of(str(path), error.errors[0].message) from None
