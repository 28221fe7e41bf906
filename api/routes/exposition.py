"""The service's numbers in the text format of Prometheus."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sweeps.work.telemetry import Durations, Telemetry

PREFIX = "carrygrid"


def exposition(found: Telemetry) -> bytes:
    """Return `found` as a scrape answers it."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(found))
    return generate_latest(registry)


class _Snapshot(Collector):
    """One reading; every API process answers with the same numbers, for they come from the database."""

    def __init__(self, found: Telemetry) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family."""
        found = self._found
        finished = CounterMetricFamily(
            f"{PREFIX}_trials", "Trials finished since the database was created.", labels=["state"]
        )
        finished.add_metric(["completed"], found.trials_completed)
        finished.add_metric(["failed"], found.trials_failed)
        yield finished
        yield _counter("lease_expiries", "Chunks freed because their lease expired.", found.leases_expired)
        yield _counter("chunks_isolated", "Chunks halved to find a poison trial.", found.chunks_isolated)
        replayed = CounterMetricFamily(
            f"{PREFIX}_trials_replayed",
            "Trials replayed by the compiled kernel, and by slower paths by the reason for it.",
            labels=["path", "reason"],
        )
        replayed.add_metric(["kernel", ""], found.trials_by_kernel)
        for reason, number in found.trials_left.items():
            replayed.add_metric(["plain", reason], number)
        yield replayed
        yield _counter(
            "kernel_differences", "Samples in which kernel and plain replay differ.", found.kernel_differences
        )
        yield _histogram("chunk_seconds", "Time that finished chunks took.", found.chunk_seconds)
        yield from self._present()

    def _present(self) -> Iterator[Metric]:
        found = self._found
        sweeps = GaugeMetricFamily(f"{PREFIX}_sweeps", "Sweeps by state.", labels=["state"])
        for state, number in found.sweeps.items():
            sweeps.add_metric([state], number)
        yield sweeps
        yield _gauge(
            "sweeps_completed_with_failures",
            "Sweeps in the state completed of which some trials failed.",
            found.completed_with_failures,
        )
        chunks = GaugeMetricFamily(f"{PREFIX}_open_chunks", "Chunks of active sweeps.", labels=["state"])
        for chunk_state, number in found.open_chunks.items():
            chunks.add_metric([chunk_state], number)
        yield chunks
        yield _gauge(
            "trials_waiting", "Trials of active sweeps without a stored result.", found.trials_waiting
        )
        yield _gauge(
            "messages_outstanding", "Messages that may wait in the broker.", found.messages_outstanding
        )
        yield _gauge("queue_window", "Most messages the dispatcher lets wait.", found.queue_window)
        yield _gauge("worker_slots", "Processes that replay trials.", found.slots)
        alive = GaugeMetricFamily(f"{PREFIX}_processes", "Processes with a fresh heartbeat.", labels=["kind"])
        for kind, number in found.processes.items():
            alive.add_metric([kind], number)
        yield alive


def _counter(name: str, text: str, value: int) -> CounterMetricFamily:
    return CounterMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _gauge(name: str, text: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _histogram(name: str, text: str, durations: Durations) -> HistogramMetricFamily:
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, number in durations.buckets:
        total += number
        buckets.append(("+Inf" if bound is None else f"{bound:g}", total))
    return HistogramMetricFamily(f"{PREFIX}_{name}", text, buckets=buckets, sum_value=durations.total_seconds)
