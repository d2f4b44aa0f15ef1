"""What an instructor hands out: a dataset to read, and settings to start with.

Nothing is copied: the dataset is shared, and the settings are a few words.
"""

from collections.abc import Mapping
from typing import Any

from transfer.advice import effort
from transfer.config import TrainConfig, differing
from transfer.datasets import library
from transfer.people.rule import Sharing
from transfer.runs import queue
from transfer.store.classroom import Handout
from transfer.store.record import Run
from transfer.store.runs import Store

#: Settings that are about the instructor's own things.
_OWN = ("dataset", "revision", "start_from")


def hand_out(
    store: Store, dataset: str, settings: Mapping[str, Any], says: str = ""
) -> None:
    """Lets everybody read a dataset, and begin with these settings.

    Args:
        settings: Of a run, by name; the others have their defaults.
        says: What it is for.

    Raises:
        NotAllowedError: Who asks is no instructor, or does not own the dataset.
        ConfigError: Some settings are out of their limits.
    """
    store.scope.check_server("class")
    config = effort.of_any_dataset(settings)
    # One that all may change already stays so.
    if store.datasets.get(dataset).sharing != Sharing.ALL:
        store.datasets.share(dataset, Sharing.READ)
    told = differing(config.model_dump(mode="json", exclude=set(_OWN)))
    store.classroom.hand_out(store.scope.actor.id, dataset, told, says.strip())
    store.people.note(store.scope.actor, "hand out", f"dataset {dataset}")


def take_back(store: Store, handout: int) -> None:
    """Hands it out no more; the dataset stays shared until its owner says otherwise.

    Raises:
        NotAllowedError: Who asks is no instructor.
    """
    store.scope.check_server("class")
    store.classroom.take_back(handout)
    store.people.note(store.scope.actor, "take back", f"hand-out {handout}")


def visible(store: Store) -> list[Handout]:
    """What was handed out and can be seen, newest first."""
    found = store.classroom.handouts()
    seen = set(store.datasets.readable({one.dataset for one in found}))
    return [one for one in found if one.dataset in seen]


def start(store: Store, handout: Handout) -> Run:
    """A new queued run of what was handed out.

    Raises:
        TransferError: As `queue.submit`.
    """
    store.datasets.check("read", handout.dataset)
    revision = library.load(handout.dataset)
    revision.check_learnable()
    about = {"dataset": handout.dataset, "revision": revision.id}
    config = TrainConfig.of(**about, **handout.settings)
    config.check_kind(revision.kind)
    return queue.submit(store, config)
