"""The command `paper` as a process of its own, on an exchange that tells an hour at a time."""

import importlib.util
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from builders import market_data, run_config
from commanding import COMMAND, environment_of
from forked import Forked
from live_exchange import HOUR_MS, LiveExchange, serving
from servers import eventually, skip_or_fail

from bot.backtest import RunResult, run_backtest
from bot.market_store.database import open_engine
from bot.market_store.paper.pair_sessions import PaperStore
from bot.models import CloseReason
from bot.paper.session_store import SavedSession, SessionStatus

FIRST_MS = 1_704_067_200_000
LAST_MS = FIRST_MS + 1200 * HOUR_MS
START_MS = FIRST_MS + 1000 * HOUR_MS
SYMBOL = "BTC/USDT:USDT"
RUN = {
    "exchange": "binance",
    "symbols": [SYMBOL],
    "min_funding_rate": "0.0005",
    "exit_funding_rate": "0.0001",
    "min_volume_24h": "1000",
}


def market() -> dict[str, Any]:
    """Return a pair that settles every 8 hours: rates high but for the fifth settlement after START_MS."""

    def candles(premium: int) -> list[tuple[Any, ...]]:
        prices = [40_000 + premium + (hour * 37) % 101 for hour in range(1200)]
        return [
            (t_ms, f"{price}.5", f"{price + 9}.25", f"{price - 9}.75", f"{price}.125", "12.5")
            for t_ms, price in zip(range(FIRST_MS, LAST_MS, HOUR_MS), prices, strict=True)
        ]

    low = START_MS + 40 * HOUR_MS
    times = range(FIRST_MS, LAST_MS, 8 * HOUR_MS)
    funding = [(t_ms, "-0.0002" if t_ms == low else "0.00123", 8, None) for t_ms in times]
    rules = {"qty_step": "0.001", "min_qty": "0.001"}
    legs = {"spot": candles(0), "perp": candles(11), "mark": candles(10)}
    return {"funding": funding, **legs, "instrument": rules}


@pytest.fixture
def exchange() -> Iterator[LiveExchange]:
    if importlib.util.find_spec("ccxt") is None:
        skip_or_fail("ccxt is not installed")
    with serving(LiveExchange("BTCUSDT", market(), START_MS + HOUR_MS // 2)) as served:
        yield served


class Paper:
    """A paper session in a folder, and the process that runs it."""

    def __init__(self, folder: Path, exchange: LiveExchange) -> None:
        self.exchange = exchange
        self.process: subprocess.Popen[bytes] | Forked | None = None
        self._folder = folder
        self._output = folder / "output.txt"
        (folder / "btc.json").write_text(json.dumps(RUN))
        self._output.touch()

    def start(self, *options: str, fresh: bool = False) -> None:
        """Start the process; one that is `fresh` has loaded nothing before."""
        file = str(self._folder / "btc.json")
        arguments = ["paper", file, "--api-url", self.exchange.url, "--poll", "0.05", *options]
        environment = environment_of(self._folder / "home")
        if not fresh:
            self.process = Forked("carrygrid_command", arguments, environment, self._output)
            return
        with self._output.open("a") as output:
            self.process = subprocess.Popen(
                [COMMAND, *arguments], env=environment, stdout=output, stderr=output
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def end(self, number: signal.Signals | None = None) -> int:
        assert self.process is not None
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def tell(self, hours: float) -> None:
        """Move the exchange's clock to `hours` after the start, and wait until it is in the books."""
        self.exchange.now_ms = START_MS + int(hours * HOUR_MS)
        event_ms = self.exchange.now_ms // (8 * HOUR_MS) * 8 * HOUR_MS
        with self.stored() as store:
            eventually(lambda: saved_in(store).account.t_ms >= event_ms, 60, f"{hours} h: {self.output}")

    def wait_until_it_asks(self) -> None:
        seen = len(self.exchange.requests)
        eventually(lambda: "Ctrl-C" in self.output, 60, f"start: {self.output}")
        eventually(lambda: len(self.exchange.requests) > seen + 10, 60, f"polling: {self.output}")

    @contextmanager
    def stored(self) -> Iterator[PaperStore]:
        engine = open_engine(f"sqlite:///{next((self._folder / 'home').glob('*.db'))}")
        yield PaperStore(engine)
        engine.dispose()

    def books(self) -> tuple[SavedSession, dict[str, Any]]:
        with self.stored() as store:
            books = {name: getattr(store, name)("btc") for name in ("trades", "payments", "equity")}
            return saved_in(store), books


def saved_in(store: PaperStore) -> SavedSession:
    saved = store.find("btc")
    assert saved is not None
    return saved


@pytest.fixture
def paper(tmp_path: Path, exchange: LiveExchange) -> Iterator[Paper]:
    session = Paper(tmp_path, exchange)
    yield session
    if session.process is not None and session.process.poll() is None:
        session.process.kill()
        session.process.wait()


def replayed(end_hours: int) -> RunResult:
    config = run_config(**{**RUN, "start": START_MS + HOUR_MS // 2, "end": START_MS + end_hours * HOUR_MS})
    return run_backtest(config, market_data({SYMBOL: market()}, config.end))


def test_a_session_killed_stopped_and_cut_off_writes_the_books_of_a_replay(paper: Paper) -> None:
    paper.start("--until", str(START_MS + 64 * HOUR_MS))
    paper.wait_until_it_asks()
    paper.tell(8.1)
    paper.tell(16.1)
    assert paper.end(signal.SIGKILL) == -signal.SIGKILL
    paper.exchange.now_ms = START_MS + 24 * HOUR_MS + 20_000
    paper.start("--until", str(START_MS + 64 * HOUR_MS))
    paper.tell(24.1)
    paper.exchange.failures += [0, 500, 429]
    paper.tell(32.1)
    assert paper.end(signal.SIGTERM) == 0
    assert "what is open stays open" in paper.output
    assert [hedge.position.symbol for hedge in paper.books()[0].account.hedges] == [SYMBOL]
    paper.start("--until", str(START_MS + 64 * HOUR_MS))
    for hours in (40.1, 48.1, 56.1, 64.1):
        paper.tell(hours)
    assert paper.end() == 0
    saved, books = paper.books()
    expected = replayed(64)
    assert saved.status is SessionStatus.ENDED
    assert [trade.reason for trade in expected.trades] == [CloseReason.SIGNAL, CloseReason.END]
    assert books["trades"] == list(expected.trades)
    assert books["payments"] == list(expected.payments)
    assert books["equity"] == list(expected.equity)


def test_the_emergency_stop_closes_everything_and_stays_closed_until_resumed(paper: Paper) -> None:
    paper.start()
    paper.wait_until_it_asks()
    paper.tell(8.1)
    paper.exchange.now_ms = START_MS + int(11.4 * HOUR_MS)
    assert paper.end(signal.SIGUSR1) == 0
    saved, books = paper.books()
    [trade] = books["trades"]
    assert (trade.reason, saved.status, saved.account.hedges) == (
        CloseReason.EMERGENCY,
        SessionStatus.EMERGENCY,
        (),
    )
    newest_close = next(row[4] for row in market()["spot"] if row[0] == START_MS + 10 * HOUR_MS)
    assert float(trade.spot_exit) == pytest.approx(float(newest_close) * 0.9995)
    paper.start()
    assert paper.end() == 2
    assert "was closed by an emergency stop" in paper.output.splitlines()[-1]
    assert "--resume" in paper.output.splitlines()[-1]
    paper.start("--resume")
    paper.tell(16.1)
    assert paper.end(signal.SIGTERM) == 0
    assert [hedge.position.opened_at_ms for hedge in paper.books()[0].account.hedges] == [
        START_MS + 16 * HOUR_MS
    ]


def test_an_emergency_stop_that_comes_while_the_session_is_started_is_heard(paper: Paper) -> None:
    paper.start()
    paper.wait_until_it_asks()
    paper.tell(8.1)
    assert paper.end(signal.SIGTERM) == 0
    paper.start(fresh=True)
    process = paper.process
    assert process is not None
    eventually(lambda: blocks(process.pid, signal.SIGUSR1), 60, "the signal is held back")
    assert paper.end(signal.SIGUSR1) == 0
    saved, books = paper.books()
    assert (saved.status, saved.account.hedges) == (SessionStatus.EMERGENCY, ())
    assert [trade.reason for trade in books["trades"]] == [CloseReason.EMERGENCY]


def blocks(pid: int, number: signal.Signals) -> bool:
    """Return whether a process holds a signal back."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["SigBlk"], 16) >> (number - 1) & 1)


def test_wrong_input_is_refused_in_one_line(paper: Paper, tmp_path: Path) -> None:
    (tmp_path / "btc.json").write_text(json.dumps({**RUN, "symbols": ["NOPE/USDT:USDT"]}))
    paper.start()
    assert paper.end() == 2
    assert paper.output.splitlines()[-1] == ('error: symbols: "NOPE/USDT:USDT" is no linear perpetual there')
