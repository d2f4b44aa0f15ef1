"""The store: what is known of every run, shared by all processes of the program."""

import math
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import sqlalchemy as sa

from transfer import workspace
from transfer.config import TrainConfig
from transfer.errors import NotFoundError, RunError
from transfer.store.database import (
    UNUSABLE,
    default_url,
    metrics,
    open_database,
    runs,
    unreachable,
)
from transfer.store.record import Metric, Run, default_name
from transfer.store.status import RunStatus, check_transition

_ACTIVE = [status.value for status in RunStatus if status.is_active]
#: What is known of a worker, where there is none.
_NO_WORKER: dict[str, Any] = dict.fromkeys(
    ("host", "pid", "pid_started_at", "heartbeat_at", "stop_requested_at")
)
_METRIC = [column for column in metrics.c if column.name != "run_id"]


class Store:
    """The runs and metrics of a workspace; usable from any thread and process.

    Args:
        url: Address of the database; `None` takes `TRANSFER_DATABASE_URL`, else the
            file `store.sqlite` in the workspace.

    Raises:
        StorageError: The database cannot be reached, or is of a newer version.
    """

    def __init__(self, url: str | None = None) -> None:
        self._engine = open_database(url or default_url())
        self._writer = self._engine.execution_options(writes=True)

    def close(self) -> None:
        """Closes the connections; the store cannot be used afterwards."""
        self._engine.dispose()

    def create(self, config: TrainConfig, name: str = "") -> Run:
        """A new queued run of these settings.

        Args:
            name: What the user calls it; empty takes its backbone and what trains.
        """
        row: dict[str, Any] = {
            "id": secrets.token_hex(4),
            "name": name.strip() or default_name(config),
            "status": RunStatus.QUEUED.value,
            "config": config.model_dump(mode="json"),
            "dataset": config.dataset,
            "revision": config.revision,
            "created_at": time.time(),
            **{"progress": {}, "result": {}, "error": {}},
        }
        with self._writing() as connection:
            while connection.scalar(sa.select(runs.c.id).filter_by(id=row["id"])):
                row["id"] = secrets.token_hex(4)
            connection.execute(sa.insert(runs).values(row))
        return self.get(row["id"])

    def get(self, run: str) -> Run:
        """The run of this id, name (the newest of that name) or beginning of an id.

        Raises:
            NotFoundError: There is none, or several ids begin so.
        """
        for match in (runs.c.id == run.lower(), runs.c.name == run):
            if found := self._select(match, limit=1):
                return found[0]
        starts = runs.c.id.startswith(run.lower(), autoescape=True)
        found = self._select(starts, limit=9) if run else []
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(one.id for one in found)
            raise NotFoundError(
                f"Several runs begin with {run!r}: {ids}.", "Give more of the id."
            )
        raise NotFoundError(
            f"There is no run {run!r}.",
            "The list of runs has them with their ids and names.",
        )

    def runs(self, limit: int | None = None) -> list[Run]:
        """The runs, newest first; at most `limit`."""
        return self._select(sa.true(), limit)

    def is_idle(self) -> bool:
        """Whether no run waits and no worker has one."""
        query = sa.select(runs.c.id).where(
            runs.c.status.in_([RunStatus.QUEUED.value, *_ACTIVE])
        )
        with self._reading() as connection:
            return connection.scalar(query.limit(1)) is None

    def active(self) -> list[Run]:
        """The runs that a worker has: running or stopping, newest first."""
        return self._select(runs.c.status.in_(_ACTIVE))

    def claim_next(self, max_running: int, host: str) -> Run | None:
        """The oldest queued run, now `running` on this host; `None` if it must wait.

        One statement, so that two processes that ask at once cannot get the same run
        nor exceed `max_running`.
        """
        queued = runs.c.status == RunStatus.QUEUED.value
        busy = sa.select(sa.func.count()).where(
            runs.c.status.in_(_ACTIVE), runs.c.host == host
        )
        age = runs.c.created_at, runs.c.id
        oldest = sa.select(runs.c.id).where(queued).order_by(*age).limit(1)
        claim = sa.update(runs).where(
            queued,
            runs.c.id == oldest.correlate(None).scalar_subquery(),
            busy.correlate(None).scalar_subquery() < max_running,
        )
        values = {
            "status": RunStatus.RUNNING.value,
            "host": host,
            "started_at": time.time(),
        }
        with self._writing() as connection:
            claimed = connection.scalar(claim.values(values).returning(runs.c.id))
        return self.get(claimed) if claimed else None

    def transition(
        self, run_id: str, to: RunStatus, claim: float | None = None, **fields: Any
    ) -> Run:
        """The run after its change to another status, with other columns if given.

        Args:
            claim: As in `heartbeat`.

        Raises:
            NotFoundError: There is no run of that id.
            RunError: The run cannot become that from what it is now.
        """
        with self._writing() as connection:
            row = _locked(connection, run_id, claim)
            check_transition(run_id, RunStatus(row["status"]), to)
            _change(connection, run_id, status=to.value, **fields)
        return self.get(run_id)

    def begin(self, run_id: str, pid: int | None = None) -> Run:
        """Notes which process does the run; `None` is the calling one.

        Raises:
            RunError: The run is not one that a queue has just taken.
        """
        pid = pid or os.getpid()
        return self._touch(
            run_id,
            host=socket.gethostname(),
            pid=pid,
            pid_started_at=_started_at(pid),
        )

    def heartbeat(
        self,
        run_id: str,
        progress: dict[str, Any] | None = None,
        claim: float | None = None,
    ) -> Run:
        """Notes that the worker lives, and how far it is.

        Args:
            progress: `None` keeps what it was.
            claim: `started_at` of the run as its worker took it.

        Raises:
            RunError: The run is not the worker's any more; it must end.
        """
        changes = {} if progress is None else {"progress": progress}
        return self._touch(run_id, claim, **changes)

    def request_stop(self, run_id: str) -> Run:
        """Asks for the end of a run: a queued one is stopped at once.

        Raises:
            RunError: The run is neither queued nor running; it says what it is.
        """
        now = time.time()
        with self._writing() as connection:
            status = RunStatus(_locked(connection, run_id)["status"])
            if status is RunStatus.QUEUED:
                to, changes = RunStatus.STOPPED, {"ended_at": now}
            elif status is RunStatus.RUNNING:
                to, changes = RunStatus.STOPPING, {"stop_requested_at": now}
            else:
                raise RunError(
                    f"Run {run_id} is {status}: only a queued or running run can be "
                    "stopped."
                )
            _change(connection, run_id, status=to.value, **changes)
        return self.get(run_id)

    def stop_requested(self, run_id: str) -> bool:
        """Whether the worker must end: a stop was asked for or the run is not its own.

        Cheap enough to ask at every batch.
        """
        with self._reading() as connection:
            status = connection.scalar(sa.select(runs.c.status).filter_by(id=run_id))
        return status != RunStatus.RUNNING.value

    def finish(
        self,
        run_id: str,
        status: RunStatus,
        result: dict[str, Any] | None = None,
        error: dict[str, str] | None = None,
        claim: float | None = None,
    ) -> Run:
        """The run after its end, with what came of it or what ended it.

        Args:
            status: `completed`, `stopped`, `failed` or `interrupted`.
            result: `None` keeps that of an earlier end, for a run that was resumed.
            error: `kind`, `message` and `hint`.
            claim: As in `heartbeat`.

        Raises:
            RunError: The run had ended before, or another worker has it.
        """
        known = {} if result is None else {"result": result}
        return self.transition(
            run_id, status, claim, ended_at=time.time(), error=error or {}, **known
        )

    def amend(self, run_id: str, **values: Any) -> Run:
        """The run with values added to its result, for what is found out later.

        Raises:
            NotFoundError: There is no run of that id.
        """
        with self._writing() as connection:
            result = {**_locked(connection, run_id)["result"], **values}
            _change(connection, run_id, result=result)
        return self.get(run_id)

    def resume(self, run_id: str) -> Run:
        """A run that ended before its time, queued again; all that it has is kept.

        Raises:
            RunError: The run is completed, or has not ended.
        """
        return self.transition(
            run_id, RunStatus.QUEUED, **_NO_WORKER, ended_at=None, error={}, progress={}
        )

    def begin_again(
        self, run_id: str, claim: float | None, error: dict[str, str]
    ) -> Run:
        """A run that lost its worker: queued again, or interrupted the second time.

        Args:
            claim: As in `heartbeat`.
            error: What became of the worker; it stays with the run until its end.

        Raises:
            RunError: The run is not running, or another worker has it.
        """
        with self._writing() as connection:
            row = _locked(connection, run_id, claim)
            to, changes = RunStatus.QUEUED, {**_NO_WORKER, "progress": {}}
            if row["error"]:
                to, changes = RunStatus.INTERRUPTED, {"ended_at": time.time()}
            check_transition(run_id, RunStatus(row["status"]), to)
            _change(connection, run_id, status=to.value, error=error, **changes)
        return self.get(run_id)

    def describe(
        self,
        run_id: str,
        name: str | None = None,
        note: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> Run:
        """The run with what the user calls it and says of it; `None` leaves as it is.

        Args:
            name: An empty one is not taken.
            tags: In any order; empty ones and repeated ones are left out.

        Raises:
            NotFoundError: There is no run of that id.
        """
        changes: dict[str, Any] = {}
        if name is not None and name.strip():
            changes["name"] = name.strip()
        if note is not None:
            changes["note"] = note.strip()
        if tags is not None:
            changes["tags"] = sorted({tag.strip() for tag in tags if tag.strip()})
        with self._writing() as connection:
            _locked(connection, run_id)
            if changes:
                _change(connection, run_id, **changes)
        return self.get(run_id)

    def delete(self, run_id: str) -> None:
        """Removes a run that has ended or waits: its record, its metrics, its folder.

        Raises:
            RunError: A worker has the run.
        """
        with self._writing() as connection:
            status = RunStatus(_locked(connection, run_id)["status"])
            if status.is_active:
                raise RunError(
                    f"Run {run_id} is {status}, so it cannot be deleted.",
                    "Stop it first and wait until it has ended.",
                )
            connection.execute(sa.delete(runs).filter_by(id=run_id))
        folder = workspace.home() / "runs" / run_id
        with workspace.writing(folder):
            if folder.exists():
                shutil.rmtree(folder)

    def add_metrics(
        self, run_id: str, rows: Iterable[Metric], claim: float | None = None
    ) -> None:
        """Stores the values in one transaction, in this order.

        A value that is not finite is stored as NULL and read back as `nan`: neither
        SQLite nor JSON has such numbers.

        Args:
            claim: As in `heartbeat`.

        Raises:
            NotFoundError: The run was deleted meanwhile.
            RunError: Another worker has it.
        """
        values = [_metric_row(run_id, row) for row in rows]
        if values:
            with self._writing() as connection:
                _locked(connection, run_id, claim)
                connection.execute(sa.insert(metrics), values)

    def drop_metrics(
        self, run_id: str, phase: str = "", epoch: int = 0, step: int = 0
    ) -> None:
        """Removes what was measured after a checkpoint, for it is done once more.

        Args:
            phase: The checkpoint's phase; without one all values go.
            epoch: Whole epochs that the checkpoint has seen of it.
            step: Steps that it has seen of the next one.
        """
        of_run = metrics.c.run_id == run_id
        later = metrics.c.epoch > epoch + 1
        going_on = sa.and_(
            metrics.c.epoch == epoch + 1,
            sa.or_(metrics.c.step.is_(None), metrics.c.step > step),
        )
        after = sa.and_(metrics.c.phase == phase, sa.or_(later, going_on))
        others = [] if phase == "fine_tune" else [metrics.c.phase != phase]
        with self._writing() as connection:
            connection.execute(sa.delete(metrics).where(of_run, sa.or_(after, *others)))

    def count_done(self, run_id: str) -> tuple[int, int]:
        """Training steps and whole epochs that are stored of a run."""
        losses = sa.select(sa.func.count(metrics.c.step), sa.func.count())
        with self._reading() as connection:
            of_run = losses.filter_by(run_id=run_id, name="loss")
            steps, all_values = connection.execute(of_run).one()
        return int(steps), int(all_values - steps)

    def metrics_after(
        self, run_id: str, after_id: int = 0, limit: int | None = None
    ) -> list[Metric]:
        """The values newer than the one of `after_id`, oldest first."""
        query = sa.select(*_METRIC).where(
            metrics.c.run_id == run_id, metrics.c.id > after_id
        )
        with self._reading() as connection:
            rows = connection.execute(query.order_by(metrics.c.id).limit(limit))
            return [Metric.from_row(row) for row in rows.mappings()]

    def epoch_metrics(self, run_id: str) -> list[Metric]:
        """The values of whole epochs, oldest first.

        Of an epoch that was done again after an interruption, the later values.
        """
        query = sa.select(*_METRIC).filter_by(run_id=run_id, step=None)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(metrics.c.id)).mappings()
            found = [Metric.from_row(row) for row in rows]
        return list({(one.phase, one.epoch, one.name): one for one in found}.values())

    def _select(self, match: Any, limit: int | None = None) -> list[Run]:
        newest = sa.desc(runs.c.created_at), runs.c.id
        query = sa.select(runs).where(match).order_by(*newest).limit(limit)
        with self._reading() as connection:
            return [Run.from_row(row) for row in connection.execute(query).mappings()]

    def _touch(self, run_id: str, claim: float | None = None, **changes: Any) -> Run:
        with self._writing() as connection:
            status = RunStatus(_locked(connection, run_id, claim)["status"])
            if not status.is_active:
                raise RunError(f"Run {run_id} is {status}: no worker can have it now.")
            _change(connection, run_id, heartbeat_at=time.time(), **changes)
        return self.get(run_id)

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except UNUSABLE as error:
            raise unreachable(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        try:
            with self._writer.begin() as connection:
                yield connection
        except UNUSABLE as error:
            raise unreachable(error) from error


def _locked(
    connection: sa.Connection, run_id: str, claim: float | None = None
) -> sa.RowMapping:
    query = sa.select(runs).filter_by(id=run_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"There is no run {run_id!r}.", "It may have been deleted.")
    if claim is not None and row["started_at"] != claim:
        # It was silent for long, was taken for dead, and the run was resumed.
        raise RunError(f"Run {run_id} has been started anew by another worker.")
    return row


def _change(connection: sa.Connection, run_id: str, **values: Any) -> None:
    connection.execute(sa.update(runs).filter_by(id=run_id).values(**values))


def _metric_row(run_id: str, metric: Metric) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "phase": metric.phase,
        "epoch": metric.epoch,
        "step": metric.step,
        "name": metric.name,
        "value": float(metric.value) if math.isfinite(metric.value) else None,
        "at": metric.at,
    }


def _started_at(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0
