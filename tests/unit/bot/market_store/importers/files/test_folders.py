"""Folders of market data: walked with what is in them, links and all, in an order of names."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from bot.errors import DataImportError
from bot.market_store import importing
from bot.market_store.import_reports import ImportReport
from bot.market_store.importers.files.folders import folder_content
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_path
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms

HOUR = 3_600_000
DAY = parse_time_ms("2024-01-01")
CANDLES = "timestamp_ms,open,high,low,close,volume\n"
TEXT = CANDLES + "".join(f"{DAY + n * HOUR},10,12,9,11,5\n" for n in range(2))
KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
) + "".join(f"{DAY + n * HOUR},10,12,9,11,5,{DAY + n * HOUR + HOUR - 1},55,7,2,22,0\n" for n in range(2))


def put(folder: Path, name: str, content: str | bytes = TEXT) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def archive(name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr(name, KLINES)
    return packed.getvalue()


def names(report: ImportReport) -> list[str]:
    return [file.name for file in report.files]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return an empty folder."""
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


def test_tree_of_the_data_site_is_walked_and_its_folders_say_what_is_in_them(
    store: HistoricalDataStore, tree: Path
) -> None:
    zips = {
        f"futures/um/monthly/klines/{market}/1h/{market}-1h-2024-01.zip": market
        for market in ("BTCUSDT", "ETHUSDT", "BTCUSDT_240329")
    }
    zips["futures/cm/monthly/klines/BTCUSD_PERP/1h/BTCUSD_PERP-1h-2024-01.zip"] = "BTCUSD_PERP"
    zips["spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-01.zip"] = "BTCUSDT"
    for name, market in zips.items():
        put(tree, f"data/{name}", archive(f"{market}-1h-2024-01.csv"))
        put(tree, f"data/{name}.CHECKSUM", "0 x\n")
    report = import_path(store, tree, "test")
    assert [(file.name, file.symbol, file.kind) for file in report.files] == [
        ("data/futures/um/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-01.zip", "BTC/USDT:USDT", "perp"),
        ("data/futures/um/monthly/klines/ETHUSDT/1h/ETHUSDT-1h-2024-01.zip", "ETH/USDT:USDT", "perp"),
        ("data/spot/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-01.zip", "BTC/USDT:USDT", "spot"),
    ]
    assert [(one.name, one.reason) for one in report.refused_files] == [
        (
            "data/futures/cm/monthly/klines/BTCUSD_PERP/1h/BTCUSD_PERP-1h-2024-01.zip",
            'coin-margined contracts are read from canonical files only: "BTCUSD_PERP"',
        ),
        (
            "data/futures/um/monthly/klines/BTCUSDT_240329/1h/BTCUSDT_240329-1h-2024-01.zip",
            'dated futures are not modelled: "BTCUSDT_240329"',
        ),
    ]
    assert (report.ignored, report.new) == (5, 6)


def test_links_to_files_and_folders_are_followed_and_cycles_end(
    store: HistoricalDataStore, tree: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    put(elsewhere, "deep/ETHUSDT-perp-1h.csv")
    put(tree, "BTCUSDT-perp-1h.csv")
    (tree / "linked").symlink_to(elsewhere)
    (tree / "XRPUSDT-perp-1h.csv").symlink_to(elsewhere / "deep" / "ETHUSDT-perp-1h.csv")
    (elsewhere / "back").symlink_to(tree)
    (elsewhere / "deep" / "up").symlink_to(elsewhere)
    (tree / "again").symlink_to(elsewhere / "deep")
    report = import_path(store, tree, "test")
    assert names(report) == ["BTCUSDT-perp-1h.csv", "XRPUSDT-perp-1h.csv", "again/ETHUSDT-perp-1h.csv"]
    assert (report.new, report.skipped) == (6, ())
    assert names(import_path(store, tree / "linked", "other"))[-1].endswith("ETHUSDT-perp-1h.csv")


def test_real_folder_counts_before_a_link_to_it(tree: Path) -> None:
    put(tree, "z/BTCUSDT-perp-1h.csv")
    (tree / "a").symlink_to(tree / "z")
    assert [file.name for file in folder_content(tree).files] == ["z/BTCUSDT-perp-1h.csv"]


def test_folders_that_link_to_one_another_are_walked_once_each(tree: Path) -> None:
    for n in range(12):
        put(tree, f"{n}/BTCUSDT-perp-1h.csv")
        for other in range(12):
            (tree / str(n) / f"to{other}").symlink_to(tree / str(other))
    assert len(folder_content(tree).files) == 12


def test_broken_links_pipes_and_folders_nobody_may_read_are_named_and_the_rest_is_imported(
    store: HistoricalDataStore, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tree, "BTCUSDT-perp-1h.csv")
    (tree / "gone.csv").symlink_to(tree / "nowhere")
    (tree / "self").symlink_to(tree / "self")
    os.mkfifo(tree / "pipe.csv")
    put(tree, "secret/ETHUSDT-perp-1h.csv")
    scan = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    report = import_path(store, tree, "test")
    assert names(report) == ["BTCUSDT-perp-1h.csv"]
    assert [(one.name, one.reason) for one in report.refused_files] == [
        ("gone.csv", "is a link to nothing"),
        ("pipe.csv", "is not a regular file"),
        ("secret", "cannot be read: Permission denied"),
        ("self", "is a link to nothing"),
    ]


def test_hidden_and_unrelated_files_are_counted_and_data_in_no_known_format_is_named(
    store: HistoricalDataStore, tree: Path
) -> None:
    put(tree, "BTCUSDT-perp-1h.csv")
    for name in ("README.md", ".hidden.csv", ".git/config", "__MACOSX/._x.csv", "x.csv.CHECKSUM", "a.png"):
        put(tree, name, "about\n")
    put(tree, "trades/BTCUSDT-aggTrades-2024-01.csv", "1,2,3\n")
    report = import_path(store, tree, "test")
    assert (names(report), report.ignored, report.refused_files) == (["BTCUSDT-perp-1h.csv"], 6, ())
    (unknown,) = report.skipped
    assert unknown.name == "trades/BTCUSDT-aggTrades-2024-01.csv"
    assert 'is no market data: its first line "1,2,3"' in unknown.reason


def test_result_does_not_depend_on_the_order_in_which_a_folder_lists_its_files(
    store: HistoricalDataStore, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tree, "a/BTCUSDT-perp-1h.csv", f"{CANDLES}{DAY},10,12,9,11,5\n")
    put(tree, "b/BTCUSDT-perp-1h.csv", f"{CANDLES}{DAY},10,12,9,11.5,5\n")
    usual = import_path(store, tree, "usual").document()
    scan = os.scandir

    class Backwards:
        def __init__(self, path: Path) -> None:
            with scan(path) as found:
                self.entries = sorted(found, key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> list["os.DirEntry[str]"]:
            return self.entries

        def __exit__(self, *_: object) -> None:
            return None

    monkeypatch.setattr(os, "scandir", Backwards)
    assert import_path(store, tree, "backwards").document() == usual
    assert [file["refused"] for file in usual["files"]] == [0, 1]


def test_symbols_choose_among_the_files_of_a_folder(store: HistoricalDataStore, tree: Path) -> None:
    for market in ("BTCUSDT", "ETHUSDT", "XRPUSDT"):
        put(tree, f"{market}-perp-1h.csv")
    report = import_path(store, tree, "test", None, ImportOptions.parse(symbol="BTCUSDT,XRPUSDT"))
    assert [file.symbol for file in report.files] == ["BTC/USDT:USDT", "XRP/USDT:USDT"]
    assert (report.not_asked, report.skipped, report.absent) == (1, (), ())
    report = import_path(store, tree, "test", None, ImportOptions.parse(symbol="BTCUSDT,DOGEUSDT"))
    assert (report.not_asked, report.absent) == (2, ("DOGE/USDT:USDT",))
    with pytest.raises(DataImportError, match="holds nothing of DOGE/USDT:USDT, but 3 files of other"):
        import_path(store, tree, "test", None, ImportOptions.parse(symbol="DOGEUSDT"))


def test_folder_of_refused_files_only_reports_each_and_stores_nothing(
    store: HistoricalDataStore, tree: Path
) -> None:
    put(tree, "a/BTC-PERPETUAL-perp-1h.csv")
    put(tree, "b/BTCUSDT_240329-perp-1h.csv")
    report = import_path(store, tree, "test")
    assert [one.name for one in report.refused_files] == [
        "a/BTC-PERPETUAL-perp-1h.csv",
        "b/BTCUSDT_240329-perp-1h.csv",
    ]
    assert (report.files, store.exchanges()) == ((), [])


def test_folder_without_market_data_says_what_is_in_it(store: HistoricalDataStore, tree: Path) -> None:
    put(tree, "README.md", "about\n")
    with pytest.raises(DataImportError, match=r"BTCUSDT-funding.csv \(1 other file ignored\)$"):
        import_path(store, tree, "test")
    put(tree, "deep/a.csv", "1\n")
    put(tree, "deep/b.csv", "1\n")
    with pytest.raises(DataImportError, match=r"holds no market data: deep/a.csv: .*; 1 more like it$"):
        import_path(store, tree, "test")


def test_report_of_many_files_keeps_a_bounded_number_of_refused_rows(
    store: HistoricalDataStore, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_REFUSALS_KEPT", 10)
    bad = "".join(f"{DAY + n * HOUR},10,12,0,11,5\n" for n in range(10))
    for n in range(3):
        put(tree, f"{n}/BTCUSDT-perp-1h.csv", TEXT + bad)
    report = import_path(store, tree, "test")
    assert [(file.refused, len(file.refusals)) for file in report.files] == [(10, 10), (10, 5), (10, 5)]
