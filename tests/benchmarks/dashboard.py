"""Measure how long the pages keep their reader waiting: `python -m benchmarks.dashboard`.

Fills databases with made-up results (50,000 and 1,000,000 trials, 10,000 sweeps, a minute), replays a few
trials of a year, serves all, and drives Chromium over them as a reader would. Prints a line for each of the
interaction budgets. The work of a frame is processor time of the page's thread, all else is waiting.
"""

import argparse
import collections
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright
from servers import eventually, free_port, leashed
from sweeping import EVERYONE
from webservice import DATABASE, Hands

from benchmarks.measure import load
from benchmarks.million_trials import fill, spec_of
from bot.market.symbols import SYNTHETIC_EXCHANGE
from bot.market_store.database import open_engine, write_transaction
from bot.market_store.store import HistoricalDataStore
from bot.market_store.synthetic.generator import generate
from bot.timestamps import parse_time_ms
from sweeps.lifecycle.repository import create_sweep
from sweeps.migrations import migrate
from sweeps.spec.spec import SweepSpec
from sweeps.storage.tables import chunk, compiled_sweep, sweep

ROUNDS = 5
SWEEPS = 10_000
FIRST_VIEW_MS, BRUSH_MS, TABLE_MS = 1_500, 200, 300
FRAME_MS, LIST_MS, CURVE_MS, SCRIPT_KB = 50, 300, 1_000, 400
TRACED = ("devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel")
SCRIPTS = """performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js"))
  .reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0) / 1024"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
WATCH = """
window.frames_ms = [];
window.released = 0;
addEventListener("pointermove", (event) => {
  if (!event.buttons) return;
  const came = performance.now();
  requestAnimationFrame(() => setTimeout(() => frames_ms.push(performance.now() - came)));
}, true);
addEventListener("pointerup", () => { window.released = performance.now(); }, true);
"""
LAST = "name => Math.max(0, ...performance.getEntriesByName(name).map((mark) => mark.startTime))"
Figures = Iterator[tuple[str, list[float], int | None]]


def square() -> SweepSpec:
    """Return a sweep of 250 by 200 values: a heatmap of 50,000 cells, one trial each."""
    return SweepSpec.parse(
        {
            "name": "50,000 cells",
            "base": {
                "exchange": "synthetic",
                "symbols": ["BTC/USDT:USDT"],
                "start": "2023-01-01",
                "end": "2024-01-01",
            },
            "grid": {
                "min_funding_rate": {"start": "0.00001", "stop": "0.0025", "num": 250},
                "exit_funding_rate": {"start": "0", "stop": "0.000199", "num": 200},
            },
        }
    )


@contextlib.contextmanager
def served(folder: Path, spec: SweepSpec) -> Iterator[str]:
    """Give the address of the page of a sweep with made-up results."""
    with migrated(folder) as engine:
        sweep_id = fill(engine, spec)
    with running(folder) as address:
        yield f"{address}/dashboard/sweeps/{sweep_id}"


@contextlib.contextmanager
def listed(folder: Path) -> Iterator[str]:
    """Give the address of the list of very many sweeps, none of which has run."""
    with migrated(folder) as engine, write_transaction(engine) as connection:
        first = create_sweep(connection, square(), size=100_000).sweep_id
        for table, key in ((sweep, "id"), (chunk, "sweep_id"), (compiled_sweep, "sweep_id")):
            row = connection.execute(table.select().where(table.c[key] == first)).mappings().one()
            rows = [{**row, key: first + more} for more in range(1, SWEEPS)]
            connection.execute(table.insert(), rows)
    with running(folder) as address:
        yield f"{address}/"


@contextlib.contextmanager
def replayed(folder: Path) -> Iterator[str]:
    """Give the address of a trial of a generated year, its curve stored."""
    base = {"exchange": "synthetic", "symbols": ["BTC/USDT:USDT"], "start": "2023-01-01", "end": "2024-01-01"}
    spec = SweepSpec.parse(
        {"base": base, "grid": {"min_funding_rate": ["0.00002", "0.00005"]}, "validation": EVERYONE}
    )
    with migrated(folder) as engine:
        first_ms, last_ms = parse_time_ms("2023-01-01"), parse_time_ms("2024-01-01")
        generate(
            HistoricalDataStore(engine), start_ms=first_ms, end_ms=last_ms, exchanges=[SYNTHETIC_EXCHANGE]
        )
        with write_transaction(engine) as connection:
            sweep_id = create_sweep(connection, spec, size=100).sweep_id
    hands = Hands(folder)
    hands.work(sweep_id)
    hands.close()
    with running(folder) as address:
        yield f"{address}/dashboard/sweeps/{sweep_id}/trials/0"


@contextlib.contextmanager
def migrated(folder: Path) -> Iterator[sa.Engine]:
    """Give a new database in a new folder."""
    folder.mkdir()
    engine = open_engine(f"sqlite:///{folder / DATABASE}")
    migrate(engine)
    yield engine
    engine.dispose()


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Give the address of the API over the database in a folder, served by a process of its own."""
    port = free_port()
    url = f"sqlite:///{folder / DATABASE}"
    environment = {**os.environ, "CARRYGRID_HOME": str(folder), "CARRYGRID_DATABASE_URL": url}
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(port), "--log-level", "error"]
    with subprocess.Popen(leashed(*command), env=environment) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: answers(f"{address}/healthz"), 30, "the API serves")
            yield address
        finally:
            server.terminate()


def answers(url: str) -> bool:
    """Return whether a server is there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def repeated(
    browser: Browser, address: str, measure: Callable[[Page], list[float]], drawn: str = "overview-drawn"
) -> list[list[float]]:
    """Return what `measure` says of the page, opened anew each time with nothing cached, once it is drawn."""
    rounds = []
    for _ in range(ROUNDS):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(WATCH)
        page.goto(address)
        if drawn:
            until(page, drawn, 0)
        rounds.append(measure(page))
        page.close()
    return [list(column) for column in zip(*rounds, strict=True)]


def until(page: Page, mark: str, after: float) -> float:
    """Return when (ms since the page was asked for) something was drawn again after a moment."""
    page.wait_for_function(f"([name, after]) => ({LAST})(name) > after", arg=[mark, after], polling=10)
    return float(page.evaluate(LAST, mark))


def first_view(page: Page) -> list[float]:
    """Return when the heatmap stood, and when everything did."""
    return [until(page, "heatmap-drawn", 0), until(page, "overview-drawn", 0)]


def scripts(page: Page) -> list[float]:
    """Return the kilobytes of script that the page has fetched by itself."""
    page.wait_for_load_state("networkidle")
    return [float(page.evaluate(SCRIPTS))]


def first_curve(page: Page) -> list[float]:
    """Return when the curve of a trial stood."""
    return [until(page, "equity-drawn", 0)]


def first_paint(page: Page) -> list[float]:
    """Return when there was something to read."""
    page.wait_for_function(f"() => ({PAINTED}) > 0")
    return [float(page.evaluate(PAINTED))]


def frame_work(page: Page) -> list[float]:
    """Return the milliseconds of work of a frame while brushing, the ninth of ten."""
    browser = page.context.browser
    assert browser
    page.wait_for_load_state("networkidle")
    area = pressed_distribution(page)
    browser.start_tracing(page=page, categories=list(TRACED))
    for share in range(50, 80):
        page.mouse.move(area["x"] + area["width"] * share / 100, area["y"] + 40)
    page.wait_for_timeout(200)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    page.mouse.up()
    work = sorted(work_of_frames([event for event in events if event.get("ph") == "X"]))
    return [work[int(len(work) * 0.9)]]


def work_of_frames(events: list[dict[str, Any]]) -> Iterator[float]:
    """Yield the work of each frame that drew something, in processor time of the thread that draws."""
    drawing = collections.Counter(
        (event["pid"], event["tid"]) for event in events if event["name"] == "FireAnimationFrame"
    )
    [(main, _)] = drawing.most_common(1)
    own = sorted(
        (event for event in events if (event["pid"], event["tid"]) == main), key=lambda event: event["ts"]
    )
    work, drew = 0.0, False
    for event in own:
        drew |= event["name"] == "FireAnimationFrame"
        if event["name"] == "RunTask":
            work += event.get("tdur", 0) / 1000
        elif event["name"] == "Commit":
            if drew:
                yield work
            work, drew = 0.0, False


def pressed_distribution(page: Page) -> FloatRect:
    """Return the area of the distribution, with the pointer pressed in its middle."""
    box = page.locator("#distribution canvas")
    box.scroll_into_view_if_needed()
    area = box.bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.5, area["y"] + 40)
    page.mouse.down()
    return area


def brush(page: Page) -> list[float]:
    """Return the longest wait for a frame while brushing, then for heatmap, other views and table."""
    area = pressed_distribution(page)
    for share in range(50, 80, 2):
        page.mouse.move(area["x"] + area["width"] * share / 100, area["y"] + 40)
    page.mouse.up()
    released = float(page.evaluate("released"))
    settled = [
        until(page, mark, released) - released for mark in ("heatmap-drawn", "overview-drawn", "table-drawn")
    ]
    return [max(page.evaluate("frames_ms")), *settled]


def table_pages(page: Page) -> list[float]:
    """Return the waits for the next page, and for the first one in another order."""
    waits = []
    for name in ("Next page", "Net P&L"):
        before = until(page, "overview-drawn", 0)
        button = page.locator("#trials").get_by_role("button", name=name, exact=True)
        button.scroll_into_view_if_needed()
        button.evaluate("button => { window.pressed = performance.now(); button.click(); }")
        pressed = max(float(page.evaluate("pressed")), before)
        waits.append(until(page, "table-drawn", pressed) - pressed)
    return waits


def figures(browser: Browser, folder: Path) -> Figures:
    """Yield what was waited for, how long each time, and what is allowed."""
    with served(folder / "square", square()) as address:
        heatmap, everything = repeated(browser, address, first_view)
        yield "50,000 cells: heatmap of the first view", heatmap, FIRST_VIEW_MS
        yield "50,000 cells: all views", everything, FIRST_VIEW_MS
        names = ("a frame while brushing", "heatmap after a brush", "other views after it", "table after it")
        for name, waits in zip(names, repeated(browser, address, brush), strict=True):
            yield f"50,000 cells: {name}", waits, BRUSH_MS
        [work] = repeated(browser, address, frame_work)
        yield "50,000 cells: work of a frame, nine of ten", work, FRAME_MS
        [size] = repeated(browser, address, scripts)
        yield "50,000 cells: KB of script before a click", size, SCRIPT_KB
    with replayed(folder / "trial") as address:
        [curve] = repeated(browser, address, first_curve, "equity-drawn")
        yield "a trial of a year: its first curve", curve, CURVE_MS
        [size] = repeated(browser, address, scripts, "equity-drawn")
        yield "a trial of a year: KB of script", size, SCRIPT_KB
    with listed(folder / "list") as address:
        [seen] = repeated(browser, address, first_paint, "")
        yield f"list of {SWEEPS:,} sweeps", seen, LIST_MS
    with served(folder / "million", spec_of(1_000_000)) as address:
        heatmap, everything = repeated(browser, address, first_view)
        yield "1,000,000 trials: heatmap of the first view", heatmap, None
        yield "1,000,000 trials: all views", everything, None
        frame, *settled = repeated(browser, address, brush)
        yield "1,000,000 trials: a frame while brushing", frame, BRUSH_MS
        yield (
            "1,000,000 trials: all views after a brush",
            [max(waits) for waits in zip(*settled, strict=True)],
            None,
        )
        for name, waits in zip(
            ("next page", "another order"), repeated(browser, address, table_pages), strict=True
        ):
            yield f"1,000,000 trials: table, {name}", waits, TABLE_MS


def main() -> None:
    """Measure and print one line a budget."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(f"load average {load()}; ms: median and worst of {ROUNDS}, and the budget")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for name, waits, budget in figures(browser, Path(folder)):
            verdict = (
                ""
                if budget is None
                else f"{budget:8} {'ok' if statistics.median(waits) <= budget else 'over'}"
            )
            print(f"{name:46} {statistics.median(waits):8.0f} {max(waits):8.0f} {verdict}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
