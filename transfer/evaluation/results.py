"""Evaluations as they are stored: what a run said of every image of a split."""

import json
import zipfile
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.datasets import scratch
from transfer.datasets.revision import Split
from transfer.errors import NotFoundError
from transfer.evaluation import calibration, curves, large, metrics
from transfer.evaluation.intervals import Interval
from transfer.evaluation.metrics import Figures
from transfer.store import files

# Members of the file by their own names; what else it holds is JSON.
_ARRAYS = ("sha256", "paths", "labels", "probabilities", "map_places")

#: Where answers come from: one split, or images of all splits, for the map.
Source = Split | Literal["all"]


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """Accuracy on spoilt pictures.

    Attributes:
        images: Number of images that were tried, the same for every change.
        unspoilt: Accuracy on these images as they are.
        accuracy: By kind of change, for each of its strengths.
        skipped: Why nothing was tried; empty otherwise.
    """

    images: int = 0
    unspoilt: Interval = Interval(np.nan, np.nan, np.nan)
    accuracy: dict[str, list[tuple[float, Interval]]] = field(default_factory=dict)
    skipped: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        accuracy = {
            kind: [{"strength": strength, **one.to_json()} for strength, one in points]
            for kind, points in self.accuracy.items()
        }
        return {
            "images": self.images,
            "unspoilt": self.unspoilt.to_json(),
            "accuracy": accuracy,
            "skipped": self.skipped,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Robustness":
        """What `to_json` wrote."""
        accuracy = {
            kind: [(one.pop("strength"), Interval.from_json(one)) for one in points]
            for kind, points in data["accuracy"].items()
        }
        unspoilt = Interval.from_json(data["unspoilt"])
        return cls(**{**data, "unspoilt": unspoilt, "accuracy": accuracy})


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a run said of every image of a split, and the figures of it.

    Attributes:
        run: Id of the run.
        split: The split; `all` for the images of the map.
        class_names: Names in label order.
        sha256: Hash of each image, `(images,)`.
        paths: Path of each image in the folder that it came from.
        labels: Right label index of each image, int64.
        probabilities: As the model gives them, float32 `(images, num_classes)`.
        temperature: What they are to be scaled by, see `calibration`.
        figures: All figures with their intervals.
        robustness: Accuracy on spoilt pictures; None before it was tried.
        map_places: Place of each image on the map, float32 `(images, 2)`; empty where
            the images are those of one split.
    """

    run: str
    split: Source
    class_names: tuple[str, ...]
    sha256: NDArray[np.str_]
    paths: NDArray[np.str_]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    temperature: float
    figures: Figures
    robustness: Robustness | None = None
    map_places: NDArray[np.float32] = field(
        default_factory=lambda: np.empty((0, 2), np.float32)
    )

    @cached_property
    def shown(self) -> NDArray[np.float32]:
        """The probabilities as they are shown: scaled by the temperature."""
        return calibration.scale(self.probabilities, self.temperature)

    def scale_some(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """The rows of `shown` of some of the images alone, in little memory."""
        some = self.probabilities[positions]
        scratch.forget(self.probabilities)
        return np.asarray(calibration.scale(some, self.temperature), np.float32)

    @cached_property
    def judged(self) -> NDArray[np.float32]:
        """The scaled probabilities by which the scaling may be judged.

        The temperature was fitted on val, so there each half of the images is scaled
        by what the other half gives.
        """
        # Judged on what it was fitted on, the scaling would look better than it is.
        if self.split == "val" and self.temperature != 1.0:
            return calibration.scale_honestly(self.probabilities, self.labels)
        return self.shown

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable label of each image."""
        return large.by_image(lambda some: some.argmax(1), self.probabilities)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Number of images by right label (rows) and predicted label (columns)."""
        classes = len(self.class_names)
        return metrics.confusion(self.labels, self.predicted, classes)

    def lacks_robustness(self, thorough: bool = False) -> bool:
        """Whether spoilt pictures were not tried yet.

        Args:
            thorough: Count those as lacking that were left out for their time too.
        """
        tried = self.robustness
        return tried is None or bool(thorough and tried.skipped)

    def summary(self) -> dict[str, Any]:
        """The figures as plain data, classes by name."""
        figures = self.figures.to_json()
        of_class = figures.pop("classes")
        before = curves.reliability(self.probabilities, self.labels).error
        after = curves.reliability(self.judged, self.labels).error
        return {
            "run": self.run,
            "split": self.split,
            **figures,
            "classes": dict(zip(self.class_names, of_class, strict=True)),
            "temperature": self.temperature,
            "calibration_error": None if np.isnan(before) else before,
            "calibration_error_scaled": None if np.isnan(after) else after,
            "robustness": self.robustness.to_json() if self.robustness else None,
        }


def save(evaluation: Evaluation) -> None:
    """Stores an evaluation beside its run's model, whole or not at all.

    Raises:
        NotFoundError: The run was deleted meanwhile.
        StorageError: The disk is full or the folder cannot be written.
    """
    path = files.evaluation(evaluation.run, evaluation.split)
    # Deleted while it was evaluated: writing would bring its folder back.
    if not path.parent.exists():
        raise NotFoundError(f"There is no run {evaluation.run} any more.")
    robustness = evaluation.robustness
    about = {
        "class_names": evaluation.class_names,
        "temperature": evaluation.temperature,
        "figures": evaluation.figures.to_json(),
        "robustness": robustness.to_json() if robustness else None,
    }
    arrays = {name: getattr(evaluation, name) for name in _ARRAYS}
    with workspace.new_file(path) as file:
        large.save(file, {"about": np.array(json.dumps(about)), **arrays})


def load(run_id: str, split: Source) -> Evaluation | None:
    """The stored evaluation of a run's split; None if there is none to be read."""
    path = files.evaluation(run_id, split)
    try:
        return _read(path, path.stat().st_mtime_ns, run_id, split)
    # Damaged, or of a version that knew less: as good as none, and made anew.
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


@lru_cache(maxsize=8)
def _read(path: Path, modified: int, run_id: str, split: Source) -> Evaluation:
    """The file; the time of its last change tells a new one from a cached one."""
    # Never a pickle, which could run anything that a copied workspace brings.
    found = {name: large.member(path, name) for name in _ARRAYS}
    with np.load(path, allow_pickle=False) as file:
        arrays = {
            name: file[name] if one is None else one for name, one in found.items()
        }
        about = json.loads(str(file["about"]))
    tried = about["robustness"]
    # Sounds were spoilt as pictures are, once: that is tried again.
    is_valid = "hiss" not in (tried or {}).get("accuracy", {})
    return Evaluation(
        run=run_id,
        split=split,
        class_names=tuple(about["class_names"]),
        temperature=about["temperature"],
        figures=Figures.from_json(about["figures"]),
        robustness=Robustness.from_json(tried) if tried and is_valid else None,
        **arrays,
    )


def keep_threshold(run_id: str, threshold: float) -> None:
    """Keeps the confidence below which this run's answer is "I don't know".

    Args:
        threshold: 0 to 1; 0 answers always.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    content = json.dumps({"threshold": round(float(threshold), 4)}).encode()
    workspace.write_atomically(files.threshold(run_id), content)


def threshold(run_id: str) -> float:
    """The confidence that was kept for this run, 0 to 1; 0 if none was."""
    try:
        # What cannot be read must not keep a model from answering.
        kept = json.loads(files.threshold(run_id).read_bytes())["threshold"]
        return min(max(float(kept), 0.0), 1.0)
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0
