"""Whether there is memory for one more job: a training that is swapped never ends."""

from collections.abc import Sequence
from contextlib import suppress

import psutil

from transfer import processes, workspace
from transfer.runs import estimates
from transfer.runs.engines.host import Host
from transfer.runs.kinds import KINDS
from transfer.store.record import Job, Run

#: Bytes that a job takes of which nothing better is known: with Keras, and without.
_KERAS, _PLAIN = 1.2e9, 0.4e9
#: Bytes that stay free: for the server, for predictions, for pictures that come.
SPARE = 0.5e9


def shortage(job: Job, at_work: Sequence[Job], host: Host | None = None) -> str:
    """Why a job must wait for memory, in words; empty where it need not.

    Alone on this machine it is begun in any case: there is nothing that it could wait
    for. On a host that counts its memory, others may hold it.

    Args:
        job: It waits.
        at_work: The jobs at work on the machine.
        host: The machine; `None` is this one.
    """
    if host is None and not at_work:
        return ""
    wants = need(job) if host is None else need_on(host, job)
    left = _memory_here(at_work) if host is None else _memory_on(host, at_work)
    left = max(left, 0.0)
    if wants <= left:
        return ""
    return (
        f"it needs about {workspace.amount(wants)} of memory, and beside what is at "
        f"work {workspace.amount(left)} are left"
    )


def need(job: Job) -> float:
    """Bytes that a job takes at its most, as far as can be told before."""
    told = estimates.memory(job.config) if isinstance(job, Run) else None
    return told or (_KERAS if KINDS[job.kind].needs_keras else _PLAIN)


def need_on(host: Host, job: Job) -> float:
    """The same on a host that counts its memory; all of it, where it has less."""
    return min(need(job), host.memory or 0.0)


def _memory_here(at_work: Sequence[Job]) -> float:
    # What was begun just now has not taken yet what it will.
    promised = sum(max(need(one) - _resident(one), 0.0) for one in at_work)
    return processes.available_memory() - promised - SPARE


def _memory_on(host: Host, at_work: Sequence[Job]) -> float:
    """The same of a machine that tells what it has, and what is free, a while ago."""
    promised = (host.memory or 0.0) - sum(need_on(host, one) for one in at_work)
    return min(promised, host.free_memory or 0.0)


def _resident(job: Job) -> float:
    """Bytes that a job's process has now, with all that it has started."""
    process = processes.find(job.pid, job.pid_started_at, job.id)
    found = 0
    with suppress(psutil.Error):
        if process:
            of_all = [process, *process.children(recursive=True)]
            found = sum(one.memory_info().rss for one in of_all)
    return float(found)
