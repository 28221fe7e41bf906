"""The command `paper`: a session on an exchange's live public feed."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from api.database import ready_database
from api.settings import Settings
from bot.clock import SystemClock
from bot.config.hedge_checks import refuse_hedges
from bot.config.run_config import RunConfig
from bot.errors import InvalidInputError
from bot.market_store.fetch.live_exchange import LiveExchange
from bot.market_store.paper_store import PaperStore
from bot.numbers.money import ZERO, plain
from bot.paper.orchestrator import PaperOrchestrator, SessionPlan, SessionRequest
from bot.paper.polling_feed import PollingFeed
from bot.paper.session_store import SessionStatus, SessionStore, SessionUpdate
from bot.timestamps import iso, parse_time_ms
from carrygrid.cli.runs import read_document

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
        status = asyncio.run(_run(plan, options, PaperStore(engine)))
    print(f"session {plan.name}: {_FAREWELLS[status]}", flush=True)


def session_config(document: Mapping[str, object]) -> RunConfig:
    """Return the parameters of a session: those of a run, whose window, if it has one, is left out.

    Raises: InvalidInputError naming field and value.
    """
    config = RunConfig.parse({**_ANY_WINDOW, **document})
    if config.exchange is None:
        raise InvalidInputError.of("exchange", "is not set; paper trading has to know where")
    refuse_hedges(config)
    return config


async def _run(plan: SessionPlan, options: PaperOptions, store: SessionStore) -> SessionStatus:
    exchange = LiveExchange(str(plan.config.exchange), SystemClock(), options.api_url)
    try:
        feed = PollingFeed(exchange, plan.config.symbols, options.poll_s)
        orchestrator = PaperOrchestrator(plan, feed, exchange, store, _print_progress)
        loop = asyncio.get_running_loop()
        for number, wish in _WISHES.items():
            loop.add_signal_handler(number, orchestrator.wish, wish)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WISHES)
        _print_start(plan)
        return await orchestrator.run()
    finally:
        await exchange.aclose()


def _print_start(plan: SessionPlan) -> None:
    config = plan.config
    print(
        f"session {plan.name}: {config.strategy_mode} on {config.exchange}, {', '.join(config.symbols)}, "
        f"capital {plain(config.initial_capital)}\n"
        f"{_NO_HINDSIGHT if config.end_dead_markets else ''}"
        f"Ctrl-C stops and keeps what is open; kill -USR1 {os.getpid()} closes everything.",
        flush=True,
    )


def _print_progress(progress: SessionUpdate) -> None:
    funding = sum((payment.amount for payment in progress.payments), ZERO)
    told = [
        f"{iso(progress.account.t_ms)}  equity {plain(progress.equity)}",
        f"funding {plain(funding)}" if progress.payments else "",
        *(
            f"closed {trade.symbol} ({trade.reason.value}) {plain(trade.net_pnl)}"
            for trade in progress.trades
        ),
        "open " + (", ".join(hedge.position.symbol for hedge in progress.account.hedges) or "nothing"),
        *(f"unfinished {pending.hedge.symbol}" for pending in progress.account.unfinished),
    ]
    print("  ".join(part for part in told if part), flush=True)


def _name(name: str) -> str:
    if not name.isprintable() or len(name) > _NAME_LENGTH:
        raise InvalidInputError.of(
            "--session", f"{name!r} is no printable name of up to {_NAME_LENGTH} letters"
        )
    return name


def _until_ms(until: str | None) -> int | None:
    try:
        return None if until is None else parse_time_ms(until)
    except ValueError as error:
        raise InvalidInputError.of("--until", str(error)) from None
