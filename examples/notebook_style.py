"""A study of one sweep, as in a notebook: cell by cell, or the file as a whole.

Needs a service with market data (`carrygrid up`; `carrygrid demo` brings data of its own) and
`pip install 'carrygrid[pandas]'` (in a checkout `.venv/bin/pip`). CARRYGRID_API_URL and
CARRYGRID_API_TOKEN name the service and its token.
"""

# %% What is there to study? The window is what funding, spot and perp have in common.
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd

from carrygrid import Client

client = Client()
exchange = client.coverage()[0]
symbol = next(held for held in exchange["symbols"] if held["symbol"].endswith(":USDT"))
series = [held for held in symbol["series"] if held["kind"] != "mark"]
first = datetime.fromtimestamp(max(held["first_ms"] for held in series) / 1000, UTC).date() + timedelta(
    days=8
)
last = datetime.fromtimestamp(min(held["last_ms"] for held in series) / 1000, UTC).date()
made_up = " (generated, not recorded)" if symbol["synthetic"] else ""
print(f"{symbol['symbol']} on {exchange['exchange']}{made_up}, {first} to {last}")

# %% A sweep: entry against exit threshold, at three leverages. Amounts are text or Decimal, never floats.
spec = {
    "name": "notebook: entry x exit x leverage",
    "base": {
        "exchange": exchange["exchange"],
        "symbols": [symbol["symbol"]],
        "start": first,
        "end": last,
        "min_volume_24h": 0,
        "min_holding_periods": 90,
    },
    "grid": {
        "min_funding_rate": [
            Decimal(basis_points) / 10_000 for basis_points in ("0.2", "0.5", "1", "2", "3")
        ],
        "exit_funding_rate": ["-0.00005", "0", "0.00002", "0.00005"],
        "perp_leverage": [1, 3, 5],
    },
    "constraints": ["exit_funding_rate <= min_funding_rate"],
    "objective": {"metric": "sharpe", "direction": "maximize"},
}
plan = client.plan(spec)
print(f"{plan['trials']} of {plan['cells']} combinations, about {plan['estimate']['seconds']:.1f} s")

# %% Submit it and wait; the bar is drawn while the workers replay.
sweep = client.submit(spec)
sweep.wait()
print(f"{sweep!r}\n{sweep.page}")

# %% All trials as a frame. Amounts are Decimal; exact=False makes them floats, which is what plots want.
trials = sweep.trials()
frame = trials.pandas(exact=False)
columns = ["number", *spec["grid"], "sharpe", "net_pnl", "max_drawdown_pct", "total_trades", "captured_share"]
print(frame[columns].head(8).to_string(index=False))

# %% What does leverage do, all else summed up? Look at the spread, not only at the best.
print(frame.groupby("perp_leverage")["net_pnl"].describe()[["count", "min", "50%", "max"]].to_string())

# %% A heatmap: the median over leverage says more about a setting than its luckiest trial.
heatmap = sweep.heatmap("min_funding_rate", "exit_funding_rate", "net_pnl", "median")
print(heatmap.pandas(exact=False).round(2).to_string(na_rep="-"))

# %% Do neighbours agree with the best trial? A lonely peak is luck.
best = sweep.top(1)[0]
beside = sweep.trials(where={"perp_leverage": best.params["perp_leverage"]}).pandas(exact=False)
print(
    f"trial {best.number}: Sharpe {best.metrics['sharpe']}, median beside it {beside['sharpe'].median():.3f}"
)

# %% Its equity curve, month by month, and its round trips, exactly as they were booked.
equity = sweep.equity(best.number).pandas().set_index("time")["equity"]
print(equity.resample("MS").last().to_string())
trades = sweep.trades(best.number)
assert sum((trade.net_pnl for trade in trades), Decimal(0)) == best.metrics["net_pnl"]
print(
    trades.pandas()[["opened_at", "closed_at", "funding", "fees", "net_pnl", "reason"]].to_string(index=False)
)

# %% Promote it: the configuration that `carrygrid backtest` and `carrygrid paper` take, run once more.
config = sweep.promote(best.number)
run = client.backtest(config)
assert run.run_key == best.run_key
assert run.metrics["net_pnl"] == best.metrics["net_pnl"]
print(f"on its own: {len(run.trades)} round trips, net {run.metrics['net_pnl']} quote, as in the sweep")

# %% Would it have held on the second half alone? The same settings, another window.
middle = first + (last - first) / 2
later = client.backtest({**config, "start": middle})
print(pd.Series({"whole": best.metrics["net_pnl"], "second half": later.metrics["net_pnl"]}).to_string())
client.close()
