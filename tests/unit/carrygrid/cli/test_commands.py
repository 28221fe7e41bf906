"""The commands as a user types them; each of them in a process of its own at least once."""

import json
from pathlib import Path

import pytest
from commanding import as_process, in_process

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two days of market data, with one bad row."""
    folder = tmp_path_factory.mktemp("recorded")
    start = 1_704_067_200_000
    hours = range(48)
    candles = "\n".join(f"{start + hour * HOUR_MS},100,101,99,100,500000" for hour in hours)
    for leg in ("perp", "spot"):
        header = "timestamp_ms,open,high,low,close,volume"
        (folder / f"BTCUSDT-{leg}-1h.csv").write_text(f"{header}\n{candles}\n")
    rates = "\n".join(f"{start + hour * HOUR_MS},0.01,8," for hour in hours[::8])
    header = "timestamp_ms,funding_rate,interval_hours,mark_price"
    (folder / "BTCUSDT-funding.csv").write_text(f"{header}\n{rates}\n{start + 99 * HOUR_MS},7,8,\n")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Path:
    home = tmp_path_factory.mktemp("filled") / "home"
    assert as_process(home, "data", "import", folder, "--exchange", "paper").returncode == 0
    return home


def _config(home: Path, **values: object) -> Path:
    path = home.parent / "config.json"
    run = {"symbols": ["BTC/USDT:USDT"], "start": "2024-01-01", "end": "2024-01-02T23:00:00Z"}
    path.write_text(json.dumps(run | values))
    return path


def test_help_names_the_commands(home: Path) -> None:
    result = as_process(home, "--help")
    for name in ("up", "demo", "backtest", "data", "dispatch"):
        assert name in result.stdout


def test_an_import_says_what_became_of_the_rows_and_the_second_changes_nothing(
    home: Path, folder: Path
) -> None:
    counts = []
    for _ in range(2):
        result = in_process(home, "data", "import", folder, "--exchange", "paper", "--json")
        files = json.loads(result.stdout)["files"]
        counts.append([(file["new"], file["already_there"], file["refused"]) for file in files])
    assert counts == [[(6, 0, 1), (48, 0, 0), (48, 0, 0)], [(0, 6, 1), (0, 48, 0), (0, 48, 0)]]


def test_a_refused_row_is_printed_with_file_line_and_value(home: Path, folder: Path) -> None:
    result = in_process(home, "data", "import", folder, "--exchange", "paper")
    refusals = [line for line in result.stdout.splitlines() if "refused:" in line]
    assert len(refusals) == 1
    assert refusals[0].startswith("BTCUSDT-funding.csv:8: refused: ")
    assert "funding_rate 7 is beyond 1" in refusals[0]


def test_a_damaged_file_is_one_line_on_standard_error_and_exit_2(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-funding.csv"
    path.write_text("timestamp_ms,funding_rate,interval_hours,mark_price\n1704067200000,nan,8,\n")
    result = as_process(home, "data", "import", path, "--exchange", "paper")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(
        'error: BTCUSDT-funding.csv:2: funding_rate "nan" is not a finite decimal'
    )
    assert result.stderr.count("\n") == 1
    assert json.loads(in_process(home, "data", "list", "--json").stdout) == []


def test_the_listing_shows_what_was_imported(filled: Path) -> None:
    (exchange,) = json.loads(in_process(filled, "data", "list", "--json").stdout)
    assert exchange["exchange"] == "paper"
    assert [series["rows"] for series in exchange["symbols"][0]["series"]] == [6, 48, 48]
    assert "BTC/USDT:USDT" in as_process(filled, "data", "list").stdout


def test_deleting_shows_what_would_go_and_needs_somebody_to_agree(home: Path, folder: Path) -> None:
    assert in_process(home, "data", "import", folder, "--exchange", "paper").returncode == 0
    day = ("--exchange", "paper", "--symbol", "BTCUSDT", "--series", "perp", "--from", "2024-01-02")
    looked = in_process(home, "data", "delete", *day, "--dry-run")
    assert (looked.returncode, looked.stderr) == (0, "")
    assert looked.stdout.splitlines()[1].split() == [
        *("paper", "BTC/USDT:USDT", "perp", "1h", "2024-01-02T00:00:00Z", "2024-01-02T23:00:00Z", "24")
    ]
    assert looked.stdout.splitlines()[-1] == "24 rows would be deleted"
    unasked = in_process(home, "data", "delete", *day)
    assert unasked.returncode == 2
    assert unasked.stderr == (
        "error: --yes: nobody can be asked here; add --yes, or --dry-run to only look\n"
    )
    agreed = as_process(home, "data", "delete", *day, "--yes")
    assert (agreed.returncode, agreed.stdout.splitlines()[-1]) == (0, "24 rows deleted")
    again = json.loads(in_process(home, "data", "delete", *day, "--yes", "--json").stdout)
    assert (again["rows"], again["deleted"]) == (0, False)
    (exchange,) = json.loads(in_process(home, "data", "list", "--json").stdout)
    assert [series["rows"] for series in exchange["symbols"][0]["series"]] == [6, 24, 48]
    unknown = in_process(home, "data", "delete", "--exchange", "kraken", "--yes")
    assert (unknown.returncode, unknown.stderr) == (
        2,
        'error: exchange: "kraken" is not held; held are paper\n',
    )
    assert in_process(home, "data", "delete", "--exchange", "paper", "--yes").returncode == 0
    assert json.loads(in_process(home, "data", "list", "--json").stdout) == []


def test_a_corrected_file_replaces_the_rows_that_it_contradicts_when_asked_to(
    home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "BTCUSDT-funding.csv"
    header = "timestamp_ms,funding_rate,interval_hours,mark_price"
    rows = [f"{1_704_067_200_000 + at * 8 * HOUR_MS},0.0001,8," for at in range(3)]
    path.write_text("\n".join([header, *rows, ""]))
    command = ("data", "import", path, "--exchange", "paper")
    assert in_process(home, *command).returncode == 0
    path.write_text("\n".join([header, rows[0].replace("0.0001", "0.0002"), *rows[1:], ""]))
    refused = in_process(home, *command).stdout
    assert "funding_rate 0.0002 at 2024-01-01T00:00:00Z contradicts 0.0001, which is held already" in refused
    assert (
        "rows that contradict held ones are refused, unless they are to replace them (--replace)" in refused
    )
    replaced = in_process(home, *command, "--replace").stdout.splitlines()
    assert replaced[0].split()[-5:] == ["new", "replaced", "already", "there", "refused"]
    assert replaced[-1].split() == ["total", "3", "0", "1", "2", "0"]
    (exchange,) = json.loads(in_process(home, "data", "list", "--json").stdout)
    (source,) = exchange["symbols"][0]["series"][0]["imports"]
    assert (source["source"], source["rows_new"], source["replaced"]) == ("BTCUSDT-funding.csv", 3, 1)


def test_a_backtest_prints_its_document_and_nothing_else(filled: Path) -> None:
    result = as_process(filled, "backtest", _config(filled), "--json")
    assert (result.returncode, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert document["metrics"]["total_trades"] == 1
    assert document["config"]["exchange"] == "paper"


def test_a_backtest_without_trades_counts_what_kept_it_out(filled: Path) -> None:
    result = in_process(filled, "backtest", _config(filled, min_funding_rate="0.02"))
    assert result.stdout.splitlines()[-2:] == [
        "No entry 4 times for min_funding_rate; needed 0.02, nearest 0.01 at 2024-01-01T08:00:00Z",
        "No entry 1 time for fresh_prices",
    ]


def test_a_backtest_can_be_read(filled: Path) -> None:
    output = in_process(filled, "backtest", _config(filled)).stdout
    assert "capital 10000 USDT" in output
    assert "Trades: days UTC, USDT, rounded" in output
    for expected in ("BTC/USDT:USDT on paper", "net_pnl", "2024-01-02", "end"):
        assert expected in output


def test_a_comparison_says_what_kept_each_strategy_without_trades_out_and_the_nearest_miss(
    filled: Path,
) -> None:
    strict = {"min_funding_rate": "0.02", "entry_threshold": "1"}
    result = in_process(filled, "compare", _config(filled, **strict))
    assert result.returncode == 0
    assert [line for line in result.stdout.splitlines() if "took no trade" in line] == [
        f"{name} took no trade: no entry 4 times for {miss}; less often for fresh_prices."
        for name, miss in (
            ("simple", "min_funding_rate; needed 0.02, nearest 0.01 at 2024-01-01T08:00:00Z"),
            ("composite", "entry_threshold; needed 1, nearest 0.516667 at 2024-01-02T08:00:00Z"),
        )
    ]


def test_a_comparison_over_one_settlement_says_that_there_was_none_to_enter_at(filled: Path) -> None:
    moment = "2024-01-02T16:00:00Z"
    result = in_process(filled, "compare", _config(filled, start=moment, end=moment))
    assert result.returncode == 0
    assert result.stdout.endswith(
        "composite took no trade: the window has no settlement to enter at before its last one.\n"
    )


def test_a_comparison_of_strategies_that_traded_explains_no_absence(filled: Path) -> None:
    result = as_process(filled, "compare", _config(filled))
    assert result.returncode == 0
    assert "took no trade" not in result.stdout


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"initial_capital": -5}, "initial_capital: -5: "),
        ({"initial_capital": float("nan")}, "initial_capital: NaN is not a number in JSON"),
        ({"perp_leverage": "0.1234567890123456"}, "perp_leverage: 0.1234567890123456 has 16 "),
        ({"leverage": 3}, "leverage: is not a known parameter"),
        ({"symbols": ["BTX/USDT:USDT"]}, 'symbols: "BTX/USDT:USDT" '),
        ({"exchange": "nowhere"}, 'exchange: "nowhere" '),
        ({"structure": "reverse"}, "borrow_rate_hourly: "),
        ({"margin_policy": "top_up", "margin_trigger": "0.9"}, "margin_trigger: 0.9 is not below "),
        ({"start": "2020-01-01", "end": "2020-02-01"}, "0 of 94 settlements"),
        ({"end": "2023-01-01"}, "end: 2023-01-01T00:00:00Z is before start"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_wrong_input_is_one_line_naming_field_and_value(
    filled: Path, values: dict[str, object], line: str
) -> None:
    result = in_process(filled, "backtest", _config(filled, **values))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert line in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["[1", "[]", "", '"x"'])
def test_a_config_that_is_no_object_is_refused_by_name(home: Path, text: str) -> None:
    path = home.parent / "config.json"
    path.write_text(text)
    result = in_process(home, "backtest", path)
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: {path}: is ")


def test_a_missing_config_is_refused_by_name_and_leaves_nothing_behind(home: Path) -> None:
    result = as_process(home, "backtest", "missing.json")
    assert (result.returncode, result.stderr) == (2, "error: missing.json: No such file or directory\n")
    assert not home.exists()


def test_strategies_are_printed_with_the_parameters_that_all_share(home: Path) -> None:
    shared = in_process(home, "strategies").stdout.partition("parameters of every run\n")[2]
    assert "  margin_policy               none      top up the margin of a leg" in shared


def test_migrate_says_which_database_is_ready(home: Path) -> None:
    result = as_process(home, "migrate")
    assert (result.returncode, result.stdout) == (0, f"sqlite:///{home / 'carrygrid.db'} is ready\n")
