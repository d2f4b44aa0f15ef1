"""A run that goes on from the model of a finished one."""

from pathlib import Path
from typing import Any

from transfer.backbones import catalogue
from transfer.config import TrainConfig
from transfer.datasets.revision import Revision
from transfer.errors import ConfigError
from transfer.store import files
from transfer.store.record import Run
from transfer.store.runs import Store

#: What decides the shapes of a model's weights besides its classes.
_SAME = ("backbone", "head", "image_size")


def settings(run: Run, revision: Revision, **changes: Any) -> TrainConfig:
    """The settings of a run that goes on from this one, on this revision.

    Args:
        run: A run that has a model.
        revision: The images; the same classes in the same order.
        changes: Settings that differ from those of the run.

    Raises:
        ConfigError: The run has no model, or the new one would not fit it.
    """
    given = run.config.model_dump() | {"method": "train"} | changes
    given |= {"start_from": run.id, "dataset": revision.dataset}
    config = TrainConfig.of(**given | {"revision": revision.id})
    check(run, config, revision)
    return config


def check(run: Run, config: TrainConfig, revision: Revision) -> None:
    """Returns quietly where a run of these settings can start from `run`.

    Raises:
        ConfigError: It cannot; all reasons are named at once.
    """
    had = run.result.get("class_names")
    if not had:
        raise ConfigError(
            f"Run {run.name} is {run.status} and has no model to start from.",
            "Choose a run that was completed, or stopped during training.",
        )
    if not catalogue.is_known(backbone := run.config.backbone):
        raise ConfigError(
            f"Run {run.name} cannot be the start: its backbone {backbone} was one of "
            "earlier versions, and is gone.",
            "Start from the pretrained weights of another; the run itself still "
            "predicts, evaluates and exports.",
        )
    problems = [
        f"its {name} is {getattr(run.config, name) or 'the default'}, not "
        f"{getattr(config, name) or 'the default'}"
        for name in _SAME
        if getattr(run.config, name) != getattr(config, name)
    ]
    # In the same order too: the head knows classes only by their numbers.
    if list(revision.class_names) != had:
        classes = ", ".join(revision.class_names)
        problems.append(f"its classes are {', '.join(had)}, not {classes}")
    if problems:
        raise ConfigError(
            f"Run {run.name} cannot be the start: {'; '.join(problems)}.",
            "Choose the same, or start from the pretrained weights.",
        )


def model(store: Store, config: TrainConfig, revision: Revision) -> Path | None:
    """The model that a run of these settings starts from, if it is one of a run.

    Raises:
        NotFoundError: There is no such run.
        ConfigError: The run does not fit.
    """
    if not config.start_from:
        return None
    run = store.get(config.start_from)
    check(run, config, revision)
    return files.model(run.id)
