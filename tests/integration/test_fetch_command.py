"""`carrygrid data fetch` and the import options, as a user types them."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commanding import COMMAND, as_process, environment_of, in_process
from exchange_server import DIALECTS, ExchangeServer, serving
from fetching import NOW, START, served_pair

from bot.timestamps import iso


def run(home: Path, *arguments: object) -> tuple[int, str, str]:
    ended = in_process(home, *arguments)
    return ended.returncode, ended.stdout, ended.stderr


def fetch(server: ExchangeServer, *more: object) -> tuple[object, ...]:
    asked = ("--exchange", "binance", "--symbols", "BTC/USDT:USDT", "--since", iso(START))
    return ("data", "fetch", *asked, "--api-url", server.url, *more)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_fetch_prints_what_came_and_the_next_one_finds_nothing_new(home: Path) -> None:
    with serving(DIALECTS["binance"](served_pair("binance"), NOW)) as server:
        first = as_process(home, *fetch(server))
        assert (first.returncode, first.stderr) == (0, "")
        assert "BTC/USDT:USDT: qty_step 0.001, min_qty 0.001, min_notional 100, mmr 0.005" in first.stdout
        assert "no maintenance margin rate is public; 0.005 is assumed" in first.stdout
        status, out, _ = run(home, *fetch(server, "--json"))
    assert (status, [one["new"] for one in json.loads(out)["series"]]) == (0, [0, 0, 0, 0, 0])
    _, out, _ = run(home, "data", "list", "--json")
    listed = json.loads(out)[0]["symbols"][0]
    assert [one["missing"] for one in listed["series"]] == [0, 0, 0, 0]
    assert listed["series"][0]["imports"][0]["source"] == "binance API"


def test_interrupted_fetch_keeps_whole_pages_and_the_next_one_goes_on(home: Path) -> None:
    with serving(DIALECTS["binance"](served_pair("binance"), NOW)) as server:
        server.answers_after_s = 0.1  # so that it is in the middle when it is interrupted
        process = subprocess.Popen(
            [COMMAND, *map(str, fetch(server))],
            env=environment_of(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while len(server.requests) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, "Traceback" in err) == (130, False)
        server.answers_after_s = 0.0
        assert run(home, *fetch(server))[0] == 0
    _, out, _ = run(home, "data", "list", "--json")
    series = json.loads(out)[0]["symbols"][0]["series"]
    assert [(one["kind"], one["missing"]) for one in series] == [
        *(("funding", 0), ("mark", 0)),
        *(("perp", 0), ("spot", 0)),
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--exchange", "mtgox"), 'exchange: "mtgox" is none of binance, bybit, okx, hyperliquid'),
        (("--since", "soon"), 'since: "soon" is no time: write 2024-01-31'),
        (("--until", "2023-01-01"), "until: 2023-01-01 is not after since"),
        (("--timeframe", "7h"), 'timeframe: "7h" is none of'),
        (("--api-url", "ftp://x"), 'api_url: "ftp://x" is no address'),
        (("--symbols", "NOPE/USDT:USDT"), '"NOPE/USDT:USDT" is no linear perpetual there'),
    ],
)
def test_bad_option_is_one_clear_line(home: Path, arguments: tuple[str, str], sentence: str) -> None:
    with serving(DIALECTS["binance"](served_pair("binance"), NOW)) as server:
        status, out, err = run(home, *fetch(server), *arguments)
    if arguments[0] == "--symbols":
        assert sentence in err
    else:
        assert err.startswith(f"error: {sentence}")
    assert (status, out, err.count("\n")) == (2, "", 1)


def test_import_options_reach_the_importers(home: Path, tmp_path: Path) -> None:
    dump = tmp_path / "dump.json"
    dump.write_text(json.dumps([[START, 1, 2, 1, 2, 3], [START + 3_600_000, 1, 2, 1, 2, 3]]))
    status, _, err = run(home, "data", "import", dump, "--exchange", "mine")
    assert (status, "add --kind spot|perp|mark --symbol BTCUSDT --timeframe 1h" in err) == (2, True)
    options = ("--kind", "perp", "--symbol", "BTCUSDT")
    status, out, _ = run(home, "data", "import", dump, "--exchange", "mine", *options)
    assert (status, "ccxt dump" in out, "perp 1h" in out) == (0, True, True)
    status, _, err = run(home, "data", "import", dump, "--exchange", "mine", "--kind", "option")
    assert (status, err) == (2, 'error: kind: "option" is none of spot, perp, mark\n')
