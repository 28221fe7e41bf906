"""Caveats of a comparison: differences that make its trials not comparable."""

from collections.abc import Sequence

from api.dashboard.compare.compared_trials import ComparedTrial
from api.presentation.formats import utc
from bot import ENGINE_VERSION
from bot.numbers.money import plain


def caveats_of(compared: Sequence[ComparedTrial]) -> list[str]:
    """Return a sentence for each way in which the trials do not compare like with like."""
    found = [
        f"Trial {trial.chosen.name} cannot be replayed any more, "
        f"only what was stored is shown: {trial.refused}"
        for trial in compared
        if trial.refused
    ]
    configs = [trial.chosen.config for trial in compared]
    exchanges = [config.exchange or "the only one held" for config in configs]
    found += _differ("The data sets differ", compared, exchanges)
    found += _differ("The symbols differ", compared, [", ".join(config.symbols) for config in configs])
    windows = [f"{utc(config.start)} to {utc(config.end)}" for config in configs]
    apart = _differ("The windows differ (UTC)", compared, windows)
    found += apart
    if _saw_other_rows(compared) and not apart and len(set(exchanges)) == 1:
        found.append("The market data differ: the trials did not see the same rows.")
    engines = [trial.chosen.sweep.view.engine_version or ENGINE_VERSION for trial in compared]
    found += _differ("The engine versions differ", compared, engines)
    capitals = [plain(config.initial_capital) for config in configs]
    return found + _differ("The capitals differ, so compare shares, not amounts", compared, capitals)


def _saw_other_rows(compared: Sequence[ComparedTrial]) -> bool:
    """Return whether fingerprints differ, of runs that are replayed alike: that of hedges names more rows."""
    windows = [trial.run.window for trial in compared if trial.run is not None]
    kinds = {type(window) for window in windows}
    return len({window.fingerprint for window in windows}) > len(kinds)


def _differ(said: str, compared: Sequence[ComparedTrial], values: Sequence[str]) -> list[str]:
    if len(set(values)) == 1:
        return []
    named = []
    for value in dict.fromkeys(values):
        same = [trial.chosen.name for trial, own in zip(compared, values, strict=True) if own == value]
        named.append(f"{value}: {', '.join(same)}")
    return [f"{said}. {'; '.join(named)}."]
