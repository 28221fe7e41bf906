"""The commands of `carrygrid data` and what their help says."""

from pathlib import Path
from typing import Annotated

import typer

from carrygrid.cli.options import Json, Yes

data = typer.Typer(no_args_is_help=True, help="Import, download, list, correct and verify market data.")


@data.command("import", epilog="Example: `carrygrid data import recorded/binance --exchange binance`")
def import_data(
    path: Annotated[Path, typer.Argument(help="A file, or a folder with all that is in it.")],
    exchange: Annotated[str, typer.Option(help="The name under which runs find the data.")],
    kind: Annotated[str | None, typer.Option(help="What candles are: spot, perp or mark.")] = None,
    symbol: Annotated[
        list[str] | None,
        typer.Option(help="The market: BTCUSDT or BTC/USDT:USDT; of files with many, those to take."),
    ] = None,
    timeframe: Annotated[str | None, typer.Option(help="The candle interval: 1h, 4h, 8h.")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Zone of local times: +08:00 or Asia/Shanghai.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="A JSON file that describes the columns of another CSV.")
    ] = None,
    keep_readable: Annotated[
        bool, typer.Option("--keep-readable", help="Import the readable lines of damaged files.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace stored rows that the file contradicts.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Import market data; importing it twice changes nothing.

    Rows that break a rule, or contradict stored ones, are named and left out; with --replace those that
    contradict stored ones take their place, and sweeps that used these say so. A file with lines that cannot
    be read is refused whole.
    Formats are recognised by content: canonical CSV, Binance Vision and website exports, freqtrade, ccxt
    dumps, answers of Binance, Bybit, OKX, Hyperliquid and dYdX. Options supply what a file does not state.
    Beside candles and funding, BTCUSDT-borrow.csv holds the hourly rates at which the coin can be borrowed,
    BTCUSDT-brackets.json the margin brackets, BTCUSDT-life.json the beginnings, ends and renamings of the
    contract; such a file with one bad row is refused whole.
    --symbol, repeated or with commas, overrides the market in a file name, and selects among the markets of
    a folder or of a file. Dated futures and options are refused, and so are coin-margined contracts but those
    of canonical files.

    Folders are walked with the folders in them, links are followed. What is refused is named and the rest
    imported; the exit status is 2 if a file was refused, or every row.
    """
    from carrygrid.cli.data.market_data import StatedOptions, import_path, refuse_incomplete

    said = StatedOptions(kind, tuple(symbol or ()), timeframe, time_zone, mapping, keep_readable, replace)
    refuse_incomplete(import_path(path, exchange, said, as_json=as_json), as_json=as_json)


@data.command(
    "fetch",
    epilog="Example: `carrygrid data fetch --exchange bybit --symbols BTC/USDT:USDT --since 2024-01-01`",
)
def fetch_data(
    exchange: Annotated[str, typer.Option(help="binance, bybit, okx or hyperliquid.")],
    symbols: Annotated[
        list[str],
        typer.Option(help="A perp such as BTC/USDT:USDT or BTC/USD:BTC; several with commas, or repeated."),
    ],
    since: Annotated[str, typer.Option(help="ISO date or time of the first row.")],
    until: Annotated[
        str | None, typer.Option(help="ISO time before which rows end; now if left out.")
    ] = None,
    timeframe: Annotated[str, typer.Option(help="The candle interval.")] = "1h",
    api_url: Annotated[
        str | None, typer.Option(help="Address in place of the exchange's own, http://host:port.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Download funding, candles, trading rules and fees from an exchange, resuming where it stopped.

    Margin brackets come from where they are public (Bybit, OKX, Hyperliquid), and hold from the day of the
    download on; borrow rates come from OKX. With an inverse perp comes the spot market in USDT.

    Needs the extra: `pip install carrygrid[live]`. Ctrl-C keeps every page that has arrived.
    """
    from carrygrid.cli.data.fetch import FetchOptions, fetch

    fetch(FetchOptions(exchange, tuple(symbols), since, until, timeframe, api_url), as_json=as_json)


@data.command("list", epilog="Example: `carrygrid data list`")
def list_data(as_json: Json = False) -> None:
    """List stored data per exchange and symbol, with gaps and findings."""
    from carrygrid.cli.data.market_data import print_listing

    print_listing(as_json=as_json)


@data.command(
    "delete",
    epilog="Example: `carrygrid data delete --exchange binance --symbol BTCUSDT --series funding "
    "--from 2024-01-01 --to 2024-01-02`",
)
def delete_data(
    exchange: Annotated[str, typer.Option(help="The data set.")],
    symbol: Annotated[str | None, typer.Option(help="One market: BTCUSDT or BTC/USDT:USDT.")] = None,
    series: Annotated[
        str | None,
        typer.Option(
            help="funding, spot, perp, mark, borrow, brackets, life or fees; of one interval: perp-1h."
        ),
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", help="ISO date or time of the first row.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="ISO date or time before which rows end.")] = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")] = False,
    as_json: Json = False,
) -> None:
    """Delete stored rows: shows how many of which series, and asks.

    Options left out mean all: without --symbol the whole data set goes. Candles count by their open time,
    borrow rates, brackets, epochs of a contract and fee rows by when they begin.
    Funding intervals that no venue states are inferred anew from what stays. Sweeps that used the rows keep
    their results, and say that these data are no longer held.
    """
    from bot.market_store.deleting import Selection
    from carrygrid.cli.data.delete import delete_data

    selection = Selection.parse(exchange=exchange, symbol=symbol, series=series, from_=from_, to=to)
    delete_data(selection, yes=yes, dry_run=dry_run, as_json=as_json)


@data.command(
    "suggest", epilog="Example: `carrygrid data suggest --symbols BTC/USDT:USDT --start 2024-01-01`"
)
def suggest(
    symbols: Annotated[list[str], typer.Option("--symbols", help="A perpetual; repeat for more.")],
    exchange: Annotated[str | None, typer.Option(help="The data set; the only one held if left out.")] = None,
    start: Annotated[str | None, typer.Option(help="ISO date or time; the first held if left out.")] = None,
    end: Annotated[str | None, typer.Option(help="ISO date or time; the last held if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Suggest thresholds for a first run or sweep from the quantiles of a window's own rates and volumes.

    The parameters can stand in a run or in the base of a sweep, the grid in a sweep, as they are printed.
    """
    from carrygrid.cli.data.suggest import print_suggestion

    print_suggestion(exchange, tuple(symbols), start, end, as_json=as_json)


@data.command("verify", epilog="Example: `carrygrid data verify --exchange binance`")
def verify_data(
    exchange: Annotated[str | None, typer.Option(help="One data set; all if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Read every stored row again and compare it with the fingerprint written down when it was stored.

    Ends with status 1 if anything is damaged, and says what to import again.
    """
    from carrygrid.cli.verify import verify_data

    if not verify_data(exchange, as_json=as_json):
        raise typer.Exit(1)
