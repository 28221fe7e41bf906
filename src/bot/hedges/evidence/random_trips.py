"""Random entries of a finished run of hedges: its trips at other settlements, priced as every run is."""

from bot.backtest.random_runs import RandomEntries, placed_at_random, trips_of
from bot.hedges.arithmetic import exact_products
from bot.hedges.evidence.slot_trips import HedgeTrips
from bot.hedges.result import HedgeRun
from bot.hedges.window import HedgeWindow


def random_hedges(result: HedgeRun, window: HedgeWindow) -> RandomEntries:
    """Return what the trips of a run of `window` earn, and what they do at settlements chosen at random."""
    with exact_products():
        priced = {hedge.name: HedgeTrips(result.config, window, hedge.name) for hedge in window.hedges}
        own = {
            name: trips_of(
                [trade for trade in result.trades if trade.symbol == name],
                slots.moments,
            )
            for name, slots in priced.items()
        }
        settlements = {name: len(slots.moments.times_ms) for name, slots in priced.items()}
        return placed_at_random(result.run_key, settlements, own, lambda name: priced[name].net_pnls)
