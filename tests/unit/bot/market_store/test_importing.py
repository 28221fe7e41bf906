import gzip
from pathlib import Path

import pytest

from bot.errors import DamagedFileError, DataImportError, InvalidInputError
from bot.market_store.import_reports import FileReport
from bot.market_store.importers.files import text_lines
from bot.market_store.importers.import_options import ImportOptions
from bot.market_store.importing import import_file, import_path
from bot.market_store.store import HistoricalDataStore
from bot.timestamps import parse_time_ms

NOON = parse_time_ms("2024-01-01T12:00:00Z")
HOUR = 3_600_000
CANDLES = "timestamp_ms,open,high,low,close,volume\n"
FUNDING = "timestamp_ms,funding_rate,interval_hours,mark_price\n"
GOOD = f"{NOON},10,12,9,11,5"
LATER = NOON + 24 * HOUR


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def imported(store: HistoricalDataStore, path: Path) -> FileReport:
    """Import what can be read of a file."""
    return import_file(store, path, "test", None, ImportOptions(keep_readable=True))


def counts(report: FileReport) -> tuple[int, int, int, int]:
    return report.rows_read, report.new, report.already_there, report.refused


def test_second_import_of_a_file_changes_nothing(store: HistoricalDataStore, tmp_path: Path) -> None:
    path = written(tmp_path, "BTCUSDT-perp-1h.csv", f"{CANDLES}{GOOD}\n{NOON + HOUR},11,11,11,11,0\n")
    assert counts(imported(store, path)) == (2, 2, 0, 0)
    assert counts(imported(store, path)) == (2, 0, 2, 0)


def test_plain_and_gzip_files_give_the_same_rows(store: HistoricalDataStore, tmp_path: Path) -> None:
    text = f"{CANDLES}{GOOD}\n"
    imported(store, written(tmp_path, "BTCUSDT-perp-1h.csv", text))
    packed = written(tmp_path, "BTCUSDT-perp-1h.csv.gz", gzip.compress(text.encode()))
    assert counts(imported(store, packed)) == (1, 0, 1, 0)


def test_windows_line_ends_byte_order_mark_and_no_final_line_end_are_read(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = f"\ufeff{CANDLES}{GOOD}".replace("\n", "\r\n")
    assert counts(imported(store, written(tmp_path, "BTCUSDT-spot-1h.csv", text))) == (1, 1, 0, 0)


def test_blank_lines_before_the_header_are_passed_over(store: HistoricalDataStore, tmp_path: Path) -> None:
    text = f"\n\r\n{CANDLES}{GOOD}\nx\n"
    report = imported(store, written(tmp_path, "BTCUSDT-spot-1h.csv", text))
    assert (counts(report), report.refusals[0].line) == ((2, 1, 0, 1), 5)


def test_unsorted_rows_and_exact_duplicates_are_accepted(store: HistoricalDataStore, tmp_path: Path) -> None:
    text = f"{CANDLES}{NOON + HOUR},11,11,11,11,0\n{GOOD}\n{GOOD}\n"
    assert counts(imported(store, written(tmp_path, "BTCUSDT-spot-1h.csv", text))) == (3, 2, 1, 0)
    spot = store.load("test", ["BTC/USDT:USDT"], LATER).symbols[0].spot
    assert spot.open_ms.tolist() == [NOON, NOON + HOUR]


BAD_CANDLES = [
    (f"{NOON},10,12,9,11", "5 columns instead of 6"),
    (f"{NOON},10,12,9,11,5,1", "7 columns instead of 6"),
    (f"{NOON},nan,12,9,11,5", 'open "nan" is not a finite decimal number'),
    (f"{NOON},10,inf,9,11,5", 'high "inf" is not a finite'),
    (f"{NOON},10,12,9,1_1,5", 'close "1_1" is not a finite'),
    (f"{NOON},10,12,9,,5", 'close "" is not a finite'),
    (f"{NOON},10,12,9,11,\x00", 'volume "\\u0000" is not a finite'),
    (f"{NOON},10,12,9,11,1e400", 'volume "1e400" is out of range'),
    (f"{NOON},10,12,9,11,1.{'1' * 34}", "has more than 34 digits"),
    (f"{NOON},10,12,9,11,1.{'0' * 300}1", "has more than 34 digits"),
    (f"{NOON},10,10,9,11,5", "high 10 is below open 10, low 9 or close 11"),
    (f"{NOON},10,12,11,11,5", "low 11 is above open 10 or close 11"),
    (f"{NOON},10,12,0,11,5", "low 0 is not positive"),
    (f"{NOON},10,12,9,11,-1", "volume -1 is negative"),
    (f"{NOON + 1},10,12,9,11,5", "is no open time of this interval"),
    ("1704110400,10,12,9,11,5", "timestamp_ms 1704110400 is not in milliseconds"),
    ("99999999999999999999,10,12,9,11,5", "is not a whole number"),
    ("2024-01-01,10,12,9,11,5", 'timestamp_ms "2024-01-01" is not a whole number'),
    (f"{NOON},10,12,9,11,5€", "byte 0xe2 is not text"),
    (f"{NOON},10,12,9,11,{'5' * 70_000}", "longer than 65536 bytes"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_CANDLES, ids=[reason for _, reason in BAD_CANDLES])
def test_bad_candle_is_refused_with_line_and_reason_and_the_good_one_kept(
    store: HistoricalDataStore, tmp_path: Path, line: str, reason: str
) -> None:
    good = f"{NOON + HOUR},10,12,9,11,5"
    report = imported(store, written(tmp_path, "BTCUSDT-perp-1h.csv", f"{CANDLES}{line}\n{good}\n"))
    assert counts(report) == (2, 1, 0, 1)
    assert report.refusals[0].line == 2
    assert reason in report.refusals[0].reason


BAD_FUNDING = [
    (f"{NOON + 60_001},0.0001,8,", "is over 60 s from a full hour"),
    (f"{NOON - 60_001},0.0001,8,", "is over 60 s from a full hour"),
    (f"{NOON},0.0001,0,", "interval_hours 0 is not in 1 to 24"),
    (f"{NOON},0.0001,25,", "interval_hours 25 is not in 1 to 24"),
    (f"{NOON},0.0001,8.5,", 'interval_hours "8.5" is not a whole number'),
    (f"{NOON},1.01,8,", "funding_rate 1.01 is beyond 1"),
    (f"{NOON},,8,", 'funding_rate "" is not a finite'),
    (f"{NOON},0.0001,8,0", "mark_price 0 is not positive"),
    (f"{NOON},0.0001,8,-5", "mark_price -5 is not positive"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_FUNDING, ids=[reason for _, reason in BAD_FUNDING])
def test_bad_settlement_is_refused_with_line_and_reason(
    store: HistoricalDataStore, tmp_path: Path, line: str, reason: str
) -> None:
    report = imported(store, written(tmp_path, "BTCUSDT-funding.csv", f"{FUNDING}{line}\n"))
    assert counts(report) == (1, 0, 0, 1)
    assert reason in report.refusals[0].reason
    assert store.exchanges() == []


def test_settlement_within_a_minute_is_snapped_and_a_second_one_of_the_hour_refused(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    text = f"{FUNDING}{NOON + 60_000},0.0001,8,\n{NOON},0.0001,8,\n{NOON + 8 * HOUR - 60_000},-0.0001,8,42\n"
    report = imported(store, written(tmp_path, "BTCUSDT-funding.csv", text))
    assert counts(report) == (3, 2, 0, 1)
    assert report.refusals[0].line == 3
    assert "is the second one of the hour 2024-01-01T12:00:00Z" in report.refusals[0].reason
    funding = store.load("test", ["BTC/USDT:USDT"], LATER).symbols[0].funding
    assert funding.t_ms.tolist() == [NOON, NOON + 8 * HOUR]
    assert funding.has_mark.tolist() == [False, True]


def test_row_that_contradicts_the_store_is_refused_naming_both_values(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    imported(store, written(tmp_path, "BTCUSDT-perp-1h.csv", f"{CANDLES}{GOOD}\n"))
    path = written(tmp_path, "BTCUSDT-perp-1h.csv", f"{CANDLES}{NOON},10,12,9,11.5,5\n")
    report = imported(store, path)
    assert counts(report) == (1, 0, 0, 1)
    reason = report.refusals[0].reason
    assert reason == "close 11.5 at 2024-01-01T12:00:00Z contradicts 11, which is held already"


def test_settlement_that_lost_its_mark_price_contradicts_the_store(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    imported(store, written(tmp_path, "BTCUSDT-funding.csv", f"{FUNDING}{NOON},0.0001,8,42\n"))
    report = imported(store, written(tmp_path, "BTCUSDT-funding.csv", f"{FUNDING}{NOON},0.0001,8,\n"))
    assert report.refusals[0].reason.startswith("mark_price (none) at 2024-01-01T12:00:00Z contradicts 42,")


def test_eight_hour_candles_may_straddle_settlements_but_not_each_other(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    opens = [NOON, NOON + 8 * HOUR, NOON + 12 * HOUR, NOON + 16 * HOUR]
    text = CANDLES + "".join(f"{t},10,12,9,11,5\n" for t in opens)
    report = imported(store, written(tmp_path, "BTCUSDT-perp-8h.csv", text))
    assert counts(report) == (4, 3, 0, 1)
    assert (report.refusals[0].line, "overlaps" in report.refusals[0].reason) == (4, True)


def test_truncated_gzip_keeps_whole_rows_and_says_where_it_ends(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    body = "".join(
        f"{NOON + n * HOUR},10.{n % 97},12,9,11.{n % 89},{n * 7919 % 10007}\n" for n in range(3000)
    )
    packed = gzip.compress((CANDLES + body).encode())
    report = imported(store, written(tmp_path, "BTCUSDT-perp-1h.csv.gz", packed[: len(packed) // 2]))
    assert 0 < report.new < 3000
    assert report.refused == 1
    assert "the compressed file is damaged from here on" in report.refusals[0].reason
    perp = store.load("test", ["BTC/USDT:USDT"], NOON + 4000 * HOUR).symbols[0].perp
    assert [str(v) for v in perp.volume.decimals(slice(-1, None))] == [str((report.new - 1) * 7919 % 10007)]


def test_gzip_with_damaged_bytes_is_refused_from_there_on(store: HistoricalDataStore, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(f"{CANDLES}{GOOD}\n".encode()))
    packed[-8] ^= 0xFF
    report = imported(store, written(tmp_path, "BTCUSDT-perp-1h.csv.gz", bytes(packed)))
    assert (report.refused, "damaged" in report.refusals[0].reason) == (1, True)


def test_many_bad_rows_are_all_counted_and_the_first_listed(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    report = imported(store, written(tmp_path, "BTCUSDT-perp-1h.csv", CANDLES + "x\n" * 3000))
    assert (report.refused, len(report.refusals)) == (3000, text_lines.MAX_REFUSALS_KEPT)


def test_file_over_the_size_limit_is_refused_and_nothing_stored(
    store: HistoricalDataStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_lines, "MAX_FILE_BYTES", 200)
    bomb = gzip.compress((CANDLES + f"{GOOD}\n" * 50).encode())
    with pytest.raises(DataImportError, match="is larger than"):
        imported(store, written(tmp_path, "BTCUSDT-perp-1h.csv.gz", bomb))
    assert store.exchanges() == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.txt", "hello\n", "is no market data"),
        ("empty.csv", "", "empty.csv is no market data: it is empty"),
        ("blank.csv", "\n \r\n\n", "blank.csv is no market data: it begins with blank lines only"),
        ("wide.csv", f"{CANDLES}{GOOD}\n".encode("utf-16"), "it is text in UTF-16; save it as UTF-8"),
        ("wide.csv", f"{CANDLES}{GOOD}\n".encode("utf-16-be"), "it is text in UTF-16; save it as UTF-8"),
        ("old.csv", f"{CANDLES}{GOOD}".replace("\n", "\r"), "its lines end with CR alone; save it with line"),
        ("picture.csv", bytes(range(256)), "is no market data"),
        ("broken.csv.gz", b"\x1f\x8bnothing", "is no market data: its compressed content cannot be read"),
        ("candles.csv", CANDLES, "its name is not like BTCUSDT-perp-1h.csv"),
        ("BTCUSDT-funding.csv", CANDLES, "its name is not like BTCUSDT-perp-1h.csv"),
        ("BTCUSDT-perp-1h.csv", FUNDING, "its name is not like BTCUSDT-funding.csv"),
        ("BTCUSDT-perp-7h.csv", CANDLES, 'candle interval "7h" is none of'),
        ("BTCXYZ-perp-1h.csv", CANDLES, '"BTCXYZ" is no market name'),
    ],
)
def test_file_that_is_no_market_data_is_refused_in_one_sentence(
    store: HistoricalDataStore, tmp_path: Path, name: str, content: str | bytes, reason: str
) -> None:
    with pytest.raises(DataImportError, match=reason) as refusal:
        import_path(store, written(tmp_path, name, content), "test")
    assert "\n" not in refusal.value.message


def test_folder_imports_its_market_files_links_included_and_counts_the_rest(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    perp = written(folder, "BTCUSDT-perp-1h.csv", f"{CANDLES}{GOOD}\n")
    written(folder, "BTCUSDT-funding.csv", f"{FUNDING}{NOON},0.0001,8,\n")
    written(folder, "README.md", "about\n")
    (folder / "more").mkdir()
    (folder / "ETHUSDT-perp-1h.csv").symlink_to(perp)
    seen: list[tuple[int, int]] = []
    report = import_path(store, folder, "test", lambda done, total: seen.append((done, total)))
    assert [file.name for file in report.files] == [
        "BTCUSDT-funding.csv",
        "BTCUSDT-perp-1h.csv",
        "ETHUSDT-perp-1h.csv",
    ]
    assert (report.skipped, report.ignored) == ((), 1)
    assert (report.rows_read, report.new, report.already_there, report.refused) == (3, 3, 0, 0)
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_folder_without_market_data_and_missing_path_are_refused(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(DataImportError, match="holds no market data"):
        import_path(store, tmp_path / "none", "test")
    with pytest.raises(InvalidInputError, match=r"^path: .*absent.* is neither a file nor a folder"):
        import_path(store, tmp_path / "absent", "test")


def test_recorded_data_cannot_be_imported_as_generated(store: HistoricalDataStore, tmp_path: Path) -> None:
    path = written(tmp_path, "BTCUSDT-perp-1h.csv", f"{CANDLES}{GOOD}\n")
    with pytest.raises(InvalidInputError, match='"synthetic" is kept for generated data'):
        import_path(store, path, "synthetic")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (f"{NOON + HOUR},10,12,9,nan,5", 'BTCUSDT-perp-1h.csv:3: close "nan" is not a finite decimal number'),
        (f"{NOON + HOUR},10,12,9", "BTCUSDT-perp-1h.csv:3: 4 columns instead of 6"),
        ("\x00\x00", "BTCUSDT-perp-1h.csv:3: 1 column instead of 6"),
    ],
)
def test_a_damaged_file_is_refused_whole_and_leaves_the_store_as_it_was(
    store: HistoricalDataStore, tmp_path: Path, damage: str, reason: str
) -> None:
    path = written(tmp_path, "BTCUSDT-perp-1h.csv", f"{CANDLES}{GOOD}\n{damage}\n")
    with pytest.raises(DamagedFileError) as refusal:
        import_file(store, path, "test")
    assert refusal.value.message.startswith(f"{reason}; 1 line cannot be read, so nothing")
    assert store.exchanges() == []


def test_a_cut_archive_is_refused_whole(store: HistoricalDataStore, tmp_path: Path) -> None:
    rows = "".join(f"{NOON + hour * HOUR},10,12,9,11,{hour * 7919 % 1000}\n" for hour in range(500))
    packed = gzip.compress(f"{CANDLES}{rows}".encode())
    path = written(tmp_path, "BTCUSDT-perp-1h.csv.gz", packed[: len(packed) // 2])
    with pytest.raises(DamagedFileError, match="the compressed file is damaged from here on"):
        import_file(store, path, "test")
    assert store.exchanges() == []


def test_a_damaged_file_in_a_folder_is_named_and_the_others_are_imported(
    store: HistoricalDataStore, tmp_path: Path
) -> None:
    written(tmp_path, "BTCUSDT-perp-1h.csv", f"{CANDLES}{GOOD}\n")
    written(tmp_path, "BTCUSDT-spot-1h.csv", f"{CANDLES}{GOOD}\nxx\n")
    report = import_path(store, tmp_path, "test")
    assert [file.name for file in report.files] == ["BTCUSDT-perp-1h.csv"]
    assert [skipped.name for skipped in report.damaged] == ["BTCUSDT-spot-1h.csv"]
