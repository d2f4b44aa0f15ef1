"""Class folders of tiny pictures, and zips of them."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pictures import make_pictures
from tests.sounds_made import encode
from tests.sounds_made import tone as make_tone
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.revision import Revision


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """A folder with the classes cat (5 pictures) and dog (3)."""
    return make_pictures(tmp_path / "animals", {"cat": 5, "dog": 3})


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """Makes a zip of these contents by name, exactly as named."""

    def make(contents: dict[str, bytes]) -> Path:
        path = tmp_path / "pictures.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in contents.items():
                archive.writestr(zipfile.ZipInfo(name), content)
        return path

    return make


@pytest.fixture
def pets(workspace: Path, animals: Path) -> Revision:
    """A dataset with the classes cat and dog."""
    return import_path(animals, "pets")


@pytest.fixture
def tone() -> bytes:
    """A note of half a second as a WAV file."""
    return encode(make_tone(400))
