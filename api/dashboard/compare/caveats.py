"""What a reader has to know before trusting a comparison."""

from collections.abc import Sequence

from api.dashboard.compare.compared_trials import Side
from api.presentation.formats import utc
from bot import ENGINE_VERSION
from bot.numbers.money import plain


def caveats_of(sides: Sequence[Side]) -> list[str]:
    """Return a sentence for each way in which the trials do not compare like with like."""
    found = [
        f"Trial {side.chosen.name} cannot be replayed any more, only what was stored is shown: {side.refused}"
        for side in sides
        if side.refused
    ]
    configs = [side.chosen.subject.run.config for side in sides]
    exchanges = [config.exchange or "the only one held" for config in configs]
    found += _differ("The data sets differ", sides, exchanges)
    found += _differ("The symbols differ", sides, [", ".join(config.symbols) for config in configs])
    windows = [f"{utc(config.start)} to {utc(config.end)}" for config in configs]
    apart = _differ("The windows differ (UTC)", sides, windows)
    found += apart
    studies = [side.study for side in sides]
    prints = [study.result.data_fingerprint[:12] for study in studies if study is not None]
    if len(set(prints)) > 1 and not apart and len(set(exchanges)) == 1:
        found.append("The market data differ: the trials did not see the same rows.")
    engines = [side.chosen.sweep.view.engine_version or ENGINE_VERSION for side in sides]
    found += _differ("The engine versions differ", sides, engines)
    capitals = [plain(config.initial_capital) for config in configs]
    return found + _differ("The capitals differ, so compare shares, not amounts", sides, capitals)


def _differ(said: str, sides: Sequence[Side], values: Sequence[str]) -> list[str]:
    if len(set(values)) == 1:
        return []
    named = []
    for value in dict.fromkeys(values):
        same = [side.chosen.name for side, own in zip(sides, values, strict=True) if own == value]
        named.append(f"{value}: {', '.join(same)}")
    return [f"{said}. {'; '.join(named)}."]
