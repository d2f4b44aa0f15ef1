"""The pictures in a folder or zip, whatever folders they lie in."""

import lzma
import shutil
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath

from transfer import uploads, workspace
from transfer.datasets import index, staging
from transfer.datasets.images import IMAGE_EXTENSIONS
from transfer.datasets.sources import Source, open_source
from transfer.errors import ImageError

#: What reading a damaged zip raises.
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


def found(path: Path, folder: Path) -> list[tuple[str, Path]]:
    """Path inside the folder or zip, and a file, of each picture; sorted.

    Args:
        path: The folder or .zip.
        folder: Where pictures of a zip are unpacked to, each in a folder of its own.

    Raises:
        DatasetError: There is nothing at `path`, or the zip is not safe to unpack.
        StorageError: The disk is full or `folder` cannot be written.
    """
    with open_source(path) as source:
        names = sorted(name for name in source.files if _is_picture(name))
        if path.is_dir():
            return [(index.shown(name), path / name) for name in names]
        with workspace.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            staging.check_space(sum(source.files[name] for name in names), folder)
        return [
            (index.shown(name), _unpacked(source, name, folder / _target(number, name)))
            for number, name in enumerate(names)
        ]


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in IMAGE_EXTENSIONS


def _target(number: int, name: str) -> Path:
    """Where a picture is unpacked to; messages about it show the last part."""
    shown = index.shown(PurePosixPath(name).name)
    return Path(f"{number:07}", *uploads.safe_path(shown).parts)


def _unpacked(source: Source, name: str, target: Path) -> Path:
    """The picture as a file; of one that is damaged or too large, what can be read.

    Decoding it then tells what is wrong with it.
    """
    with workspace.writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file, suppress(ImageError, *_DAMAGED):
            staging.check_bytes(source.files[name])
            with source.open(name) as packed:
                shutil.copyfileobj(packed, file)
    return target
