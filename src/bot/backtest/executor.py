"""Execution inside a replay."""

from bot.trading.executor import SimulatedExecutor


class BacktestExecutor(SimulatedExecutor):
    """Fills at the newest closed prices of the replayed moment, however old they are.

    Whether a price is fresh enough to decide on is the trader's question, not the executor's: positions
    still have to be closed at the end of a window.
    """
