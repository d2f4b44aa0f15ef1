"""The datasets of the workspace: found by name, loaded, stored, deleted.

An image is a file `images/ab/abcd…` named by its SHA-256, stored once for all datasets;
a revision is `datasets/NAME/REVISION.json`, and `datasets/NAME/newest` holds the id of
the newest. A dataset exists once that last file does.
"""

import logging
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from transfer import workspace
from transfer.datasets import manifest, names
from transfer.datasets.lock import one_writer
from transfer.datasets.revision import Change, Revision
from transfer.errors import ConfigError, NameTakenError, NotFoundError, StorageError

MAX_NAME_LENGTH = 64

#: File in the folder of a run, or of a dataset's pile, that lists the images which it
#: keeps, a hash a line.
KEPT = "kept-images.txt"

_log = logging.getLogger(__name__)


def list_datasets(among: Iterable[str] | None = None) -> list[Revision]:
    """The newest revision of each dataset, sorted by name.

    Args:
        among: Names of those that are wanted; all if not given.
    """
    revisions = []
    for name in all_names() if among is None else sorted(among):
        try:
            revisions.append(load(name))
        except (NotFoundError, StorageError) as error:
            # Deleted since it was listed, or damaged: the others must still be shown.
            _log.warning("The dataset %s is left out: %s", name, error)
    return revisions


def all_names() -> list[str]:
    """The names of the datasets, sorted."""
    found = workspace.home().glob("datasets/*/newest")
    return sorted(newest.parent.name for newest in found)


def folder_of(name: str) -> Path:
    """The folder with the revisions of a dataset.

    Raises:
        NotFoundError: There is no dataset of that name.
    """
    folder = workspace.home() / "datasets" / name
    if not _is_valid(name) or not (folder / "newest").is_file():
        # Without the names of those that there are: they may be somebody else's.
        raise NotFoundError(
            f'There is no dataset named "{names.title(name)}".',
            "The page Data, and the command `datasets`, list those that there are.",
        )
    return folder


def load(name: str, revision: str = "") -> Revision:
    """A revision of the dataset, the newest if none is named.

    Raises:
        NotFoundError: There is no dataset or no revision of that name.
        StorageError: The manifest cannot be read, or a newer version wrote it.
    """
    folder = folder_of(name)
    try:
        revision = revision or (folder / "newest").read_text("utf-8")
        path = folder / f"{revision}.json"
        if not re.fullmatch("[0-9a-f]{16}", revision) or not path.is_file():
            raise NotFoundError(
                f'The dataset "{names.title(name)}" has no revision "{revision}".',
                "Leave the revision empty for the newest.",
            )
        found = manifest.read(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f'The manifest of the dataset "{names.title(name)}" in {folder} cannot be '
            f"read: {error}.",
            "Restore the folder from a backup, or delete the dataset and import it "
            "again.",
        ) from error
    # One that was restored from the trash may have another name than it was written by.
    return found if found.dataset == name else replace(found, dataset=name)


def newest_in(folder: Path) -> Path:
    """The manifest of the newest revision of a dataset's folder, be it in the trash.

    Raises:
        OSError, ValueError: There is none.
    """
    return folder / f"{(folder / 'newest').read_text('utf-8')}.json"


def image_path(sha256: str) -> Path:
    """Where the image of this hash is stored, whether or not it is there.

    Raises:
        NotFoundError: That is no SHA-256 in hexadecimal digits.
    """
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise NotFoundError(f'"{sha256}" is not the name of a stored image.')
    return workspace.home() / "images" / sha256[:2] / sha256


def check_name(name: str) -> None:
    """Checks that a new dataset may have this name, or be kept under it.

    Raises:
        ConfigError: It has characters that a dataset's name cannot have, or too many.
        NameTakenError: A dataset of that name exists, be it in other upper and lower
            case, which some file systems do not tell apart.
    """
    if not _is_valid(name):
        raise ConfigError(
            f'The name "{name}" cannot be used. A dataset\'s name has 1 to '
            f"{MAX_NAME_LENGTH} letters, digits, spaces or characters of - _ . and "
            "neither starts with a dot nor starts or ends with a space."
        )
    for taken in all_names():
        if taken.casefold() == name.casefold():
            raise NameTakenError(
                f'There is already a dataset named "{names.title(taken)}".',
                "Choose another name or delete that dataset first.",
            )


def store(revision: Revision, staged: dict[str, Path]) -> None:
    """Adds the dataset to the workspace, whole or not at all.

    Args:
        revision: The first revision of a new dataset.
        staged: A file of the workspace by SHA-256, for every image; they are moved.

    Raises:
        NameTakenError: Another import took the name in the meantime.
        StorageError: The workspace cannot be written.
    """
    folder = workspace.home() / "datasets" / revision.dataset
    with one_writer():
        check_name(revision.dataset)
        # What was there before belongs to other datasets and stays, come what may.
        new = [sha256 for sha256 in staged if not image_path(sha256).exists()]
        try:
            take_files(staged)
            manifest.write(folder / f"{revision.id}.json", revision)
            workspace.write_atomically(folder / "newest", revision.id.encode())
        # Ctrl+C too: half a dataset would hold its name for good.
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            for sha256 in new:
                image_path(sha256).unlink(missing_ok=True)
            raise


def amend(
    name: str,
    change: Callable[[Revision], Change | None],
    staged: Mapping[str, Path] = {},  # noqa: B006
) -> Revision:
    """The next revision of a dataset; earlier ones stay, for the runs that name them.

    Args:
        name: The dataset.
        change: Says what is to be changed of the newest revision, or None for nothing;
            called while no other writer is at work.
        staged: A file of the workspace by SHA-256, for every image that is new; they
            are moved.

    Raises:
        NotFoundError: There is no dataset of that name.
        StorageError: The workspace cannot be written.
    """
    with one_writer():
        newest = load(name)
        wanted = change(newest)
        if wanted is None:
            return newest
        take_files(staged)
        folder = workspace.home() / "datasets" / name
        revision = manifest.append(folder / f"{newest.id}.json", wanted)
        # Last: who is interrupted before leaves a file that nobody names, and no more.
        workspace.write_atomically(folder / "newest", revision.id.encode())
        return revision


def take_files(staged: Mapping[str, Path]) -> None:
    """Moves files into the image store, for one who holds it alone.

    Args:
        staged: A file of the workspace by SHA-256.

    Raises:
        StorageError: The workspace cannot be written.
    """
    for sha256, path in staged.items():
        _move(path, image_path(sha256))


def remove_unused_images() -> None:
    """Removes the images that no dataset uses and no run keeps; the trash counts.

    Raises:
        StorageError: The workspace cannot be written.
    """
    with one_writer(), workspace.writing(workspace.home() / "images"):
        _remove_unused_images()


def _is_valid(kept_under: str) -> bool:
    name, owner = names.title(kept_under), names.owner(kept_under)
    if kept_under != names.kept_under(name, owner):
        return False
    # Marks, the M categories, are part of the letters of many scripts.
    return (
        1 <= len(name) <= MAX_NAME_LENGTH
        and re.fullmatch("(?:[0-9a-f]{8})?", owner) is not None
        and not name.startswith(".")
        and name == name.strip()
        and all(c in " -_." or unicodedata.category(c)[0] in "LMN" for c in name)
    )


def _move(source: Path, target: Path) -> None:
    with workspace.writing(target):
        workspace.make_folder(target.parent)
        # Also over a file that is there: should it be damaged, this mends it.
        source.replace(target)


def _remove_unused_images() -> None:
    used: set[str] = set()
    try:
        for folder in ("datasets", "trash/dataset"):
            for path in workspace.home().glob(f"{folder}/*/*.json"):
                used |= manifest.hashes(path)
    except (OSError, ValueError, TypeError, KeyError, StorageError) as error:
        # What a damaged manifest needs, or one of a newer version of the program, is
        # not known, so all images stay.
        _log.warning("No images are removed, a manifest cannot be read: %s", error)
        return
    for folder in ("runs/*", "trash/run/*", "datasets/*/pile", "trash/dataset/*/pile"):
        for kept in workspace.home().glob(f"{folder}/{KEPT}"):
            used.update(kept.read_text("ascii").split())
    for folder in ("images", "thumbnails"):
        for path in workspace.home().glob(f"{folder}/*/*"):
            # The name of a thumbnail goes on after the hash, with a mark of its range.
            if path.name[:64] not in used:
                path.unlink(missing_ok=True)
