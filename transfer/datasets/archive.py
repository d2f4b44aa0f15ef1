"""A dataset as a zip to take away, from which the same dataset can be made again."""

import csv
import io
import re
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

from transfer import workspace
from transfer.datasets import library, names
from transfer.datasets.decoding import IMAGE_EXTENSIONS
from transfer.datasets.kinds import SOUND_EXTENSIONS
from transfer.datasets.revision import Image, Revision
from transfer.errors import ConfigError, NotFoundError, StorageError

#: `folders`: a folder for each split, with class folders inside. `csv`: all images in
#: one folder, and a table that says class and split.
Form = Literal["folders", "csv"]
FORMS: tuple[Form, ...] = get_args(Form)
TABLE = "labels.csv"
#: Seconds for which a zip is kept for a download; it is as large as the dataset.
MAX_AGE = 86_400.0
#: What Windows takes in no name, and nobody at its end.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/|?*\\]|^\.+$|[. ]+$')


def key(revision: Revision, form: Form) -> str:
    """Names the zip that is kept for a download, in links too."""
    return f"{revision.id}-{form}"


def path_of(revision: Revision, form: Form) -> Path:
    """Where the zip for a download is kept, whether or not it is there."""
    return _folder(key(revision, form)) / f"{revision.title}.zip"


def find(named: str, dataset: str) -> Path:
    """The zip of this key, of the dataset of this name: others may have the same one.

    Raises:
        NotFoundError: There is none, or no more.
    """
    if re.fullmatch("[0-9a-f]{16}-[a-z]+", named):
        for path in _folder(named).glob("[!.]*.zip"):
            if path.stem == names.title(dataset):
                return path
    raise NotFoundError("This zip is not kept any more.", "Have it made again.")


def discard_old(max_age: float = MAX_AGE) -> None:
    """Removes the zips that are older than so many seconds."""
    for folder in workspace.home().glob("dataset-exports/*"):
        with suppress(OSError):
            if folder.stat().st_mtime < time.time() - max_age:
                shutil.rmtree(folder, ignore_errors=True)


def _folder(named: str) -> Path:
    return workspace.home() / "dataset-exports" / named


def write(
    revision: Revision,
    output: Path,
    form: Form = "folders",
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """The zip of a dataset's images, without those that are left out.

    Args:
        revision: The images.
        output: Where it is written; what is there is replaced, once it is whole.
        form: One of `FORMS`. The table lies beside class folders too where the name of
            a class can be no folder everywhere.
        progress: Called with the number of images done and of all.

    Raises:
        ConfigError: The form is not known.
        StorageError: An image is gone, or the disk is full.
    """
    if form not in FORMS:
        raise ConfigError(f'"{form}" is no form.', f"The forms: {', '.join(FORMS)}.")
    placed = list(_paths(revision, form))
    folders = {_safe(name) for name in revision.class_names}
    has_table = form == "csv" or folders != {*revision.class_names}
    partial = output.with_name(f".{output.name}.partial")
    with workspace.writing(output):
        workspace.make_folder(output.parent)
        try:
            with zipfile.ZipFile(partial, "w") as archive:
                if has_table:
                    archive.writestr(TABLE, _table(revision, placed))
                for number, (image, path) in enumerate(placed, start=1):
                    _add(archive, image, path)
                    if progress:
                        progress(number, len(placed))
            partial.replace(output)
        finally:
            partial.unlink(missing_ok=True)
    return output


def _paths(revision: Revision, form: Form) -> Iterator[tuple[Image, str]]:
    """Each image with its path in the zip; no two have the same."""
    taken = set[str]()
    for image in revision.images:
        folder = "images"
        if form == "folders":
            folder = f"{image.split}/{_safe(revision.class_names[image.label])}"
        path = f"{folder}/{_file_name(image)}"
        # Some file systems do not tell upper and lower case apart.
        if path.casefold() in taken:
            path = f"{folder}/{image.sha256[:12]}-{_file_name(image)}"
        taken.add(path.casefold())
        yield image, path


def _file_name(image: Image) -> str:
    name = PurePosixPath(image.path)
    stem, ending = _safe(name.stem)[:100] or "image", name.suffix.lower()
    return (
        f"{stem}{name.suffix if ending in IMAGE_EXTENSIONS | SOUND_EXTENSIONS else ''}"
    )


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", names.showable(name))


def _table(revision: Revision, placed: list[tuple[Image, str]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["file_name", "label", "split"])
    for image, path in placed:
        table.writerow([path, revision.class_names[image.label], image.split])
    return text.getvalue()


def _add(archive: zipfile.ZipFile, image: Image, path: str) -> None:
    # Pictures are packed already; and one time for all, so that equal datasets make
    # equal zips.
    info = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o644 << 16
    try:
        content = library.image_path(image.sha256).read_bytes()
    except OSError as error:
        raise StorageError(
            f"The file {image.path} is gone from the workspace ({error.strerror}).",
            "Leave it out, or restore the workspace from a backup.",
        ) from error
    archive.writestr(info, content)
