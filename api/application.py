"""The HTTP application: its layers, its routes, and what lives as long as the process."""

import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.gzip import GZipMiddleware

from api.dashboard import session
from api.dashboard.compare import compare_pages, compare_trials, trial_picker
from api.dashboard.market import market_pages
from api.dashboard.pages import Pages
from api.dashboard.sweeps import map_views, new_sweep, sweep_list, views
from api.dashboard.sweeps import selection as selection_fragment
from api.dashboard.sweeps import verdict as verdict_fragment
from api.dashboard.sweeps import years as years_fragment
from api.dashboard.trial import backtest, badges, trial_pages
from api.database import ready_database
from api.errors.handlers import install_error_handlers
from api.headers import SecurityHeaders
from api.middleware.body import BodyLimit
from api.middleware.principals import Principals
from api.middleware.proxies import TrustedProxies
from api.middleware.security import LOCAL_HOSTS, AccessGuard
from api.middleware.startup import RefusedStart
from api.middleware.throttle import Throttle
from api.routes import (
    analysis,
    control,
    data,
    events,
    evidence,
    exports,
    health,
    jobs,
    marks,
    metrics,
    notifications,
    seals,
    selection,
    shares,
    sweeps,
    trials,
    uploads,
    verdict,
)
from api.routes.progress_feed import ProgressFeed
from api.routes.query_names import refuse_unread
from api.schemas.openapi import describe
from api.settings import Settings
from api.work.announcing import Announcer
from api.work.bounded_work import MOST_COMPILING, MOST_COMPILING_QUICKLY, BoundedWork
from api.work.comparisons import Comparisons
from api.work.database_threads import ANALYSIS_THREADS, READ_THREADS, WRITE_THREADS, Database
from api.work.replays import Replays
from bot.clock import Clock, SystemClock
from bot.market_store.database import open_engine
from sweeps.storage.uploads import MAX_UPLOAD_BYTES
from sweeps.watchdog import bound_shutdown

PATIENCE_MS = 8_000
"""Time that a request waits for another process's write to SQLite before it is answered with 503."""

_SHUTDOWN_S = 8


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Return the application; engines open when it starts serving."""
    described = FastAPIOffline if settings.docs else partial(FastAPI, docs_url=None, openapi_url=None)
    app: FastAPI = described(
        redoc_url=None,
        title="Carrygrid",
        version=version("carrygrid"),
        summary="Parameter sweeps for funding-rate carry on recorded markets.",
        lifespan=_lifespan,
        dependencies=[Depends(refuse_unread)],
    )
    app.state.settings = settings
    app.state.clock = clock or SystemClock()
    token = settings.api_token.get_secret_value() if settings.api_token else None
    app.state.principals = Principals(token, app.state.clock) if token else None
    app.state.pages = Pages(settings.flower_url, docs=settings.docs)
    install_error_handlers(app)
    app.router.routes.extend(app.state.pages.routes())
    for module in (
        health,
        metrics,
        jobs,
        sweeps,
        control,
        trials,
        marks,
        evidence,
        analysis,
        selection,
        verdict,
        notifications,
        shares,
        exports,
        events,
        data,
        seals,
        sweep_list,
        new_sweep,
        backtest,
        selection_fragment,
        verdict_fragment,
        views,
        years_fragment,
        map_views,
        badges,
        trial_pages,
        compare_pages,
        compare_trials,
        trial_picker,
        market_pages,
        session,
    ):
        app.include_router(module.router)
    describe(app, guarded=settings.api_token is not None)
    _add_layers(app, settings)
    return app


def _add_layers(app: FastAPI, settings: Settings) -> None:
    app.add_middleware(BodyLimit, larger={uploads.PATH: MAX_UPLOAD_BYTES})
    app.add_middleware(AccessGuard, principals=app.state.principals, hosts=_hosts(settings))
    app.add_middleware(Throttle, per_second=settings.rate_limit, clock=app.state.clock)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=1)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RefusedStart)
    app.add_middleware(TrustedProxies, proxies=settings.trusted_proxies)


def _hosts(settings: Settings) -> frozenset[str] | None:
    if settings.allowed_hosts is not None:
        return frozenset(name.strip().lower() for name in settings.allowed_hosts.split(","))
    return None if settings.api_token else LOCAL_HOSTS


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    if threading.current_thread() is threading.main_thread():
        bound_shutdown(_SHUTDOWN_S, signal.SIGTERM)
    with ready_database(settings) as engine:
        requests = open_engine(
            settings.database,
            pool_size=READ_THREADS + ANALYSIS_THREADS + WRITE_THREADS,
            busy_timeout_ms=PATIENCE_MS,
        )
        announcer = Announcer(settings.broker_url)
        app.state.database = Database(requests, announcer.announce)
        app.state.progress = ProgressFeed(app.state.database, app.state.clock, settings.max_streams)
        app.state.replays = Replays(engine, settings.max_replays)
        app.state.compiling = BoundedWork("checks of sweeps", MOST_COMPILING, MOST_COMPILING_QUICKLY)
        app.state.comparisons = Comparisons(app.state.replays.store)
        try:
            yield
        finally:
            await app.state.progress.close()
            await announcer.close()
            requests.dispose()
