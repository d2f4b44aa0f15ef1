"""What an export needs of a run's dataset, and how it outlives the dataset.

Beside the model of a run whose dataset is deleted lie its manifest and the hashes of
the few images that an export is checked on; the image store keeps those.
"""

import gzip
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from transfer import workspace
from transfer.datasets import library
from transfer.datasets.revision import Image, Revision, Split
from transfer.errors import NotFoundError, RunError, StorageError
from transfer.store import files
from transfer.store.record import Run
from transfer.store.runs import Store

#: Val images that the exported file is compared on, if there are as many.
COMPARED = 200
#: Training images that int8 takes the ranges of its numbers from.
CALIBRATING = 128


def comparison_images(revision: Revision) -> tuple[str, list[Image]]:
    """The split and the images that an export is compared on, of all classes.

    Those of val; of train where there is no val.

    Raises:
        NotFoundError: There are none.
    """
    for split in ("val", "train"):
        if found := _of_all_classes(revision, split, COMPARED):
            return split, found
    raise NotFoundError("The dataset has nothing to check the exported file on.")


def calibration_images(revision: Revision) -> list[Image]:
    """Some training images of all classes."""
    return _of_all_classes(revision, "train", CALIBRATING)


def evenly(values: Sequence[Any], count: int) -> list[Any]:
    """At most `count` of the values, spread evenly."""
    if len(values) <= count:
        return list(values)
    return [values[int(i)] for i in np.linspace(0, len(values) - 1, count)]


def _of_all_classes(revision: Revision, split: Split, count: int) -> list[Image]:
    # By hash within a class: neighbours in a folder are often shots of one thing.
    found = revision.of_split(split)
    return evenly(sorted(found, key=lambda one: (one.label, one.sha256)), count)


def revision(run: Run) -> Revision:
    """The images of a run, also of one whose dataset was deleted.

    Raises:
        NotFoundError: They are gone, and nothing was kept of them.
    """
    try:
        return library.load(run.config.dataset, run.config.revision)
    except NotFoundError as error:
        try:
            kept = json.loads(gzip.decompress(files.manifest(run.id).read_bytes()))
        except OSError:
            raise NotFoundError(
                f"{error.message} An exported file is checked on it, so the run "
                "cannot be exported without them.",
                "Import the dataset again under its old name.",
            ) from error
        return Revision.from_json(kept)


def keep_for_exports(store: Store, name: str) -> None:
    """Keeps what exports need of a dataset that goes, beside each model of it.

    Raises:
        RunError: A run goes on or waits that needs it.
        StorageError: The workspace cannot be written.
    """
    # Those that others have made of it as well, and those that may be restored.
    every = store.with_trash().summaries()
    there = {run.id for run in store.whole().summaries()}
    of_it = [run for run in every if run.dataset == name]
    needing = [r.name for r in of_it if not r.status.is_final and r.id in there]
    if needing:
        names = ", ".join(needing)
        raise RunError(f"Runs that go on or wait need it: {names}.", "Stop them first.")
    for run in of_it:
        if run.has_model:
            _keep(store.with_trash().get(run.id))


def _keep(run: Run) -> None:
    try:
        needed = library.load(run.config.dataset, run.config.revision)
    except (NotFoundError, StorageError):
        return  # of an earlier dataset of that name, kept before; or damaged
    _, images = comparison_images(needed)
    # Few images are kept, not the dataset: it was deleted to get the room back.
    hashes = [one.sha256 for one in [*images, *calibration_images(needed)]]
    listed = files.kept_images(run.id)
    workspace.write_atomically(listed, "\n".join(hashes).encode())
    manifest = gzip.compress(json.dumps(needed.to_json()).encode())
    workspace.write_atomically(files.manifest(run.id), manifest)
