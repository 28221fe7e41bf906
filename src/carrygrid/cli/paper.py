"""The command `paper`: a session on an exchange's live public feed."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from api.database import ready_database
from api.settings import Settings
from bot.backtest.result import trade_document
from bot.clock import Clock, SystemClock
from bot.config.hedge_checks import needs_hedge_engine
from bot.config.run_config import RunConfig
from bot.errors import InvalidInputError, SessionError
from bot.market_store.fetch.live_borrowing import LiveBorrowing, borrowed_coins
from bot.market_store.fetch.live_exchange import LiveExchange
from bot.market_store.fetch.live_hedges import LiveHedgeExchange
from bot.market_store.paper.hedge_sessions import HedgeSessionStore
from bot.market_store.paper.pair_sessions import PaperStore
from bot.market_store.paper.stored_records import StoredRecords
from bot.market_store.store import HistoricalDataStore
from bot.notation import quoted
from bot.numbers.money import ZERO, plain
from bot.paper.account_types import AccountStore, AccountType, AccountUpdate, S, U
from bot.paper.feed import MarketFeed
from bot.paper.hedges.document import session_result
from bot.paper.hedges.session import HedgeAccounts
from bot.paper.joined_feed import JoinedFeed
from bot.paper.orchestrator import PaperOrchestrator, SessionPlan, SessionRequest
from bot.paper.polling_feed import PollingFeed
from bot.paper.session import PairAccounts
from bot.paper.session_store import SessionStatus
from bot.timestamps import iso, parse_time_ms
from carrygrid.cli.runs import read_document
from carrygrid.cli.streams import json_text

_NAME_LENGTH = 64
_ANY_WINDOW = {"start": 0, "end": "9999-12-31"}
_WISHES = {
    signal.SIGINT: SessionRequest.STOP,
    signal.SIGTERM: SessionRequest.STOP,
    signal.SIGUSR1: SessionRequest.EMERGENCY,
}
_NO_HINDSIGHT = "end_dead_markets is not applied: a live feed cannot tell an end from a pause.\n"
_FAREWELLS = {
    SessionStatus.OPEN: "stopped; what is open stays open, the same command goes on from here",
    SessionStatus.EMERGENCY: "everything is closed; the session trades again only with --resume",
    SessionStatus.ENDED: "everything is closed; the session has ended",
}


@dataclass(frozen=True, slots=True)
class PaperOptions:
    """Options of a paper session from the command line."""

    session: str | None
    until: str | None
    resume: bool
    api_url: str | None
    poll_s: float


def trade_on_paper(path: Path, options: PaperOptions) -> None:
    """Run the session of the parameters in the file until a signal or its end."""
    config = session_config(read_document(path))
    plan = SessionPlan(_name(options.session or path.stem), config, _until_ms(options.until), options.resume)
    with ready_database(Settings()) as engine:
        run = _trade_hedges if trades_hedges(config) else _trade_pairs
        status = asyncio.run(run(plan, options, engine))
    print(f"session {plan.name}: {_FAREWELLS[status]}", flush=True)


def session_config(document: Mapping[str, object]) -> RunConfig:
    """Return the parameters of a session: those of a run, whose window, if it has one, is left out.

    Raises: InvalidInputError naming field and value.
    """
    config = RunConfig.parse({**_ANY_WINDOW, **document})
    return config.varied({"exchange": config.resolved_exchange(_named_exchange)})


def _named_exchange(exchange: str | None) -> str:
    if exchange is None:
        raise InvalidInputError.of("exchange", "is not set; paper trading has to know where")
    return exchange


def print_status(path: Path, session: str | None) -> None:
    """Print what the session of the parameters in the file has made so far, as JSON.

    Raises: SessionError if there is none.
    """
    config, name = session_config(read_document(path)), _name(session or path.stem)
    with ready_database(Settings()) as engine:
        is_of_hedges = trades_hedges(config)
        document = _hedges_so_far(config, name, engine) if is_of_hedges else _pairs_so_far(name, engine)
    print(json_text(document, indent=2))


def _hedges_so_far(config: RunConfig, name: str, engine: sa.Engine) -> dict[str, Any]:
    store = HedgeSessionStore(engine)
    saved = _found(name, store.find(name))
    borrowing = [notice for one in _borrowing(config, engine).values() for notice in one.notices()]
    return {
        **session_result(config, saved, store.trades(name), store.equity(name)),
        "borrowing": borrowing,
    }


def _pairs_so_far(name: str, engine: sa.Engine) -> dict[str, Any]:
    store = PaperStore(engine)
    saved = _found(name, store.find(name))
    return {
        "session": saved.name,
        "status": saved.status.value,
        "started": saved.started_ms,
        "config": dict(saved.config),
        "open": [hedge.position.symbol for hedge in saved.account.hedges],
        "trades": [trade_document(trade) for trade in store.trades(name)],
        "equity": [[t_ms, plain(equity)] for t_ms, equity in store.equity(name)],
    }


def _found(name: str, saved: S | None) -> S:
    if saved is None:
        raise SessionError(f"there is no session {quoted(name)}; --session names another")
    return saved


def trades_hedges(config: RunConfig) -> bool:
    """Return whether a session needs the accounts of hedges, which read recorded fee schedules as well."""
    return needs_hedge_engine(config) or config.fee_model != "flat"


async def _trade_pairs(plan: SessionPlan, options: PaperOptions, engine: sa.Engine) -> SessionStatus:
    exchange = LiveExchange(str(plan.config.exchange), SystemClock(), options.api_url)
    feed = PollingFeed(exchange, plan.config.symbols, options.poll_s)
    return await _run(plan, PairAccounts(), feed, exchange, PaperStore(engine))


async def _trade_hedges(plan: SessionPlan, options: PaperOptions, engine: sa.Engine) -> SessionStatus:
    hedges, wall = plan.config.hedges, SystemClock()
    borrowing = _borrowing(plan.config, engine)
    exchanges = {
        name: LiveHedgeExchange(name, hedges, wall, options.api_url, borrowing.get(name))
        for name in plan.config.exchanges
    }
    for one in borrowing.values():
        for notice in one.notices():
            print(notice, flush=True)
    feeds = {name: PollingFeed(one, one.symbols, options.poll_s) for name, one in exchanges.items()}
    clock = exchanges.get(str(plan.config.exchange)) or next(iter(exchanges.values()))
    accounts = HedgeAccounts(StoredRecords(engine, hedges, clock))
    feed = JoinedFeed(feeds, options.poll_s)
    return await _run(plan, accounts, feed, clock, HedgeSessionStore(engine))


def _borrowing(config: RunConfig, engine: sa.Engine) -> dict[str, LiveBorrowing]:
    """Return what keeps borrow rates current, by exchange; nothing where the parameters name the rate."""
    if config.borrow_rate_hourly is not None:
        return {}
    store = HistoricalDataStore(engine)
    coins = {name: borrowed_coins(config.hedges, name) for name in config.exchanges}
    return {name: LiveBorrowing(store, name, own) for name, own in coins.items() if own}


async def _run(
    plan: SessionPlan, accounts: AccountType[S, U], feed: MarketFeed, clock: Clock, store: AccountStore[S, U]
) -> SessionStatus:
    try:
        orchestrator = PaperOrchestrator(plan, accounts, feed, clock, store, _print_progress)
        loop = asyncio.get_running_loop()
        for number, wish in _WISHES.items():
            loop.add_signal_handler(number, orchestrator.wish, wish)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WISHES)
        _print_start(plan)
        return await orchestrator.run()
    finally:
        await feed.aclose()


def _print_start(plan: SessionPlan) -> None:
    config = plan.config
    print(
        f"session {plan.name}: {config.strategy_mode} on {', '.join(config.exchanges)}, "
        f"{', '.join(config.symbols)}, "
        f"capital {plain(config.initial_capital)}\n"
        f"{_NO_HINDSIGHT if config.end_dead_markets else ''}"
        f"Ctrl-C stops and keeps what is open; kill -USR1 {os.getpid()} closes everything.",
        flush=True,
    )


def _print_progress(progress: AccountUpdate) -> None:
    funding = sum((payment.amount for payment in progress.payments), ZERO)
    told = [
        f"{iso(progress.event_ms)}  equity {plain(progress.equity)}",
        f"funding {plain(funding)}" if progress.payments else "",
        *(
            f"closed {trade.symbol} ({trade.reason.value}) {plain(trade.net_pnl)}"
            for trade in progress.trades
        ),
        "open " + (", ".join(progress.open_names) or "nothing"),
        *progress.under_way,
    ]
    print("  ".join(part for part in told if part), flush=True)


def _name(name: str) -> str:
    if not name.isprintable() or len(name) > _NAME_LENGTH:
        raise InvalidInputError.of(
            "--session", f"{quoted(name)} is no printable name of up to {_NAME_LENGTH} letters"
        )
    return name


def _until_ms(until: str | None) -> int | None:
    try:
        return None if until is None else parse_time_ms(until)
    except ValueError as error:
        raise InvalidInputError.of("--until", str(error)) from None
