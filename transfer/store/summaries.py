"""What lists and choosers show of a run: light, for thousands are read at once."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from transfer.config import TrainConfig
from transfer.datasets.revision import Kind
from transfer.store.record import read_name
from transfer.store.status import JobStatus
from transfer.store.tables import jobs


class Listed(NamedTuple):
    """The settings by which runs are told apart, an `Outline`."""

    backbone: str
    weights: str
    method: str
    freeze: str
    fine_tune_epochs: int
    head: str
    class_weights: str
    start_from: str


class Summary(NamedTuple):
    """A run in short; times in seconds since 1970.

    Attributes:
        config: The settings by which runs are told apart.
        result: The figures that it is judged by, and what is said beside them, as in
            `Run.result`.
        progress: Where it is; empty once it has ended.
        has_model: Whether it left a model.
        dataset_kind: What it learnt from; known once it has a model.
        seconds: Time that it took; `None` before its end.
    """

    id: str
    name: str
    status: JobStatus
    dataset: str
    revision: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    note: str
    tags: tuple[str, ...]
    config: Listed
    result: Mapping[str, Any]
    progress: Mapping[str, Any]
    has_model: bool
    dataset_kind: Kind
    seconds: float | None
    owner: str | None = None
    sharing: str = "private"


_settings, _result = jobs.c.settings, jobs.c.result
#: Whether a run left a model, by what only such a run has.
HAS_MODEL = _result[("class_names", 0)].as_string().is_not(None)
#: Whether it learnt from sounds, by how it drew them.
_OF_SOUNDS = _result[("sound", 0)].as_string().is_not(None)
_FIGURES = ("val_accuracy", "val_balanced_accuracy")
_WORDS = ("best_phase", "ended_early")
_OWN = ("id", "name", "status", "dataset", "revision", "created_at", "started_at")
_OWNED = ("owner", "sharing")
_EPOCHS = ("best_epoch", "epochs_fine_tuned")
_OF_RESULT = (*_FIGURES, *_WORDS, *_EPOCHS, "val_largest_class")
_DEFAULTS: dict[str, Any] = {
    name: TrainConfig.model_fields[name].default for name in Listed._fields
}
#: What is read of each row. Of settings and result only single values: the database
#: takes them out several times faster than Python reads the whole (5,000 runs: 0.15 s
#: instead of 1.1).
COLUMNS = (
    *(jobs.c[name] for name in (*_OWN, *_OWNED, "ended_at", "note", "tags")),
    # Of a run that has ended nobody asks where it was.
    sa.case((jobs.c.ended_at.is_(None), jobs.c.progress)).label("progress"),
    *(
        (value.as_integer() if kind is int else value.as_string()).label(name)
        for name, kind in Listed.__annotations__.items()
        for value in [_settings[name]]
    ),
    *(_result[name].as_float().label(name) for name in _FIGURES),
    *(_result[name].as_string().label(name) for name in _WORDS),
    *(_result[name].as_integer().label(name) for name in _EPOCHS),
    _result["val_largest_class"].label("val_largest_class"),
    HAS_MODEL.label("has_model"),
    _OF_SOUNDS.label("of_sounds"),
    _result[("seconds", "total")].as_float().label("seconds"),
)


def read(row: sa.Row[Any]) -> Summary:
    """The summary of a row of `COLUMNS`."""
    values = row._mapping
    given = {name: values[name] for name in Listed._fields}
    # What an early version did not store has its default.
    config = Listed(**_DEFAULTS | {k: v for k, v in given.items() if v is not None})
    found = {name: values[name] for name in _OF_RESULT}
    return Summary(
        **{
            name: values[name]
            for name in (*_OWN[3:], *_OWNED, "id", "ended_at", "note")
        },
        name=read_name(values["name"], values["dataset"], config),
        status=JobStatus(values["status"]),
        tags=tuple(values["tags"]),
        config=config,
        result={name: value for name, value in found.items() if value is not None},
        progress=values["progress"] or {},
        has_model=bool(values["has_model"]),
        dataset_kind="sounds" if values["of_sounds"] else "images",
        seconds=values["seconds"],
    )
