"""One reader for all streams of progress, however many, and a stated limit of them."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from servers import eventually
from sqlalchemy.exc import OperationalError
from sweeping import sweep_spec
from webservice import Hands, serving, sweep_body

from api.routes import events as events_route
from api.routes.progress_feed import ProgressFeed
from api.work.database_threads import Database
from bot.clock import SimulatedClock, SystemClock
from sweeps.analysis.progress import SweepView
from sweeps.storage.states import SweepState
from sweeps.storage.sweep_summary import SweepSummary

CLOCK = SystemClock()
SUMMARY = SweepSummary.of(sweep_spec())


def view(sweep_id: int, done: int, state: str = "running") -> SweepView:
    ended = state not in {"queued", "running", "paused"}
    return SweepView(
        id=sweep_id,
        summary=SUMMARY,
        spec_text="{}",
        engine_version="1",
        state=SweepState(state),
        trials_total=9,
        trials_done=done,
        trials_failed=0,
        trials_reused=0,
        created_ms=0,
        started_ms=0,
        finished_ms=1 if ended else None,
        rate=None,
        eta_s=None,
        best=None,
        reason=None,
        note="",
        tags=(),
        finding_names=(),
    )


class Scripted(Database):
    """A database that gives one state after another to whoever reads, and remembers what was asked."""

    def __init__(self, *answers: dict[int, SweepView] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[set[int]] = []

    async def read(self, _query: Any, *args: Any, **_: Any) -> Any:
        self.asked.append(set(args[0]))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def done_in(events: list[bytes]) -> list[tuple[str, int]]:
    """Return name and finished trials of each event."""
    found = []
    for event in events:
        fields = dict(line.split(": ", 1) for line in event.decode().splitlines() if line)
        found.append((fields["event"], json.loads(fields["data"])["trials_done"]))
    return found


async def heard(stream: AsyncIterator[bytes]) -> list[bytes]:
    return [event async for event in stream]


def test_two_hundred_streams_of_two_sweeps_cost_one_query_a_turn_and_hear_everything() -> None:
    database = Scripted(
        {1: view(1, 2), 2: view(2, 0)},
        {1: view(1, 2), 2: view(2, 5)},
        {1: view(1, 9, "completed"), 2: view(2, 9, "completed")},
    )

    async def run() -> list[list[bytes]]:
        feed = ProgressFeed(database, CLOCK, 500, period_s=0.01)
        return await asyncio.gather(*(heard(feed.follow(view(1 + at % 2, 0), None)) for at in range(200)))

    found = [done_in(events) for events in asyncio.run(run())]
    assert found[0::2] == [[("progress", 0), ("progress", 2), ("end", 9)]] * 100
    assert found[1::2] == [[("progress", 0), ("progress", 5), ("end", 9)]] * 100
    assert database.asked == [{1, 2}] * 3


def test_end_of_a_short_sweep_is_told_long_before_the_longest_pause() -> None:
    database = Scripted({1: view(1, 9, "completed")})

    async def run() -> list[bytes]:
        return await heard(ProgressFeed(database, CLOCK, 1, period_s=3_600).follow(view(1, 0), None))

    assert done_in(asyncio.run(run())) == [("progress", 0), ("end", 9)]


def test_pauses_grow_with_the_time_that_the_newest_stream_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Scripted(*({1: view(1, done)} for done in range(1, 4)), {1: view(1, 9, "completed")})
    clock, pauses, sleep = SimulatedClock(1_000), list[float](), asyncio.sleep

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance_to(clock.now_ms() * 3)
        await sleep(0)

    async def run() -> list[bytes]:
        return await heard(ProgressFeed(database, clock, 1).follow(view(1, 0), None))

    monkeypatch.setattr(asyncio, "sleep", pause)
    assert done_in(asyncio.run(run()))[-1] == ("end", 9)
    assert pauses[:4] == [0.05, 0.2, 0.5, 0.5]


def test_stream_that_is_read_slowly_holds_up_no_other_and_gets_the_end() -> None:
    database = Scripted(*({1: view(1, done)} for done in range(1, 6)), {1: view(1, 9, "completed")})

    async def run() -> tuple[list[bytes], list[bytes]]:
        feed = ProgressFeed(database, CLOCK, 500, period_s=0.01)
        slow = feed.follow(view(1, 0), None)
        first = await anext(slow)
        quick = await heard(feed.follow(view(1, 0), None))
        return quick, [first, *await heard(slow)]

    quick, slow = asyncio.run(run())
    assert done_in(quick) == [*(("progress", done) for done in range(6)), ("end", 9)]
    assert done_in(slow) == [("progress", 0), ("end", 9)]


def test_database_that_does_not_answer_for_a_moment_ends_no_stream() -> None:
    database = Scripted(OperationalError("", {}, Exception("busy")), {1: view(1, 9, "completed")})

    async def run() -> list[bytes]:
        return await heard(ProgressFeed(database, CLOCK, 500, period_s=0.01).follow(view(1, 0), None))

    assert done_in(asyncio.run(run())) == [("progress", 0), ("end", 9)]


def test_nobody_reads_once_the_last_stream_is_over() -> None:
    database = Scripted({}, {})

    async def run() -> list[bytes]:
        feed = ProgressFeed(database, CLOCK, 500, period_s=0.01)
        found = await heard(feed.follow(view(1, 0), None))
        await asyncio.sleep(0.05)
        return found

    assert done_in(asyncio.run(run())) == [("progress", 0)]
    assert database.asked == [{1}]


def test_streams_past_the_limit_are_told_when_to_come_back(home: Path, hands: Hands) -> None:
    with (
        serving(home, max_streams=2) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=60) as client,
        contextlib.ExitStack() as open_streams,
    ):
        sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
        path = f"/sweeps/{sweep_id}/events"
        streams = [open_streams.enter_context(client.stream("GET", path)).iter_lines() for _ in range(2)]
        assert [next(lines).partition(":")[0] for lines in streams] == ["id", "id"]
        refused = client.get(path)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
        assert refused.json()["type"] == "urn:carrygrid:problem:busy"
        assert "2 streams" in refused.json()["detail"]
        assert client.get(f"/sweeps/{sweep_id}").status_code == 200
        hands.work(sweep_id)
        for lines in streams:
            assert "event: end" in list(lines)

        def is_let_in() -> bool:
            with client.stream("GET", path) as again:
                return again.status_code == 200

        # The server notes the end of a stream a moment after its reader does.
        eventually(is_let_in, 20, "a stream that ended makes room")


def test_two_hundred_clients_all_hear_the_end_beside_one_that_reads_nothing(home: Path, hands: Hands) -> None:
    async def run(url: str, sweep_id: int) -> list[str]:
        limits = httpx2.Limits(max_connections=250)
        begun = asyncio.Semaphore(0)

        async def follow(client: httpx2.AsyncClient) -> str:
            async with client.stream("GET", f"/sweeps/{sweep_id}/events") as response:
                lines = response.aiter_lines()
                text = await anext(lines) + "\n"
                begun.release()
                return text + "\n".join([line async for line in lines])

        async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=60, trust_env=False) as client:
            streams = [asyncio.create_task(follow(client)) for _ in range(200)]
            for _ in streams:
                await begun.acquire()
            await asyncio.to_thread(hands.work, sweep_id)
            return list(await asyncio.gather(*streams))

    with (
        serving(home, rate_limit=0) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        sweep_id = client.post("/sweeps", json=sweep_body()).json()["id"]
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as deaf:
            deaf.sendall(f"GET /sweeps/{sweep_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            found = asyncio.run(run(url, sweep_id))
    assert len(found) == 200
    assert all("event: end" in text and '"trials_done":20' in text for text in found)


def test_a_client_that_reads_nothing_is_let_go_after_a_while() -> None:
    response = events_route._Stream(ProgressFeed(Scripted(), CLOCK, 1), view(1, 0), None)
    assert response.send_timeout == events_route.UNREAD_S


@pytest.mark.parametrize("state", ["completed", "cancelled", "failed"])
def test_stream_of_an_ended_sweep_asks_nothing_more(state: str) -> None:
    database = Scripted()

    async def run() -> list[bytes]:
        return await heard(ProgressFeed(database, CLOCK, 1).follow(view(1, 9, state), None))

    assert done_in(asyncio.run(run())) == [("end", 9)]
    assert database.asked == []
