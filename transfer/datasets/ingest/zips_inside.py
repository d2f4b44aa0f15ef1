"""What a zip holds in place of folders: zips, and pictures named by their class.

Zips inside a zip are read as the folders that they were made of. A project of Teachable
Machine, its `.tm`, is a zip without folders, in which each picture is called by its
class and its place there, such as `Roses-!-0.jpg`.
"""

import re
import shutil
import tempfile
import zipfile
from contextlib import ExitStack

from transfer import workspace
from transfer.datasets import kinds
from transfer.errors import DatasetError

#: Bytes of the largest that is opened inside another: it lies on disk meanwhile.
MAX_BYTES = 4 << 30
#: What Teachable Machine adds to the name of a class.
_PLACE = re.compile(r"-!-\d+(\.\w+)?$")


def folder_name(name: str) -> str:
    """The folder that a zip of this name stands for."""
    return _PLACE.sub("", name.rpartition(".")[0])


def in_class_folder(name: str) -> str:
    """Where a file at the top of a zip belongs: below the class that its name says."""
    above = _PLACE.sub("", name).strip()
    is_placed = "/" not in name and _PLACE.search(name) and above
    return f"{above}/{name}" if is_placed else name


def unpack(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, stack: ExitStack
) -> zipfile.ZipFile | None:
    """A zip inside another, opened until the stack is closed; None where it is none.

    Raises:
        DatasetError: It is too large.
        StorageError: The workspace cannot be written.
    """
    if not kinds.is_zip(info.filename):
        return None
    if info.file_size > MAX_BYTES:
        raise DatasetError(
            f"{info.filename} inside the zip has {workspace.amount(info.file_size)}; "
            f"at most {workspace.amount(MAX_BYTES)} are opened there.",
            "Unpack the outer zip yourself, and import the folder.",
        )
    folder = workspace.folder("importing")
    with workspace.writing(folder):
        # A file of its own: in a packed one, each jump back would unpack it anew.
        file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
        try:
            with archive.open(info) as packed:
                shutil.copyfileobj(packed, file)
            return stack.enter_context(zipfile.ZipFile(file))
        except (zipfile.BadZipFile, EOFError, ValueError, RuntimeError):
            return None  # damaged, or no zip at all: named with what is passed over
