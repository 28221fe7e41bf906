"""Cost of a sweep to the broker: one message a trial, as many services do it, beside one for each chunk.

Run as `PYTHONPATH=tests:tests/reliability python -m benchmarks.messages`; starts a broker of its own.
"""

import argparse
import tempfile
import time
from pathlib import Path

from broker_process import BrokerProcess

from sweeps.queue.chunks import MAX_CHUNKS
from sweeps.queue.reconcile import ChunkRef
from sweeps.work.dispatch import LEAST_WINDOW, MESSAGES_PER_SLOT
from workers.app import make_app
from workers.publisher import CeleryQueue
from workers.settings import WorkerSettings

_MIB = 1024 * 1024


def published(broker: BrokerProcess, messages: int) -> tuple[float, float]:
    """Return seconds and MiB of the broker that so many messages take."""
    queue = CeleryQueue(make_app(WorkerSettings(broker_url=broker.url)))
    with broker.client() as client:
        client.execute_command("FLUSHALL", "SYNC")
        before = int(client.info()["used_memory"])
        begun = time.perf_counter()
        for chunk_id in range(messages):
            queue.publish(ChunkRef(1, chunk_id))
        seconds = time.perf_counter() - begun
        grown = int(client.info()["used_memory"]) - before
    queue.close()
    return seconds, grown / _MIB


def main() -> None:
    """Measure both ways and what is in the broker at any one time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=50_000)
    parser.add_argument("--slots", type=int, default=16, help="worker processes")
    asked = parser.parse_args()
    chunks = min(MAX_CHUNKS, asked.trials // 1_000)
    window = max(LEAST_WINDOW, MESSAGES_PER_SLOT * asked.slots)
    print(f"| {asked.trials:,} trials | messages | seconds to send | broker MiB |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="carrygrid-messages-") as folder:
        broker = BrokerProcess(Path(folder))
        broker.start()
        try:
            for name, messages in (
                ("a message for each trial", asked.trials),
                ("a message for each chunk of 1,000", chunks),
                (f"what is out at a time, {asked.slots} processes", min(window, chunks)),
            ):
                seconds, mib = published(broker, messages)
                print(f"| {name} | {messages:,} | {seconds:.2f} | {mib:.2f} |", flush=True)
        finally:
            broker.kill()


if __name__ == "__main__":
    main()
