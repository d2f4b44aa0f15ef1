"""A dataset as it was at one moment: which image, which class, which split."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from transfer.datasets import names
from transfer.datasets.decoding import Grey
from transfer.datasets.renderings import Rendering
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.datasets.sounds.windows import Cutting
from transfer.errors import DatasetError, StorageError

#: The form that manifests are written in. What is older says no number: 1 stands for
#: all that was before revisions named their parents, with and without notes and grey;
#: 2 for all before images could be left out, and classes changed.
SCHEMA = 3
#: Fields that a manifest has only where there is something to say.
_ONLY_IF_ANY = ("grey", "sound", "flat", "parent", "says", "by", "left_out", "cutting")

Kind = Literal["images", "sounds"]
Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """One image of a revision.

    Attributes:
        sha256: Hash of the file's bytes; names it in the image store.
        path: Path inside the folder or zip that it came from, with `/`.
        label: Index into `Revision.class_names`.
        split: The split it belongs to.
        left_out: Why it is left out; empty if it is not.
        day: Day on which its file was last changed, as the folder or zip has it,
            counted from 1970; 0 where that is not known.
    """

    sha256: str
    path: str
    label: int
    split: Split
    left_out: str = ""
    day: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain data, the arguments of an equal one."""
        # Written out, for there may be a million.
        data: dict[str, Any] = {
            "sha256": self.sha256,
            "path": self.path,
            "label": self.label,
            "split": self.split,
        }
        if self.left_out:
            data["left_out"] = self.left_out
        if self.day:
            data["day"] = self.day
        return data


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a revision changes of the one that it is made of.

    Attributes:
        says: The change in words for the user.
        made_at: Seconds since the epoch.
        by: Who made it; empty where nobody signs in.
        classes: The names of the classes from now on, if they change: in label order,
            so sorted.
        labels: The new label of every old one, if the classes change.
        images: New images, and those that are there already as they are from now on,
            with the new labels.
        grey: The range of deep grey, where there was none before.
        flat: Paths of new images that come out nearly constant.
        cutting: How recordings are cut from now on, if that changes.
    """

    says: str
    made_at: float
    by: str = ""
    classes: tuple[str, ...] = ()
    labels: tuple[int, ...] = ()
    images: tuple[Image, ...] = ()
    grey: Grey | None = None
    flat: tuple[str, ...] = ()
    cutting: Cutting | None = None


@dataclass(frozen=True, kw_only=True)
class PassedOver:
    """A file that was not taken in, and why, in words for the user."""

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Revision:
    """The manifest of a dataset: content-addressed, never changed once written.

    Attributes:
        dataset: What the dataset is kept under, see `names.kept_under`.
        id: 16 hexadecimal digits: hash of the content, or of the parent's id and what
            was changed.
        class_names: Names in label order, sorted once for all splits.
        images: The images that are not left out, sorted by path.
        passed_over: Files that were left out, each with its reason.
        split_source: `given` where the folder came with its own train and val
            folders, else `stratified`.
        val: Share of each class's images in val, 0 to 1, as asked for.
        test: Share of each class's images in test, 0 to 1, as asked for.
        seed: Seed of the stratified split.
        created_at: Seconds since the epoch.
        notes: How the folder or zip was understood, a sentence each.
        grey: Which values of deep grey become black and white, in all its pictures;
            None where there are none, and in manifests that know of no range.
        flat: Paths of the images that come out nearly constant.
        parent: Id of the revision that this one was made of; empty for the first, and
            where an older version of the program made it.
        says: What was changed of the parent, in words for the user.
        by: Who changed it; empty where nobody signs in.
        left_out: The images that are left out, sorted by path; each says why.
        sound: How its sounds are drawn; None for a dataset of pictures. What is said of
            images here is said of its recordings and windows then.
        cutting: How recordings that come are cut into windows; None for images, and in
            manifests of sounds from before they said it.
    """

    dataset: str
    id: str
    class_names: tuple[str, ...]
    images: tuple[Image, ...]
    passed_over: tuple[PassedOver, ...]
    split_source: Literal["given", "stratified"]
    val: float
    test: float
    seed: int
    created_at: float
    notes: tuple[str, ...] = ()
    grey: Grey | None = None
    flat: tuple[str, ...] = ()
    parent: str = ""
    says: str = ""
    by: str = ""
    left_out: tuple[Image, ...] = ()
    sound: Spectrogram | None = None
    cutting: Cutting | None = None

    @property
    def kind(self) -> Kind:
        """What its files are."""
        return "sounds" if self.sound else "images"

    @property
    def rendering(self) -> Rendering | None:
        """How its files become pixels, where that is not said by each file itself."""
        return self.sound or self.grey

    @property
    def title(self) -> str:
        """What the dataset is called."""
        return names.title(self.dataset)

    def of_split(self, split: Split) -> tuple[Image, ...]:
        """The images of one split, in manifest order."""
        return tuple(image for image in self.images if image.split == split)

    def counts(self) -> dict[str, dict[Split, int]]:
        """Number of images by class name, then by split; zeros included."""
        seen = Counter((image.label, image.split) for image in self.images)
        return {
            name: {split: seen[label, split] for split in SPLITS}
            for label, name in enumerate(self.class_names)
        }

    def check_learnable(self) -> None:
        """Returns quietly where every class has an image to learn from.

        Raises:
            DatasetError: One has none, as after all of its images were moved.
        """
        learnt = {image.label for image in self.images if image.split == "train"}
        names = [
            name for label, name in enumerate(self.class_names) if label not in learnt
        ]
        if names:
            raise DatasetError(
                f"Nothing can be learnt of {', '.join(names[:5])}: "
                f'nothing of train is left there in the dataset "{self.title}".',
                "Put some there, or merge it into another class.",
            )

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back.

        What a dataset does not have is left out, so that ids stay what they were.
        """
        # Not `asdict` of it all, which takes three times as long for 100,000 images.
        data: dict[str, Any] = {
            **vars(self),
            "schema": SCHEMA,
            "images": [image.to_json() for image in self.images],
            "left_out": [image.to_json() for image in self.left_out],
            "passed_over": [asdict(one) for one in self.passed_over],
        }
        return {k: v for k, v in data.items() if v or k not in _ONLY_IF_ANY}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Revision":
        """The revision that `to_json` wrote, of this version or any before it.

        Raises:
            StorageError: A newer version wrote it.
            ValueError, TypeError, KeyError: It is damaged.
        """
        check_schema(data)
        known = {key: value for key, value in data.items() if key != "schema"}
        return cls(
            **{
                **known,
                "class_names": tuple(data["class_names"]),
                "images": read_images(data["images"]),
                "passed_over": tuple(PassedOver(**one) for one in data["passed_over"]),
                "notes": tuple(data.get("notes", ())),
                "grey": tuple(data["grey"]) if "grey" in data else None,
                "flat": tuple(data.get("flat", ())),
                "sound": Spectrogram(*data["sound"]) if "sound" in data else None,
                "cutting": Cutting(*data["cutting"]) if "cutting" in data else None,
                "left_out": read_images(data.get("left_out", ())),
            }
        )


def read_images(rows: Iterable[dict[str, Any]]) -> tuple[Image, ...]:
    """The images of rows as `Image.to_json` writes them; what is equal is held once."""
    once: dict[object, Any] = {}
    images = []
    for row in rows:
        for name in ("split", "left_out", "day"):
            if name in row:
                row[name] = once.setdefault(row[name], row[name])
        images.append(Image(**row))
    return tuple(images)


def with_id(revision: Revision) -> Revision:
    """The revision with the id that its content gives it, whenever it was made.

    A folder that is imported again after its dataset was deleted has the old id, so
    that runs which name it can go on. The form of the manifest is no part of it.
    """
    content = {**revision.to_json(), "id": "", "created_at": 0}
    del content["schema"], content["notes"]  # notes are words about the same content
    for image in content["images"]:
        image.pop("day", None)  # a copy of a folder has other dates
    if not (revision.cutting or Cutting()).window:
        content.pop("cutting", None)  # which was not said before where nothing is cut
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return replace(revision, id=digest[:16])


def check_schema(data: dict[str, Any]) -> None:
    """Returns quietly where this version knows the form of a manifest.

    Raises:
        StorageError: A newer version wrote it.
    """
    if (schema := data.get("schema", 1)) > SCHEMA:
        raise StorageError(
            f'The dataset "{data.get("dataset")}" was written by a newer version of '
            f"Transfer Studio: its manifest has form {schema}, and this version reads "
            f"forms up to {SCHEMA}.",
            "Install the newer version, or import the files under another name.",
        )
