"""The example strategy from `examples`, installed as pip would leave it."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.config import strategy_registry
from bot.config.run_config import run_model
from sweeps.spec.parameters import variables

EXAMPLE = Path(__file__).parents[1] / "examples/strategies/smoothed-rate"


@contextmanager
def compared_example(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install the example as a strategy that is compared with the built-in ones, after them."""
    with installed_example(folder, monkeypatch):
        source = (folder / "smoothed_rate.py").read_text()
        declared = source.replace("decide_columns=_decide,", "decide_columns=_decide,\n    compare_place=3,")
        (folder / "smoothed_rate.py").write_text(declared)
        yield folder


@contextmanager
def installed_example(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Put the example's module and its entry point into `folder`, where Python finds them."""
    shutil.copy(EXAMPLE / "smoothed_rate.py", folder)
    facts = folder / "carrygrid_smoothed_rate-0.1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: carrygrid-smoothed-rate\nVersion: 0.1.0\n")
    declaration = (EXAMPLE / "pyproject.toml").read_text()
    assert 'smoothed-rate = "smoothed_rate:PLUGIN"' in declaration
    (facts / "entry_points.txt").write_text("[carrygrid.strategies]\nsmoothed-rate = smoothed_rate:PLUGIN\n")
    monkeypatch.syspath_prepend(str(folder))
    _forget()
    yield folder
    sys.modules.pop("smoothed_rate", None)
    _forget()


def _forget() -> None:
    strategy_registry._declared.cache_clear()
    strategy_registry.strategy_plugin.cache_clear()
    run_model.cache_clear()
    variables.cache_clear()
