"""A window takes much memory: when nothing replays it any more, none of that waits to be collected."""

import gc
import weakref

from toy_market import configured, pair, window

from bot.config.parameter_columns import ParameterColumns
from bot.kernel.loading import Library
from bot.kernel.replayer import KernelReplayer


def test_a_window_is_freed_with_its_replayer(library: Library) -> None:
    market = {"X": pair({hour: f"{hour % 5 - 1}e-3" for hour in range(1, 60)}, ["100"] * 60)}
    run = configured(market)
    shown = window(market, run)
    kernel = KernelReplayer(library, shown)
    gc.disable()
    try:
        assert len(kernel.replay(ParameterColumns.of([run])).places) == 1
        held = weakref.ref(shown)
        del kernel, shown
        assert held() is None
    finally:
        gc.enable()
