"""What was measured while runs learnt."""

import math
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from transfer.store import rows as table
from transfer.store.database import Database
from transfer.store.record import Metric
from transfer.store.status import JobStatus
from transfer.store.tables import metrics

_COLUMNS = [column for column in metrics.c if column.name != "run_id"]


class Metrics:
    """The metrics of a workspace, reached as `store.metrics`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tell(
        self,
        run_id: str,
        rows: Iterable[Metric],
        progress: dict[str, Any],
        claim: float | None,
    ) -> JobStatus:
        """Stores the values, where the run is and that its worker lives, all at once.

        A value that is not finite is stored as NULL and read back as `nan`: neither
        SQLite nor JSON has such numbers.

        Args:
            claim: As in `Jobs.heartbeat`.

        Returns: `running` or `stopping`.

        Raises:
            NotFoundError, RunError: As `Jobs.heartbeat`.
        """
        values = [_to_row(run_id, row) for row in rows]
        with self._database.writing() as connection:
            status = table.touch(connection, run_id, claim, progress=progress)
            if values:
                connection.execute(sa.insert(metrics), values)
        return status

    def drop(self, run_id: str, phase: str = "", epoch: int = 0, step: int = 0) -> None:
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
        # Fine-tuning comes last: all that is stored of the head phase came before it.
        others = [] if phase == "fine_tune" else [metrics.c.phase != phase]
        with self._database.writing() as connection:
            connection.execute(sa.delete(metrics).where(of_run, sa.or_(after, *others)))

    def count_done(self, run_id: str) -> tuple[int, int]:
        """Training steps and whole epochs that are stored of a run."""
        losses = sa.select(sa.func.count(metrics.c.step), sa.func.count())
        with self._database.reading() as connection:
            of_run = losses.filter_by(run_id=run_id, name="loss")
            steps, all_values = connection.execute(of_run).one()
        return int(steps), int(all_values - steps)

    def after(
        self, run_id: str, after_id: int = 0, limit: int | None = None
    ) -> list[Metric]:
        """The values newer than the one of `after_id`, oldest first."""
        # By id and not by time: a clock that is set back would hide what is new.
        query = sa.select(*_COLUMNS).where(
            metrics.c.run_id == run_id, metrics.c.id > after_id
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(metrics.c.id).limit(limit))
            return [Metric.from_row(row) for row in rows.mappings()]

    def of_epochs(self, run_id: str) -> list[Metric]:
        """The values of whole epochs, oldest first.

        Of an epoch that was done again after an interruption, the later values.
        """
        query = sa.select(*_COLUMNS).filter_by(run_id=run_id, step=None)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(metrics.c.id)).mappings()
            found = [Metric.from_row(row) for row in rows]
        return list({(one.phase, one.epoch, one.name): one for one in found}.values())


def _to_row(run_id: str, metric: Metric) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "phase": metric.phase,
        "epoch": metric.epoch,
        "step": metric.step,
        "name": metric.name,
        "value": float(metric.value) if math.isfinite(metric.value) else None,
        "at": metric.at,
    }
