"""Sums held of a panel: gone with the last who reads them, not when cycles are looked for."""

import gc
import weakref
from pathlib import Path

from bot.market_store.database import open_engine
from sweeps.storage.selection import HeldSums
from sweeps.storage.tables import selection_sums


def test_sums_that_were_read_are_free_once_nobody_holds_them(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'sums.db'}")
    selection_sums.create(engine)
    gc.disable()
    try:
        with engine.connect() as connection:
            sums = HeldSums(connection, 1, "panel")
            alive = weakref.ref(sums)
            assert list(sums.heads()) == []
            del sums
        assert alive() is None
    finally:
        gc.enable()
        engine.dispose()
