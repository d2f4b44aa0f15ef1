"""What the routes answer, field by field; times in seconds since 1970."""

from typing import Any

from pydantic import BaseModel, Field

from transfer.datasets import names
from transfer.datasets.revision import Revision, Split
from transfer.store.record import Job, Metric, Run
from transfer.store.summaries import Summary


class ClassAnswer(BaseModel):
    """How probable a class is."""

    name: str
    probability: float = Field(ge=0, le=1)


class SegmentAnswer(BaseModel):
    """A part of a recording in which one class is the likeliest; times in seconds."""

    start: float
    end: float
    name: str
    probability: float = Field(ge=0, le=1)


class PictureAnswer(BaseModel):
    """What the model says of one picture or recording."""

    name: str = Field(description="Of its file; empty where it was the whole body.")
    classes: list[ClassAnswer] = Field(
        description="Best first; none where it cannot be read."
    )
    heat_map: str | None = Field(
        default=None,
        description="A PNG in base64: the picture, bright where the model sees "
        "evidence for the class.",
    )
    error: str | None = Field(default=None, description="Why there is no answer.")
    hint: str | None = None


class SoundAnswer(PictureAnswer):
    """What the model says of one recording."""

    segments: list[SegmentAnswer] = Field(description="What is heard when.")


class Prediction(BaseModel):
    """What a run says of pictures or recordings, in the order of the request."""

    run: str
    pictures: list[SoundAnswer | PictureAnswer]


class DatasetAnswer(BaseModel):
    """A dataset as it is now."""

    name: str = Field(
        description="By which it is asked for; of one's own the title will do as well."
    )
    title: str = Field(description="What it is called.")
    revision: str
    classes: dict[str, dict[Split, int]] = Field(
        description="Images of each class in train, val and test."
    )
    created_at: float

    @classmethod
    def of(cls, found: Revision) -> "DatasetAnswer":
        """The answer about a revision."""
        classes = found.counts()
        return cls(
            name=found.dataset,
            title=names.title(found.dataset),
            revision=found.id,
            classes=classes,
            created_at=found.created_at,
        )


class RunLine(BaseModel):
    """A run in short."""

    id: str
    name: str
    status: str
    dataset: str
    backbone: str
    val_accuracy: float | None
    has_model: bool
    created_at: float

    @classmethod
    def of(cls, found: Summary) -> "RunLine":
        """The line of a run."""
        accuracy = found.result.get("val_accuracy")
        own = ("id", "name", "dataset", "has_model", "created_at")
        return cls(
            **{name: getattr(found, name) for name in own},
            status=str(found.status),
            backbone=found.config.backbone,
            val_accuracy=accuracy,
        )


class JobAnswer(BaseModel):
    """Any long work: a run, an export, an import."""

    id: str
    kind: str
    subject: str = Field(description="What it is about; of an export its key.")
    status: str = Field(
        description="queued, running, stopping, completed, stopped, failed or "
        "interrupted."
    )
    created_at: float
    started_at: float | None
    ended_at: float | None
    progress: dict[str, Any]
    error: dict[str, str]

    @classmethod
    def of(cls, found: Job) -> "JobAnswer":
        """The answer about a job."""
        return cls(**_of_job(found))


class RunAnswer(JobAnswer):
    """A run with its settings and what came of it."""

    name: str
    note: str
    tags: list[str]
    settings: dict[str, Any]
    result: dict[str, Any]

    @classmethod
    def of(cls, found: Job) -> "RunAnswer":
        """The answer about a run."""
        assert isinstance(found, Run)  # noqa: S101  the store has said so
        return cls(
            **_of_job(found),
            name=found.name,
            note=found.note,
            tags=list(found.tags),
            settings=found.config.model_dump(mode="json"),
            result=found.result,
        )


class MetricAnswer(BaseModel):
    """A value that was measured at the end of an epoch."""

    phase: str
    epoch: int
    name: str
    value: float | None = Field(description="None where it was not finite.")

    @classmethod
    def of(cls, found: Metric) -> "MetricAnswer":
        """The answer about a metric."""
        value = found.value if found.value == found.value else None
        return cls(phase=found.phase, epoch=found.epoch, name=found.name, value=value)


class ExportAnswer(BaseModel):
    """An export whose file can be fetched."""

    export: str = Field(description="Its key, by which the file is fetched.")
    run: str
    file: str
    bytes: int
    made_at: float | None


def _of_job(found: Job) -> dict[str, Any]:
    own = set(JobAnswer.model_fields) - {"status"}
    return {**{name: getattr(found, name) for name in own}, "status": str(found.status)}
