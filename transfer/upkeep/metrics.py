"""What Prometheus reads of the server: queue, jobs, memory, times of requests.

No label is ever an id, a name or an address: their values are few and known beforehand.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress

import psutil
from prometheus_client import (
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client import generate_latest as _generate
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from transfer import processes, workspace
from transfer.errors import TransferError
from transfer.runs import vanished
from transfer.runs.shared_reads import OnceAWhile
from transfer.store.runs import Store

#: Seconds for which what was read of store and processes stands, whoever asks.
_STANDS = 2.0
#: Seconds of the buckets: from a cached answer to one that nobody waits for.
_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)

# When each series began doubles what is read, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]
registry = CollectorRegistry()
request_seconds = Histogram(
    "transfer_request_seconds",
    "Time until a request was answered, by the pattern of its route.",
    ["method", "route", "status"],
    registry=registry,
    buckets=_BUCKETS,
)
page_seconds = Histogram(
    "transfer_page_seconds",
    "Time that a page took to be made, or made again after a click.",
    ["page"],
    registry=registry,
    buckets=_BUCKETS,
)


class _Stand(Collector):
    """Jobs, memory and disk as they are when they are asked for."""

    def __init__(self) -> None:
        self._made = OnceAWhile[list[Metric]](_STANDS)

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        yield from self._made.get(lambda: [*_jobs(), *_memory(), _disk()])


def text() -> bytes:
    """All metrics, as Prometheus reads them.

    Raises:
        StorageError: The store cannot be read.
    """
    return _generate(registry)


def _jobs() -> Iterator[Metric]:
    with closing(Store()) as store:
        counts, waiting = store.counts(), store.waiting()
    jobs = GaugeMetricFamily(
        "transfer_jobs", "Jobs, runs among them.", labels=["kind", "status"]
    )
    for (kind, status), count in counts.items():
        jobs.add_metric([kind, status], count)
    yield jobs
    since = "transfer_queue_oldest_timestamp_seconds"
    told = GaugeMetricFamily(since, "When the oldest job that waits was asked for.")
    if waiting:
        told.add_metric([], min(job.created_at for job in waiting))
    yield told


def _memory() -> Iterator[Metric]:
    used, counts = Counter[str](), Counter[str]()
    for process, role in _processes().items():
        with suppress(psutil.Error):
            used[role] += process.memory_info().rss
            counts[role] += 1
    labels = ["process"]
    told = GaugeMetricFamily(
        "transfer_memory_bytes", "Resident memory of our processes.", labels=labels
    )
    number = GaugeMetricFamily("transfer_processes", "Our processes.", labels=labels)
    for role in ("server", "worker", "inference", "spare"):
        told.add_metric([role], used[role])
        number.add_metric([role], counts[role])
    yield from (told, number)


def _processes() -> dict[psutil.Process, str]:
    """Our processes on this machine, and what each is."""
    server = psutil.Process()
    found = {server: "server"}
    with closing(Store()) as store:
        here = [job for job in store.active() if vanished.is_here(job)]
    for job in here:
        if worker := processes.find(job.pid, job.pid_started_at, job.id):
            with suppress(psutil.Error):
                for one in (worker, *worker.children(recursive=True)):
                    found.setdefault(one, "worker")
    for child in server.children(recursive=True):
        with suppress(psutil.Error):
            words = " ".join(child.cmdline())
            role = "inference" if "transfer.prediction" in words else "worker"
            found.setdefault(child, "spare" if "--spare" in words else role)
    return found


def _disk() -> Metric:
    told = GaugeMetricFamily("transfer_disk_free_bytes", "Room for the workspace.")
    with suppress(TransferError, OSError):
        told.add_metric([], shutil.disk_usage(workspace.folder()).free)
    return told


registry.register(_Stand())
ProcessCollector(registry=registry)
