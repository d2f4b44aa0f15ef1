"""Two classes of pictures that any head can tell apart."""

from pathlib import Path

import pytest

from tests.pictures import make_pictures
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision


@pytest.fixture
def revision(workspace: Path, tmp_path: Path) -> Revision:
    """Two classes that differ in colour, 12 images each."""
    make_pictures(tmp_path / "pets", {"cat": 12, "dog": 12})
    return importer.import_path(tmp_path / "pets", "pets", val=0.25)
