"""Wallets and margins of a run of hedges as charts draw them: exact text, thinned to what a screen shows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from api.dashboard.trial.charts import COLUMNS, Span, places_in
from api.work.replays import Study
from bot.hedges.journal.records import Journal, LegName, MarginTest
from bot.market_store.pair_figures.thinning import thinned
from bot.numbers.arrays import FloatArray, IntArray
from bot.numbers.money import plain

_MOST_LINES = 8


def accounts_document(study: Study, span: Span | None = None) -> dict[str, Any]:
    """Return the wallets of a run and the distances of its legs from liquidation, over `span` (ms UTC).

    Both are empty for a run of spot against perps.
    """
    journal = study.journal
    if journal is None:
        return {"wallets": None, "margins": [], "left_out": 0}
    lines = _margin_lines(journal, span)
    return {
        "wallets": _wallets(journal, study.result.calendar.times_ms, span),
        "margins": lines[:_MOST_LINES],
        "left_out": max(len(lines) - _MOST_LINES, 0),
    }


def _wallets(journal: Journal, times: IntArray, span: Span | None) -> dict[str, Any]:
    """Return equity and free cash of each exchange, and what was on its way between them if ever any was."""
    within = places_in(times, span, beyond=1)
    lines = [(name, "equity", values) for name, values in journal.wallets.items()]
    lines += [(name, "free", values) for name, values in journal.free.items()]
    if any(journal.under_way):
        lines.append(("under way", "under way", journal.under_way))
    columns = [np.array([float(value) for value in values])[within] for _, _, values in lines]
    shown = within[thinned(times[within], columns, COLUMNS)].tolist()
    return {
        "times": times[shown].tolist(),
        "points": len(within),
        "lines": [
            {"name": name, "what": what, "values": [plain(values[place]) for place in shown]}
            for name, what, values in lines
        ],
    }


def _margin_lines(journal: Journal, span: Span | None) -> list[dict[str, Any]]:
    """Return a line for each leg of each market, nearest first; null parts the hedges that it was part of."""
    hedges = journal.by_number
    found: dict[tuple[str, LegName], list[MarginTest]] = {}
    for test in journal.margins:
        if test.number in hedges:
            market = hedges[test.number].facts(test.leg).market
            found.setdefault((market, test.leg), []).append(test)
    taken = {(hedge.number, move.leg, move.t_ms) for hedge, move in journal.liquidations()}
    lines = [_line(market, leg, tests, taken, span) for (market, leg), tests in found.items()]
    return sorted((line for line in lines if line["points"]), key=lambda line: line["nearest"])


def _line(
    market: str,
    leg: LegName,
    tests: Sequence[MarginTest],
    taken: set[tuple[int, LegName, int]],
    span: Span | None,
) -> dict[str, Any]:
    tests = sorted(tests, key=lambda test: test.t_ms)
    times = np.array([test.t_ms for test in tests], dtype=np.int64)
    distances: FloatArray = np.array([float(test.distance) for test in tests])
    within = places_in(times, span, beyond=1)
    places = within[thinned(times[within], [distances[within]], COLUMNS)].tolist() if len(within) else []
    shown: list[MarginTest | None] = []
    for place in places:
        test = tests[place]
        if shown and shown[-1] is not None and shown[-1].number != test.number:
            shown.append(None)
        shown.append(test)
    at = [test.t_ms if test else _between(shown, place) for place, test in enumerate(shown)]
    return {
        "leg": leg,
        "market": market,
        "points": len(within),
        "nearest": float(distances.min()),
        "times": at,
        "distance": [None if test is None else float(test.distance) for test in shown],
        "reached": [None if test is None else plain(test.reached) for test in shown],
        "wiped_out_at": [None if test is None else float(test.wiped_out_at) for test in shown],
        "liquidated": [
            test.t_ms
            for test in tests
            if (test.number, test.leg, test.t_ms) in taken and _in(test.t_ms, span)
        ],
    }


def _between(shown: Sequence[MarginTest | None], place: int) -> int:
    """Return the time of a gap: that of the point before it."""
    before = shown[place - 1]
    return 0 if before is None else before.t_ms


def _in(t_ms: int, span: Span | None) -> bool:
    return span is None or span[0] <= t_ms <= span[1]
