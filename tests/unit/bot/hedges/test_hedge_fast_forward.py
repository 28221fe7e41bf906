"""A replay of hedges skips the events at which no order is possible, and gives what all events give."""

import pytest
from hedge_files import hedge_data
from reference.hedges.drawn import STRUCTURES, made

from bot.config.run_config import RunConfig
from bot.hedges.engine import replay_hedges, replay_with_journal
from bot.hedges.trader import HedgeTrader
from bot.hedges.window import HedgeWindow


def windows(structure: str) -> list[tuple[RunConfig, HedgeWindow]]:
    drawn = [made(seed, structure) for seed in range(300, 325)]
    configs = [(RunConfig.parse(values), hedge_data(files, values)) for files, values in drawn]
    return [(config, HedgeWindow.build(config, data)) for config, data in configs]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_runs_are_the_same_with_every_event_and_with_those_that_decide(structure: str) -> None:
    trades = 0
    for config, window in windows(structure):
        skipping, (every_event, _) = replay_hedges(config, window), replay_with_journal(config, window)
        assert skipping.document() == every_event.document()
        assert skipping.payments == every_event.payments
        trades += len(skipping.trades)
    assert trades > 25


def test_events_at_which_nothing_is_decided_are_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    on_event = HedgeTrader.on_event

    def counted(trader: HedgeTrader, t_ms: int) -> object:
        seen.append(t_ms)
        return on_event(trader, t_ms)

    monkeypatch.setattr(HedgeTrader, "on_event", counted)
    events = 0
    for config, window in windows("spot_perp"):
        replay_hedges(config, window)
        events += len(window.calendar.moments) - 1
    assert 0 < len(seen) < events * 2 / 3
