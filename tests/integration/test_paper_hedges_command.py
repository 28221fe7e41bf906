"""The command `paper` on hedges: processes that are killed with something under way, and both exchanges."""

import importlib.util
import json
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commanding import environment_of
from exchange_server import Binance, Bybit, ExchangeServer, Okx, ServedPair, serving
from forked import Forked
from hedge_files import hedge_data
from servers import eventually, skip_or_fail

from bot.config.run_config import RunConfig
from bot.hedges.engine import run_hedges
from bot.market_store.database import open_engine
from bot.market_store.paper.hedge_sessions import HedgeSessionStore
from bot.paper.hedges.state import HedgesState

HOUR_MS = 3_600_000
FIRST_MS = 1_704_067_200_000
START_MS = FIRST_MS + 1000 * HOUR_MS
HOURS = 1100
RULES = {"qty_step": "0.01", "min_qty": "0.02", "min_notional": "5", "mmr": "0.01"}
USUAL = {
    "exchange": "binance",
    "min_funding_rate": "0.0001",
    "exit_funding_rate": "0",
    "min_volume_24h": "0",
    "min_holding_periods": 1000,
    "instrument": RULES,
}
PATIENT = {
    **USUAL,
    "structure": "spot_perp",
    "symbols": ["ABC/USDT:USDT"],
    "fill_lag_candles": 2,
    "cooldown_hours": "9",
    "exit_confirmations": 2,
}
LEVELLED = {
    **USUAL,
    "structure": "perp_perp",
    "symbols": ["ABC/USDT:USDT@bybit>ABC/USDT:USDT@binance"],
    "perp_leverage": "2",
    "allocation": "0.6",
    "exit_funding_rate": "-0.01",
    "wallet_trigger": "0.01",
    "transfer_fee": "1",
    "transfer_delay_minutes": 1200,
    "leg_out_delay_minutes": 600,
    "stress": [{"at": START_MS + 33 * HOUR_MS, "leg": "short"}],
}


def candles(premium: float) -> list[tuple[int, str, str, str, str, str]]:
    """Return hourly candles whose price rises by 3 % a day after the start."""
    found = []
    for hour in range(HOURS):
        price = 100 + premium + (hour * 37 % 101) / 100 + max(0, hour - 1000) / 8
        values = (price, price + 0.25, price - 0.25, price + 0.1)
        found.append((FIRST_MS + hour * HOUR_MS, *(f"{value:.2f}" for value in values), "125.5"))
    return found


def settled(rate: str, low: Sequence[int] = ()) -> list[tuple[int, str]]:
    """Return a settlement every 8 hours, negative at the hours `low` after the start."""
    times = range(FIRST_MS, FIRST_MS + HOURS * HOUR_MS, 8 * HOUR_MS)
    return [(t_ms, "-0.0001" if (t_ms - START_MS) // HOUR_MS in low else rate) for t_ms in times]


LENT = {
    **USUAL,
    "exchange": "okx",
    "structure": "reverse",
    "symbols": ["ABC/USDT:USDT"],
    "min_funding_rate": "0.00001",
    "exit_funding_rate": "-0.01",
}
YEARLY = [(FIRST_MS + hour * HOUR_MS, f"0.0{hour % 7 + 1}") for hour in range(HOURS)]
HOURLY = {"0.01": "0.000001141552511416", "0.02": "0.000002283105022831", "0.03": "0.000003424657534247"}
HOURLY |= {"0.04": "0.000004566210045662", "0.05": "0.000005707762557078", "0.06": "0.000006849315068493"}
HOURLY |= {"0.07": "0.000007990867579909"}
"""Rates of an hour, to 18 places, by those of a year."""
PAIRS = {
    "okx": ServedPair(
        "ABC", "ABC", candles(0), candles(0.2), candles(0.1), settled("-0.0011"), borrow=YEARLY
    ),
    "binance": ServedPair(
        "ABC", "ABC", candles(0), candles(0.5), candles(0.4), settled("0.0011", low=(24, 32))
    ),
    "bybit": ServedPair("ABC", "ABC", candles(0.1), candles(0.3), candles(0.2), settled("0.0001")),
}


class Exchanges(ExchangeServer):
    """Both exchanges at one address, by one clock."""

    def answer(self, path: str, query: dict[str, Any]) -> Any:
        asked: tuple[type[ExchangeServer], str] = (Binance, "binance")
        if path.startswith("/v5/"):
            asked = Bybit, "bybit"
        elif path.startswith("/api/v5/"):
            asked = Okx, "okx"
        made, name = asked
        return made(PAIRS[name], self.now_ms).answer(path, query)


def files() -> dict[str, str]:
    """Return what the exchanges tell as files: settlements of Binance have mark prices."""
    found = {}
    for name, pair in PAIRS.items():
        mark = "100.5" if name == "binance" else ""
        funding = [f"{t_ms},{rate},8,{mark}" for t_ms, rate in pair.funding]
        legs = {"spot": pair.spot, "perp": pair.perp, "mark": pair.mark}
        found[f"{name}/ABCUSDT-funding.csv"] = "\n".join(["header", *funding])
        for leg, rows in legs.items():
            lines = [",".join(map(str, row)) for row in rows]
            found[f"{name}/ABCUSDT-{leg}-1h.csv"] = "\n".join(["header", *lines])
    rates = [f"{t_ms},{HOURLY[yearly]}," for t_ms, yearly in YEARLY]
    found["okx/ABCUSDT-borrow.csv"] = "\n".join(["timestamp_ms,hourly_rate,max_quantity", *rates])
    return found


def replayed(run: Mapping[str, Any], hours: int) -> dict[str, Any]:
    values = {**run, "start": START_MS + HOUR_MS // 2, "end": START_MS + hours * HOUR_MS}
    return run_hedges(RunConfig.parse(values), hedge_data(files(), values)).document()


@pytest.fixture
def exchanges() -> Iterator[ExchangeServer]:
    if importlib.util.find_spec("ccxt") is None:
        skip_or_fail("ccxt is not installed")
    with serving(Exchanges(PAIRS["binance"], START_MS + HOUR_MS // 2)) as served:
        yield served


class Paper:
    """A session of hedges in a folder, and the process that runs it."""

    def __init__(self, folder: Path, exchanges: ExchangeServer, run: Mapping[str, Any]) -> None:
        self.process: Forked | None = None
        self._exchanges = exchanges
        self._folder = folder
        self._output = folder / "output.txt"
        self._output.touch()
        (folder / "abc.json").write_text(json.dumps(run))

    def start(self, hours: int) -> None:
        """Start a process that is to trade until so many hours after the start."""
        options = ["--api-url", self._exchanges.url, "--poll", "0.05"]
        options += ["--until", str(START_MS + hours * HOUR_MS)]
        self.process = self._run(*options, output=self._output)
        with self.stored() as store:
            eventually(lambda: store.find("abc"), 60, f"session: {self.output}")

    def status(self) -> dict[str, Any]:
        """Return what another process prints of the session."""
        told = self._folder / "status.json"
        told.unlink(missing_ok=True)
        assert self._run("--status", output=told).wait(60) == 0, told.read_text()
        return dict(json.loads(told.read_text()))

    def _run(self, *options: str, output: Path) -> Forked:
        file, environment = str(self._folder / "abc.json"), environment_of(self._folder / "home")
        return Forked("carrygrid_command", ["paper", file, *options], environment, output)

    @property
    def output(self) -> str:
        return self._output.read_text()

    def tell(self, hours: float, until: Callable[[HedgesState], object] = bool) -> None:
        """Move the exchanges' clock to `hours` after the start, and wait until it is in the books."""
        self._exchanges.now_ms = START_MS + int(hours * HOUR_MS)
        event_ms = self._exchanges.now_ms // (8 * HOUR_MS) * 8 * HOUR_MS
        with self.stored() as store:
            eventually(lambda: state(store).t_ms >= event_ms, 60, f"{hours} h: {self.output}")
            assert until(state(store)), self.output

    def kill(self) -> None:
        """Kill the process at once."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(60) == -signal.SIGKILL

    @contextmanager
    def stored(self) -> Iterator[HedgeSessionStore]:
        eventually(lambda: "Ctrl-C" in self.output, 60, f"start: {self.output}")
        engine = open_engine(f"sqlite:///{next((self._folder / 'home').glob('*.db'))}")
        yield HedgeSessionStore(engine)
        engine.dispose()


def state(store: HedgeSessionStore) -> HedgesState:
    saved = store.find("abc")
    return HedgesState() if saved is None else saved.state


@pytest.fixture
def paper(tmp_path: Path, exchanges: ExchangeServer, request: pytest.FixtureRequest) -> Iterator[Paper]:
    session = Paper(tmp_path, exchanges, request.param)
    yield session
    if session.process is not None and session.process.poll() is None:
        session.process.kill()
        session.process.wait()


def assert_ends_as_replayed(paper: Paper, run: Mapping[str, Any], hours: int) -> dict[str, Any]:
    assert paper.process is not None
    assert paper.process.wait(60) == 0, paper.output
    document, expected = paper.status(), replayed(run, hours)
    assert document["status"] == "ended"
    for name in ("trades", "equity", "metrics"):
        assert document[name] == expected[name], name
    return document


@pytest.mark.parametrize("paper", [PATIENT], indirect=True)
def test_a_session_killed_while_an_entry_waits_writes_the_document_of_a_replay(
    paper: Paper,
) -> None:
    paper.start(56)
    paper.tell(8.1, lambda now: now.waiting)
    paper.kill()
    paper.start(56)
    for hours in (16.1, 24.1):
        paper.tell(hours, lambda now: now.hedges)
    paper.tell(32.1, lambda now: now.hedges[0].closing)
    for hours in (40.1, 48.1, 56.1):
        paper.tell(hours)
    document = assert_ends_as_replayed(paper, PATIENT, 56)
    assert [trade["reason"] for trade in document["trades"]] == ["signal", "end"]


@pytest.mark.parametrize("paper", [LEVELLED], indirect=True)
def test_a_session_killed_with_a_transfer_under_way_and_one_leg_gone_writes_the_document_of_a_replay(
    paper: Paper,
) -> None:
    paper.start(56)
    paper.tell(8.1, lambda now: now.hedges)
    paper.tell(16.1)
    paper.tell(24.1, lambda now: now.transfer)
    paper.kill()
    paper.start(56)
    paper.tell(32.1, lambda now: now.hedges)
    paper.tell(40.1, lambda now: now.hedges[0].reason == "adl" and now.hedges[0].long.left_ms is None)
    paper.kill()
    paper.start(56)
    for hours in (48.1, 56.1):
        paper.tell(hours)
    document = assert_ends_as_replayed(paper, LEVELLED, 56)
    assert document["trades"][0]["reason"] == "adl"
    assert document["metrics"]["transfer_cost"] != "0"


@pytest.mark.parametrize("paper", [LENT], indirect=True)
def test_a_session_that_borrows_asks_for_the_rates_and_writes_the_document_of_a_replay(paper: Paper) -> None:
    paper.start(24)
    paper.tell(8.1, lambda now: now.hedges)
    paper.tell(16.1)
    paper.kill()
    assert "ABC: okx is asked for its borrow rate" in paper.output
    paper.start(24)
    paper.tell(24.1)
    document = assert_ends_as_replayed(paper, LENT, 24)
    assert document["borrowing"] == ["ABC: okx is asked for its borrow rate"]
    [trade] = document["trades"]
    assert float(trade["borrow_cost"]) > 0
