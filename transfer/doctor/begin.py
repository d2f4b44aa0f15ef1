"""The doctor begins: it looks at the pictures while Keras is imported."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

from transfer.backbones import weights
from transfer.backbones.quick_import import quickly
from transfer.datasets import scratch
from transfer.datasets.decoding import Resizing
from transfer.datasets.revision import Revision
from transfer.datasets.wording import WORDS
from transfer.doctor.finding import Finding
from transfer.errors import DatasetError

#: Called with `doing`, `done` and `of`.
Progress = Callable[..., None]


def examine(
    revision: Revision,
    backbone: str = "",
    source: str = "imagenet",
    progress: Progress = lambda **_: None,
    table: tuple[Path, str] | None = None,
    resizing: Resizing = "stretch",
) -> list[Finding]:
    """All that may be wrong with a dataset, the surest first.

    Args:
        revision: The dataset.
        backbone: Name of the one whose features are looked at; the best whose weights
            are at hand if empty.
        source: Where its weights come from, as in `graph.build`.
        progress: Called with `doing`, one of `look`, `features`, `neighbours`, `copies`
            and `labels`, and the numbers `done` and `of`.
        table: A CSV file and its column that has the group of each image.
        resizing: How the pictures are resized for the backbone, as in `TrainConfig`.

    Raises:
        ConfigError: The table has no such column, or knows too few of the images.
        BackboneError: The backbone is not in the catalogue, or has no weights here.
        DatasetError: There is no image.
        StorageError: The disk is full.
    """
    if not revision.images:
        what = WORDS[revision.kind].images
        raise DatasetError(f'The dataset "{revision.title}" has no {what}.')

    def tell(doing: str) -> Callable[[int, int], None]:
        return lambda done, of: progress(doing=doing, done=done, of=of)

    # SciPy takes long to import, and most commands need none.
    from transfer.doctor import looks  # noqa: PLC0415

    hashes = [image.sha256 for image in revision.images]
    with scratch.folder() as folder:
        # Recordings are no pictures, and are not asked for their looks.
        beside = (
            looks.looking(hashes, revision.grey, folder, tell("look"))
            if revision.kind == "images"
            else nullcontext()
        )
        with beside as looked:
            everything = import_doctor()
            name = backbone or weights.default_backbone(revision.kind)
            seeing = name, source, resizing
            found: list[Finding] = everything.examine(
                revision, looked, folder, seeing, table, tell
            )
        return found


def import_doctor() -> ModuleType:
    """The module that examines; Keras comes first.

    What hides scikit-learn from Keras would hide it from cleanlab too.
    """
    with quickly():
        from transfer.backbones import graph  # noqa: F401, PLC0415
    from transfer.doctor import examine  # noqa: PLC0415

    return examine
