"""Known backtesters on the same market: run by an interpreter that has them, asked line by line.

Takes a folder with `series.json`, and says `{}` once it is ready. For each line `NAME PLACES...` (numbers of
trials, all if none) it answers one line of JSON: the processor seconds of one run, and net results. It needs
nothing of the project but the loops beside it: vectorbt or backtesting.py may be installed elsewhere.
"""

import gc
import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import loops

COIN = 10**loops.COIN_PLACES


class Asset:
    """The carry of one coin as the price of one asset, with what it costs to enter and to leave.

    Backtesters of one instrument see spot minus perp plus funding as its price, fees and slippage as one fee.
    """

    def __init__(self, series: loops.Series, trials: list[loops.Trial]) -> None:
        tables = loops.scaled_tables(series)
        self.rates = np.array(series.rates)
        self.quantities = np.array(tables.quantities) / 10**loops.QUANTITY_PLACES
        moved = np.cumsum(np.array(tables.changes) / COIN)
        self.prices = moved - moved.min() + 0.2 * min(series.spots) / 10**loops.PRICE_PLACES
        entry, leave = (
            (np.array(fees) + np.array(tables.slippages)) / COIN
            for fees in (tables.entry_fees, tables.exit_fees)
        )
        leaves = self.rates < min(bound for bound, _ in trials)
        leaves[-1] = True
        self.costs = np.where(leaves, leave, entry) / self.prices
        self.entries = np.array([entry for entry, _ in trials])
        self.exits = np.array([leave for _, leave in trials])


def vectorbt(asset: Asset, places: list[int]) -> list[float]:
    """Return the net results of all trials at once."""
    import vectorbt as vbt

    enters = asset.rates[:, None] >= asset.entries[places]
    leaves = asset.rates[:, None] < asset.exits[places]
    enters[-1], leaves[-1] = False, True
    portfolio = vbt.Portfolio.from_signals(
        asset.prices[:, None],
        enters,
        leaves,
        size=asset.quantities[:, None],
        fees=asset.costs[:, None],
        init_cash=loops.CAPITAL,
        freq="8h",
    )
    net = portfolio.total_profit()
    _ = (portfolio.trades.count(), portfolio.trades.win_rate(), portfolio.orders.fees.sum())
    _ = (portfolio.max_drawdown(), portfolio.sharpe_ratio())
    return np.asarray(net).tolist()


def backtesting(asset: Asset, places: list[int]) -> list[float]:
    """Return the net results of some trials, run one after another."""
    import pandas as pd
    from backtesting import Backtest, Strategy

    step = 10**loops.QUANTITY_PLACES
    quantities = (asset.quantities * step).round().astype(int).tolist()
    rates = asset.rates.tolist()

    class Carry(Strategy):
        entry = 0
        leave = 0

        def init(self) -> None:
            pass

        def next(self) -> None:
            at = len(self.data) - 1
            if self.position:
                if rates[at] < self.leave:
                    self.position.close()
            elif rates[at] >= self.entry:
                self.buy(size=quantities[at])

    price = asset.prices / step
    times = pd.date_range("2020-01-31", periods=len(price), freq="8h")
    data = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), price), index=times)
    cost = float(np.median(asset.costs))
    test = Backtest(
        data, Carry, cash=loops.CAPITAL, commission=cost, trade_on_close=True, finalize_trades=True
    )
    return [
        float(test.run(entry=int(asset.entries[at]), leave=int(asset.exits[at]))["Equity Final [$]"])
        - loops.CAPITAL
        for at in places
    ]


CONTENDERS: dict[str, Callable[[Asset, list[int]], list[float]]] = {
    "vectorbt": vectorbt,
    "backtesting": backtesting,
}


def answer(name: str, places: list[int], asset: Asset) -> dict[str, Any]:
    """Return what one run of a contender took and came to; why not, if it is absent."""
    try:
        import_module(name)
    except ImportError as error:
        return {"absent": str(error)}
    gc.collect()
    began = time.process_time()
    net = CONTENDERS[name](asset, places)
    return {"cpu_s": time.process_time() - began, "net": net, "version": version(name)}


def main() -> None:
    """Answer until the questions end."""
    warnings.simplefilter("ignore")
    told = json.loads((Path(sys.argv[1]) / "series.json").read_text())
    asset = Asset(loops.Series(*told["series"]), [(entry, leave) for entry, leave in told["trials"]])
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        name, *places = line.split()
        chosen = [int(place) for place in places] or list(range(len(asset.entries)))
        print(json.dumps(answer(name, chosen, asset)), flush=True)


if __name__ == "__main__":
    main()
