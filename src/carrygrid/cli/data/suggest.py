"""The command `data suggest`."""

import json

from api.database import ready_store
from api.settings import Settings
from sweeps.lifecycle.suggestions import SuggestionRequest


def print_suggestion(
    exchange: str | None, symbols: tuple[str, ...], start: str | None, end: str | None, *, as_json: bool
) -> None:
    """Print what a window suggests to each strategy: why, parameters of a run, axes of a sweep."""
    with ready_store(Settings()) as store, store.engine.connect() as connection:
        found = SuggestionRequest(exchange, symbols, start, end).document(connection)
    if as_json:
        print(json.dumps(found))
        return
    for name, suggested in found["strategies"].items():
        print(f"{name}")
        for note in suggested["notes"]:
            print(f"  {note}")
        for part in ("parameters", "grid"):
            if suggested[part]:
                print(f"  {part}  {json.dumps(suggested[part])}")
