"""Measure how long the page of a large sweep keeps its reader waiting: `python -m benchmarks.dashboard`.

Fills two databases with made-up results (50,000 and 1,000,000 trials, a minute), serves them, and drives
Chromium over them as a reader would. Prints a line for each of the interaction budgets.
"""

import argparse
import contextlib
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

from playwright.sync_api import Browser, Page, sync_playwright
from servers import eventually, free_port, leashed

from benchmarks.measure import load
from benchmarks.million_trials import fill, spec_of
from bot.market_store.database import open_engine
from sweeps.migrations import migrate
from sweeps.spec.spec import SweepSpec

ROUNDS = 5
FIRST_VIEW_MS, BRUSH_MS, TABLE_MS = 1_500, 200, 300
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
    """Give the address of the page of a sweep with made-up results, served by a process of its own."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'carrygrid.db'}"
    engine = open_engine(url)
    migrate(engine)
    sweep_id = fill(engine, spec)
    engine.dispose()
    port = free_port()
    environment = {**os.environ, "CARRYGRID_HOME": str(folder), "CARRYGRID_DATABASE_URL": url}
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(port), "--log-level", "error"]
    with subprocess.Popen(leashed(*command), env=environment) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: answers(f"{address}/healthz"), 30, "the API serves")
            yield f"{address}/dashboard/sweeps/{sweep_id}"
        finally:
            server.terminate()


def answers(url: str) -> bool:
    """Return whether a server is there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def repeated(browser: Browser, address: str, measure: Callable[[Page], list[float]]) -> list[list[float]]:
    """Return what `measure` says of the page, opened anew each time with nothing cached."""
    rounds = []
    for _ in range(ROUNDS):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(WATCH)
        page.goto(address)
        until(page, "overview-drawn", 0)
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


def brush(page: Page) -> list[float]:
    """Return the longest wait for a frame while brushing, then for heatmap, other views and table."""
    box = page.locator("#distribution canvas")
    box.scroll_into_view_if_needed()
    area = box.bounding_box()
    assert area
    page.mouse.move(area["x"] + area["width"] * 0.5, area["y"] + 40)
    page.mouse.down()
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
        button = page.locator("#trials").get_by_role("button", name=name)
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
