"""The command `data import` on folders and files of many markets, as a user types it."""

import json
import subprocess
from pathlib import Path

import pytest
from commanding import in_process

DAY = 1_704_067_200_000
HOUR = 3_600_000
CANDLES = "timestamp_ms,open,high,low,close,volume\n" + "".join(
    f"{DAY + n * HOUR},10,12,9,11,5\n" for n in range(2)
)
BULK = json.dumps(
    [
        {"symbol": market, "fundingTime": DAY + n * 8 * HOUR, "fundingRate": "0.0001"}
        for n in range(2)
        for market in ("BTCUSDT", "ETHUSDT", "BTCUSD_PERP")
    ]
)


COIN_MARGINED = "coin-margined contracts are read from canonical files only"


def data_import(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return in_process(home, "data", "import", *arguments, "--exchange", "x", COLUMNS="200")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a good file behind a link, a coin-margined one, a dated one, and others."""
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    for path in (folder / "cm", folder / "um", elsewhere):
        path.mkdir(parents=True)
    (elsewhere / "BTCUSDT-perp-1h.csv").write_text(CANDLES)
    (folder / "linked").symlink_to(elsewhere)
    (folder / "cm" / "BTC-PERPETUAL-perp-1h.csv").write_text(CANDLES)
    (folder / "um" / "BTCUSDT_240329-perp-1h.csv").write_text(CANDLES)
    (folder / "README.md").write_text("about\n")
    return folder


def test_folder_imports_what_it_can_names_what_is_refused_by_its_path_and_ends_with_status_2(
    tmp_path: Path, folder: Path
) -> None:
    result = data_import(tmp_path / "home", folder)
    assert result.returncode == 2
    lines = result.stdout.splitlines()
    assert lines[1].split()[:4] == ["linked/BTCUSDT-perp-1h.csv", "canonical", "CSV", "BTC/USDT:USDT"]
    assert lines[3:] == [
        f'cm/BTC-PERPETUAL-perp-1h.csv: refused: {COIN_MARGINED}: "BTC-PERPETUAL"',
        'um/BTCUSDT_240329-perp-1h.csv: refused: dated futures are not modelled: "BTCUSDT_240329"',
        "1 other file ignored",
    ]
    assert result.stderr == (
        "error: 2 of 3 files refused: "
        f'cm/BTC-PERPETUAL-perp-1h.csv: {COIN_MARGINED}: "BTC-PERPETUAL"; '
        'um/BTCUSDT_240329-perp-1h.csv: dated futures are not modelled: "BTCUSDT_240329"\n'
    )


def test_file_of_a_header_alone_says_so_and_is_bad_input_where_nothing_else_was_imported(
    tmp_path: Path,
) -> None:
    folder, home = tmp_path / "data", tmp_path / "home"
    folder.mkdir()
    empty = folder / "BTCUSDT-perp-1h.csv"
    empty.write_text(CANDLES.splitlines()[0] + "\n")
    alone = data_import(home, empty)
    assert (alone.returncode, alone.stdout) == (2, "")
    assert alone.stderr == "error: BTCUSDT-perp-1h.csv holds no rows\n"
    of_folder = data_import(home, folder)
    assert (of_folder.returncode, of_folder.stdout) == (2, "")
    assert of_folder.stderr.endswith("holds no market data: BTCUSDT-perp-1h.csv: holds no rows\n")
    (folder / "ETHUSDT-perp-1h.csv").write_text(CANDLES)
    beside = data_import(home, folder)
    assert (beside.returncode, beside.stderr) == (0, "")
    assert beside.stdout.splitlines()[3:] == ["BTCUSDT-perp-1h.csv: skipped: holds no rows"]


def test_symbol_that_no_file_of_a_folder_holds_is_named_though_others_were_imported(
    tmp_path: Path, folder: Path
) -> None:
    result = data_import(tmp_path / "home", folder / "linked", "--symbol", "BTCUSDT,BTCUDST")
    assert result.returncode == 2
    assert result.stderr == 'error: symbol: "BTCUDST" is no market name such as BTCUSDT or ETHUSDC\n'
    result = data_import(tmp_path / "home", folder / "linked", "--symbol", "BTCUSDT,ETHUSDT")
    assert (result.returncode, "BTC/USDT:USDT" in result.stdout) == (2, True)
    assert result.stderr == "error: no file holds anything of ETH/USDT:USDT\n"


def test_json_of_a_folder_is_one_document_that_names_what_was_refused(tmp_path: Path, folder: Path) -> None:
    result = data_import(tmp_path / "home", folder, "--json")
    report = json.loads(result.stdout)
    assert (result.returncode, result.stderr) == (2, "")
    assert [file["name"] for file in report["files"]] == ["linked/BTCUSDT-perp-1h.csv"]
    assert [one["name"] for one in report["skipped"] if one["refused"]] == [
        "cm/BTC-PERPETUAL-perp-1h.csv",
        "um/BTCUSDT_240329-perp-1h.csv",
    ]
    assert report["ignored"] == 1


def test_file_of_many_markets_has_a_line_for_each_and_symbol_chooses(tmp_path: Path) -> None:
    path = tmp_path / "bulk.json"
    path.write_text(BULK)
    result = data_import(tmp_path / "home", path)
    assert result.returncode == 0
    table = [line.split() for line in result.stdout.splitlines()[1:5]]
    assert [(line[-6], *line[-4:]) for line in table[:3]] == [
        ("BTC/USDT:USDT", "2", "2", "0", "0"),
        ("ETH/USDT:USDT", "2", "2", "0", "0"),
        ("BTCUSD_PERP", "2", "0", "0", "2"),
    ]
    assert (
        'bulk.json:3: refused: coin-margined contracts are read from canonical files only: "BTCUSD_PERP"'
        in result.stdout
    )
    chosen = data_import(tmp_path / "other", path, "--symbol", "ETHUSDT", "--symbol", "BTCUSDT", "--json")
    (file,) = json.loads(chosen.stdout)["files"]
    assert [one["symbol"] for one in file["series"]] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    refused = data_import(tmp_path / "other", path, "--symbol", "BTC-USD-SWAP")
    assert (refused.returncode, refused.stderr) == (
        2,
        'error: symbol: coin-margined contracts are read from canonical files only: "BTC-USD-SWAP"\n',
    )


def test_import_whose_every_row_is_refused_ends_with_status_2_and_one_line(tmp_path: Path) -> None:
    home, path = tmp_path / "home", tmp_path / "BTCUSDT-funding.csv"
    head, bad, good = "timestamp_ms,funding_rate,interval_hours,mark_price", "7,8,", "0.0001,8,"
    path.write_text(f"{head}\n{DAY},{bad}\n{DAY + 8 * HOUR},{bad}\n")
    result = data_import(home, path)
    assert (result.returncode, "2 more" in result.stdout) == (2, False)
    reason = "funding_rate 7 is beyond 1"
    assert f"BTCUSDT-funding.csv:2: refused: {reason}" in result.stdout
    assert result.stderr.startswith(f"error: all 2 rows refused, first BTCUSDT-funding.csv:2: {reason}")
    assert result.stderr.count("\n") == 1
    told = data_import(home, path, "--json")
    assert (told.returncode, told.stderr, json.loads(told.stdout)["files"][0]["refused"]) == (2, "", 2)
    path.write_text(f"{head}\n{DAY},{bad}\n{DAY + 8 * HOUR},{good}\n")
    assert (data_import(home, path).returncode, data_import(home, path).stderr) == (0, "")
    path.write_text(f"{head}\n{DAY + 8 * HOUR},0.0002,8,\n")
    assert data_import(home, path).stderr.startswith("error: only row refused, BTCUSDT-funding.csv:2")
    assert data_import(home, path, "--replace").returncode == 0
