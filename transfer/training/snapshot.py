"""Where a training stands, complete enough to go on as if it had never ended."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.errors import StorageError

Array = NDArray[Any]

#: What of a snapshot is weights by path.
_KINDS = ("now", "best", "start", "mean")

#: What NumPy, zip and JSON say of a file that is none of ours.
_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A training between two steps.

    Attributes:
        phase: `head` or `fine_tune`.
        epoch: Whole epochs of the phase that are done.
        step: Steps of the next epoch that are done.
        images: Images that these steps have seen; batch size may change between runs
            of the phase, the order of images does not.
        sums: Loss times images, right answers, images, and right answers weighted by
            their class, of these steps.
        batch_size: Images per step until here.
        now: Values of all that trains by path, and random states by their order.
        optimizer: Values of the optimizer's variables in its own order, the number of
            steps first.
        best: Best weights so far by path.
        best_state: Phase, epoch, loss and accuracies of the best epoch.
        start: Weights that the phase started from by path, where they are to be blended
            with what it comes to; empty in one of an older version.
        mean: Mean of these weights over the ends of its epochs.
    """

    phase: str
    epoch: int = 0
    step: int = 0
    images: int = 0
    sums: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    batch_size: int
    now: Mapping[str, Array] = field(default_factory=dict)
    optimizer: tuple[Array, ...] = ()
    best: Mapping[str, Array] = field(default_factory=dict)
    best_state: Mapping[str, Any] = field(default_factory=dict)
    start: Mapping[str, Array] = field(default_factory=dict)
    mean: Mapping[str, Array] = field(default_factory=dict)


def write(path: Path, snapshot: Snapshot) -> None:
    """Writes it as one file, so that all its parts always belong together.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    state = {
        name: getattr(snapshot, name)
        for name in ("phase", "epoch", "step", "images", "sums", "batch_size")
    }
    arrays = {
        f"{kind}:{name}": value
        for kind in _KINDS
        for name, value in getattr(snapshot, kind).items()
    }
    arrays |= {f"optimizer:{i}": one for i, one in enumerate(snapshot.optimizer)}
    state["best_state"] = dict(snapshot.best_state)
    # Made in memory, for the file is put in place whole or not at all. Not compressed:
    # weights hardly shrink, and a checkpoint is to take no time.
    buffer = io.BytesIO()
    np.savez(buffer, state=np.array(json.dumps(state)), **arrays)
    workspace.write_atomically(path, buffer.getvalue())


def read(path: Path) -> Snapshot | None:
    """What `write` wrote; `None` where there is no such file.

    Raises:
        StorageError: The file is damaged or of another version.
    """
    try:
        # Plain arrays only: a pickle could run whatever somebody put into the file.
        with np.load(path, allow_pickle=False) as file:
            state = json.loads(str(file["state"]))
            arrays = {name: file[name] for name in file.files if name != "state"}
            state["sums"] = tuple(state["sums"])
            state |= {kind: _arrays_of(arrays, kind) for kind in _KINDS}
            optimizer = _arrays_of(arrays, "optimizer")
            return Snapshot(
                **state,
                optimizer=tuple(optimizer[str(i)] for i in range(len(optimizer))),
            )
    except FileNotFoundError:
        return None
    except _DAMAGED as error:
        raise StorageError(
            f"The checkpoint {path} cannot be read: {error}.",
            "Start the run again; the features that were computed are kept.",
        ) from error


def _arrays_of(arrays: Mapping[str, Array], kind: str) -> dict[str, Array]:
    start = f"{kind}:"
    return {
        name.removeprefix(start): value
        for name, value in arrays.items()
        if name.startswith(start)
    }
