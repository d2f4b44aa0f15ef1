"""What the store hands out: jobs, runs among them, and metrics, as values."""

import math
import time
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from pydantic import ValidationError
from sqlalchemy import RowMapping

from transfer.backbones import catalogue, freezing
from transfer.config import TrainConfig
from transfer.datasets import renderings
from transfer.datasets.renderings import Rendering
from transfer.datasets.revision import Kind
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import TransferError
from transfer.store.status import JobStatus

#: The kind of a job that is a training.
RUN = "run"


@dataclass(frozen=True, kw_only=True)
class Job:
    """Any long work as its record stood when it was read; times in seconds since 1970.

    Attributes:
        id: Eight hexadecimal digits.
        kind: What is done: `run`, `rank`, `export` and so on.
        subject: What it is done to, so that a page finds it again; of a run its
            dataset.
        settings: Of a run its settings as they were stored; of others the `words` of
            the command.
        owner: Id of who asked for it; `None` where nobody signs in.
        sharing: Whether others may see or change it: `private`, `read` or `all`.
        dataset: That a run learns from, or a job is about; empty for none.
        run: Id of the run that a job is about that is none itself; empty for none.
        priority: The higher goes first; what is below 0 gives way to everything.
        started_at: When it was taken. Nobody else is taken at the same time twice, so
            it also tells a process whether the job is still its own.
        heartbeat_at: When the process last said that it lives.
        host: The machine whose queue took the job.
        pid: The process on that machine.
        pid_started_at: When that process began, see `processes.start_of`.
        progress: Where it is, as the process last wrote it.
        result: What came of it; empty before its end.
        error: `kind`, `message` and `hint` of what ended it, or the process that it
            had before this one; empty without one.
    """

    id: str
    kind: str = RUN
    subject: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None
    sharing: str = "private"
    dataset: str = ""
    run: str = ""
    priority: int = 0
    status: JobStatus
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

    @property
    def label(self) -> str:
        """What it is called in a message: `Run 0123abcd`."""
        return label(self.kind, self.id)


@dataclass(frozen=True, kw_only=True)
class Run(Job):
    """One training.

    Attributes:
        note: What the user has written about it.
        tags: Words by which the user finds it, in alphabetical order.
    """

    name: str
    config: TrainConfig
    revision: str
    note: str = ""
    tags: tuple[str, ...] = ()

    @property
    def rendering(self) -> Rendering | None:
        """What the model learnt with, see `Revision.rendering`."""
        found = self.result.get("sound") or self.result.get("grey")
        return renderings.from_plain(found)

    @property
    def model_id(self) -> str:
        """Names its model: a run that was stopped and goes on leaves another one."""
        # While it goes on it has no end, and it may do so more than once.
        return f"{self.id}-{self.ended_at or self.started_at}"

    @property
    def dataset_kind(self) -> Kind:
        """What it learnt from; known once it has a model."""
        return "sounds" if isinstance(self.rendering, Spectrogram) else "images"


# `TrainConfig` costs a fifth of a millisecond to make: too much for thousands of lines.
class Outline(Protocol):
    """The settings that lists tell of a run; `TrainConfig` has them all."""

    @property
    def backbone(self) -> str: ...
    @property
    def weights(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def freeze(self) -> str: ...
    @property
    def fine_tune_epochs(self) -> int: ...
    @property
    def head(self) -> str: ...
    @property
    def class_weights(self) -> str: ...
    @property
    def start_from(self) -> str: ...


def read_job(row: RowMapping) -> Job:
    """The job of a row of the table `jobs`; a `Run` where it is one."""
    # Not the whole row: one of a kind that is no run has columns that mean nothing.
    common = {one.name: row[one.name] for one in fields(Job)}
    common["status"] = JobStatus(row["status"])
    if row["kind"] != RUN:
        return Job(**common)
    config = _read_config({"dataset": row["dataset"], **row["settings"]})
    return Run(
        **common,
        name=read_name(row["name"], config.dataset, config),
        config=config,
        revision=row["revision"],
        note=row["note"],
        tags=tuple(row["tags"]),
    )


def read_name(name: str, dataset: str, config: Outline) -> str:
    """The name of a run; one that an early version made up is made up anew."""
    made_up = f"{dataset} · {config.backbone}"
    return default_name(config) if name == made_up else name


def label(kind: str, job_id: str) -> str:
    """What a job is called in a message: `Run 0123abcd`."""
    return f"{'Run' if kind == RUN else 'Job'} {job_id}"


def default_name(config: Outline) -> str:
    """What a run is called that nobody gave a name: its backbone and what trains."""
    goes_on = ", continued" if config.start_from else ""
    return f"{backbone_title(config)} · {what_trains(config)}{goes_on}"


def backbone_title(config: Outline) -> str:
    """The run's backbone, for people; of one that is gone, the name it had."""
    title = catalogue.title(config.backbone)
    return f"{title}, random weights" if config.weights == "random" else title


def what_trains(config: Outline) -> str:
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
    """What `Job.error` holds of an error: `kind`, `message` and `hint`."""
    kind = type(error).__name__
    return {"kind": kind, "message": error.message, "hint": error.hint}
