"""The queue: long work is asked for, started while there is room, stopped."""

import contextlib
import logging
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from transfer import cluster
from transfer.backbones import catalogue
from transfer.config import TrainConfig
from transfer.errors import NotFoundError, RunError, TransferError
from transfer.people import limits, pace
from transfer.runs import guards, kinds, memory, vanished
from transfer.runs.engines import local
from transfer.runs.engines.host import Host, this_machine
from transfer.runs.requests import Request
from transfer.store.record import Job, Run, error_record
from transfer.store.runs import Store
from transfer.store.status import JobStatus

#: Set when a job is queued by this process, so that its supervisor takes it at once.
news = threading.Event()

_logger = logging.getLogger(__name__)


def submit(
    store: Store, config: TrainConfig, name: str = "", owner: str | None = None
) -> Run:
    """A new queued run of these settings; a supervisor in this process hears of it.

    Args:
        name: What the user calls it; empty takes its backbone and what trains.
        owner: Whose it is, if not of whoever sees this store.

    Raises:
        BackboneError: There is no such backbone, or no longer.
        NotFoundError, NotAllowedError: As `guards.check_run`.
        TooOftenError: As `pace.spend`.
        LimitError: Its owner has as much as they may have.
    """
    catalogue.get(config.backbone)
    guards.check_run(store, config)
    pace.spend(store, "job", store.scope.actor.id)
    guards.check_room(store, owner or store.owner)
    run = store.create(config, name, owner)
    news.set()
    return run


def ask(store: Store, request: Request, priority: int = 0) -> Job:
    """A new queued job, or the one of this kind and subject that waits or works.

    Args:
        priority: `kinds.GIVES_WAY` for what nobody waits for.

    Raises:
        NotFoundError, NotAllowedError: As `guards.check_request`.
        TooOftenError: As `pace.spend`.
        LimitError: Whoever asks has as much as they may have.
    """
    guards.check_request(store, request)
    pace.spend(store, request.kind, store.scope.actor.id)
    before = store.find(request.kind, request.subject)
    if before is None or before.status.is_final:
        guards.check_room(store, store.owner, request.kind)
    settings = {"words": list(request.words)}
    about = {"dataset": request.dataset, "run": request.run}
    job = store.add(request.kind, request.subject, settings, priority, **about)
    news.set()
    return job


def dispatch(
    store: Store,
    launch: Callable[[Job], subprocess.Popen[bytes] | None] = local.start,
    lowest: int = 0,
    living: Mapping[str, str] | None = None,
    light: bool = True,
    hosts: Iterable[Host] | None = None,
) -> list[str]:
    """Starts processes while jobs wait and there is room; the ids started.

    A job whose process cannot be started ends as failed, and the next one is tried.

    Args:
        launch: Starts the process of a job; `None` of one that another host starts.
        lowest: Priority of the jobs that are started at the least. What gives way is
            for whoever stays to look after it, see `vanished.give_way`.
        living: As in `Line.claim_next`.
        light: Whether light work is started too.
        hosts: Where; `None` is this machine, and none at all where a cluster is used,
            of which only a supervisor knows.
    """
    if hosts is None:
        hosts = [] if cluster.is_used() else [this_machine()]
    begun, rooms = [], {host: kinds.room(host) for host in hosts}
    for room in rooms.values() if not light else ():
        del room[kinds.LIGHT]
    while rooms and (job := _take_anywhere(store, rooms, lowest, living)):
        try:
            guards.check_start(store, job)
            process = launch(job)
        except (OSError, TransferError) as error:
            _logger.exception("The process of %s could not be started", job.label)
            why = error_record(_start_error(error))
            store.finish(job.id, JobStatus.FAILED, error=why)
            continue
        # Noted here and not only by the process, so that one that dies while it still
        # imports is noticed. One that has ended already keeps its own end.
        with contextlib.suppress(RunError, NotFoundError):
            if process:
                store.begin(job.id, process.pid)
        _logger.info("%s started", job.label, extra={"job": job.id, "kind": job.kind})
        begun.append(job.id)
    return begun


def _take_anywhere(
    store: Store,
    rooms: dict[Host, dict[tuple[str, ...], int]],
    lowest: int,
    living: Mapping[str, str] | None,
) -> Job | None:
    """The next job that may be begun on any of the hosts, which is taken.

    Args:
        rooms: The room of each, which loses what nothing can be begun in for now.
        lowest: As in `dispatch`.
        living: As in `dispatch`.
    """
    if len(rooms) > 1 and not store.waiting(limit=1):
        return None
    busy = Counter(one.host for one in store.active())
    # Who has the fewest comes first, and of those who has most to give.
    for host in sorted(rooms, key=lambda one: (busy[one.name], *_small(one))):
        if job := _take(store, host, rooms[host], lowest, living):
            return job
    return None


def _small(host: Host) -> tuple[float, float, str]:
    return -(host.gpus or 0.0), -(host.free_memory or 0.0), host.name


def _take(
    store: Store,
    host: Host,
    room: dict[tuple[str, ...], int],
    lowest: int,
    living: Mapping[str, str] | None,
) -> Job | None:
    """The next job that may be begun on a host, which is taken; `None` for none.

    Args:
        room: As in `Line.claim_next`; loses what nothing can be begun in for now.
        lowest: As in `dispatch`.
        living: As in `dispatch`.
    """
    held, counted = set[str | None](), host if host.memory is not None else None
    while found := store.next_in_turn(host.name, room, lowest, living, held):
        at_work = [one for one in store.active() if one.host == host.name]
        if limits.rest(store, found.owner):
            held.add(found.owner)
        elif memory.shortage(found, at_work, counted):
            of_room = next(one for one in room if found.kind in one)
            # Others go past only while it waits for one of its own kind: they would
            # else take each bit of memory that becomes free.
            if not any(one.kind in of_room for one in at_work):
                return None
            del room[of_room]
        else:
            name, most = host.name, limits.at_work(store, found.owner)
            # Asked once more as it is taken: another server may have begun one.
            return store.claim_next(name, room, lowest, living, held, found.id, most)
    return None


def stop(store: Store, job: str) -> Job:
    """The job after the request to stop it.

    Args:
        job: Its id; of a run its name will do.

    Raises:
        NotFoundError: There is no such job.
        RunError: It has ended or is stopping already.
    """
    # First, so that one whose process is gone is not asked in vain.
    vanished.sweep(store)
    try:
        found = store.get_job(job)
    except NotFoundError:
        found = store.get(job)
    stopped = store.request_stop(found.id)
    if (found.owner or "") != store.scope.actor.id:
        store.people.note(store.scope.actor, "stop", found.label.lower())
    news.set()  # a place may be free now
    return stopped


def resume(store: Store, run: str) -> Run:
    """The run, by id or name, queued again to go on from its last checkpoint.

    Raises:
        BackboneError: Its backbone was one of earlier versions.
        NotFoundError: There is no such run.
        RunError: It is completed, or has not ended.
        LimitError: Its owner has as much as they may have.
    """
    vanished.sweep(store)
    found = store.get(run)
    catalogue.get(found.config.backbone)
    guards.check_room(store, found.owner)
    store.resume(found.id)
    news.set()
    return store.get(found.id)


def _start_error(error: Exception) -> TransferError:
    if isinstance(error, TransferError):
        return error
    return RunError(
        f"The worker could not be started: {error}.",
        "Close other programs to free memory and processes, then start it again.",
    )
