"""The pictures in a folder or zip, whatever folders they lie in."""

import shutil
from contextlib import suppress
from pathlib import Path, PurePosixPath

from transfer import workspace
from transfer.datasets import names
from transfer.datasets.ingest import class_folders, staging, uploads
from transfer.datasets.ingest.sources import DAMAGED, Source, open_source
from transfer.datasets.revision import Kind
from transfer.datasets.wording import WORDS
from transfer.errors import DatasetError, ImageError


def list_pictures(
    path: Path, folder: Path, kind: Kind = "images"
) -> list[tuple[str, Path]]:
    """Path inside the folder or zip, and a file, of each picture; sorted.

    Args:
        path: The folder or .zip.
        folder: Where pictures of a zip are unpacked to, each in a folder of its own.
        kind: What is looked for: pictures, or recordings.

    Raises:
        DatasetError: There is nothing at `path` or no picture in it, or the zip is not
            safe to unpack.
        StorageError: The disk is full or `folder` cannot be written.
    """
    with open_source(path, kind=kind) as source:
        listed = sorted(source.pictures)
        if not listed:
            passed_over = [*source.passed_over, *class_folders.no_pictures(source)]
            found = class_folders.what_is_there(passed_over)
            raise DatasetError(f"There is no {WORDS[kind].picture} in it.{found}")
        if path.is_dir():
            return [
                (names.showable(name), Path(source.on_disk[name])) for name in listed
            ]
        with workspace.writing(folder):
            workspace.make_folder(folder)
            staging.check_space(sum(source.files[name] for name in listed), folder)
        return [
            (
                names.showable(name),
                _unpack(source, name, folder / _target(number, name)),
            )
            for number, name in enumerate(listed)
        ]


def _target(number: int, name: str) -> Path:
    """Where a picture is unpacked to; messages about it show the last part."""
    # A folder for each: two pictures of one name must not take each other's place.
    shown = names.showable(PurePosixPath(name).name)
    return Path(f"{number:07}", *uploads.safe_path(shown).parts)


def _unpack(source: Source, name: str, target: Path) -> Path:
    """The picture as a file; of one that is damaged or too large, what can be read.

    Decoding it then tells what is wrong with it.
    """
    with workspace.writing(target):
        workspace.make_folder(target.parent)
        with target.open("wb") as file, suppress(ImageError, *DAMAGED):
            staging.check_bytes(source.files[name])
            with source.open(name) as packed:
                shutil.copyfileobj(packed, file)
    return target
