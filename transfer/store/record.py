"""What the store hands out: a run and its metrics, as values."""

import math
import time
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy import RowMapping

from transfer.backbones import catalogue, freezing
from transfer.config import TrainConfig
from transfer.datasets.decoding import Grey
from transfer.errors import TransferError
from transfer.store.status import RunStatus


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training as its record stood when it was read; times in seconds since 1970.

    Attributes:
        id: Eight hexadecimal digits.
        heartbeat_at: When the worker last said that it lives.
        host: The machine whose queue took the run.
        pid: The worker's process on that machine.
        pid_started_at: When that process began, so that another process that got the
            same number later is not mistaken for it.
        progress: Phase, epoch, step and so on, as the worker last wrote them.
        result: Values of a run that ended; empty before.
        error: `kind`, `message` and `hint` of what ended the run, or the worker that it
            had before this one; empty without one.
        note: What the user has written about it.
        tags: Words by which the user finds it, in alphabetical order.
    """

    id: str
    name: str
    status: RunStatus
    config: TrainConfig
    dataset: str
    revision: str
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    heartbeat_at: float | None = None
    host: str | None = None
    pid: int | None = None
    pid_started_at: float | None = None
    stop_requested_at: float | None = None
    progress: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] = field(default_factory=dict)
    note: str = ""
    tags: tuple[str, ...] = ()

    @property
    def grey(self) -> Grey | None:
        """The range of deep grey that the model learnt with, see `Revision.grey`."""
        black, white = self.result.get("grey") or (None, None)
        return None if black is None or white is None else (black, white)

    @classmethod
    def from_row(cls, row: RowMapping) -> "Run":
        """The run of a row of the table `runs`."""
        config = _read_config({"dataset": row["dataset"], **row["config"]})
        status, tags = RunStatus(row["status"]), tuple(row["tags"])
        name = row["name"]
        if name == f"{config.dataset} · {config.backbone}":  # unnamed, of old
            name = default_name(config)
        read = {"name": name, "status": status, "config": config, "tags": tags}
        return cls(**{**row, **read})


def default_name(config: TrainConfig) -> str:
    """What a run is called that nobody gave a name: its backbone and what trains."""
    goes_on = ", continued" if config.start_from else ""
    return f"{backbone_title(config)} · {what_trains(config)}{goes_on}"


def backbone_title(config: TrainConfig) -> str:
    """The run's backbone, for people; of one that is gone, the name it had."""
    known = catalogue.BACKBONES.get(config.backbone)
    title = known.title if known else config.backbone
    return f"{title}, random weights" if config.weights == "random" else title


def what_trains(config: TrainConfig) -> str:
    """What trains in a run of these settings, in few words."""
    untrained = {"instant": "instant", "source": "as it is"}
    return untrained.get(config.method) or freezing.in_words(config.freeze)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One measured value.

    Attributes:
        phase: `head` or `fine_tune`.
        epoch: Epoch of that phase.
        step: Step of that epoch; `None` where the value is of the whole epoch.
        name: A Keras log key: `loss`, `val_accuracy` and so on.
        value: May be `nan`; an infinite value is read back as `nan`.
        at: When it was measured, in seconds since 1970.
        id: Grows with every value stored; 0 before it is stored.
    """

    phase: str
    epoch: int
    name: str
    value: float
    step: int | None = None
    at: float = field(default_factory=time.time)
    id: int = 0

    @classmethod
    def from_row(cls, row: RowMapping) -> "Metric":
        """The metric of a row of the table `metrics`."""
        value = math.nan if row["value"] is None else row["value"]
        return cls(**{**row, "value": value})


def _read_config(stored: dict[str, Any]) -> TrainConfig:
    """The settings of a run that an older or newer version may have written.

    A setting that is gone is left out; where a limit has changed since, the values
    stand as they were, for they did train.
    """
    known = {key: stored[key] for key in stored if key in TrainConfig.model_fields}
    try:
        return TrainConfig(**known)
    except ValidationError:
        return TrainConfig.model_construct(**known)


def error_record(error: TransferError) -> dict[str, str]:
    """What `Run.error` holds of an error: `kind`, `message` and `hint`."""
    kind = type(error).__name__
    return {"kind": kind, "message": error.message, "hint": error.hint}
