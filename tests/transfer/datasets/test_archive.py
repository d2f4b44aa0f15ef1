"""What is taken away makes the same dataset again."""

import zipfile
from pathlib import Path

import pytest

from transfer.datasets import archive, classes, editing
from transfer.datasets.archive import Form
from transfer.datasets.ingest.adding import add_path
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.revision import Revision
from transfer.errors import StorageError


def content(revision: Revision) -> set[tuple[str, str, str]]:
    """Hash, class and split of each image."""
    names = revision.class_names
    return {(one.sha256, names[one.label], one.split) for one in revision.images}


@pytest.mark.parametrize("form", archive.FORMS)
@pytest.mark.parametrize("name", ["tomcat", 'a "wild" cat.'])
def test_write__import_of_it_is_the_same_dataset(
    pets: Revision, tmp_path: Path, form: Form, name: str
) -> None:
    classes.rename("pets", "cat", name)
    editing.leave_out("pets", [pets.images[0].path], "dark")
    editing.move_to_split("pets", [pets.images[1].path], "test")
    revision = editing.move("pets", [pets.images[2].path], "dog")
    path = archive.write(revision, tmp_path / "out" / "pets.zip", form)
    again = import_path(path, "again")
    assert content(again) == content(revision)
    assert again.class_names == revision.class_names
    assert not again.passed_over
    assert archive.write(again, tmp_path / "b.zip", form).exists()


def test_write__folders_have_a_table_only_where_a_name_is_no_folder(
    pets: Revision, tmp_path: Path
) -> None:
    plain = archive.write(pets, tmp_path / "a.zip")
    assert archive.TABLE not in zipfile.ZipFile(plain).namelist()
    renamed = classes.rename("pets", "cat", "cat?")
    written = archive.write(renamed, tmp_path / "b.zip")
    assert archive.TABLE in zipfile.ZipFile(written).namelist()
    assert "train/cat_/cat_1.png" in zipfile.ZipFile(written).namelist()


def test_write__two_files_of_one_name_keep_both(
    pets: Revision, tmp_path: Path, animals: Path
) -> None:
    (animals / "dog" / "CAT_0.png").write_bytes(
        (animals / "dog" / "dog_0.png").read_bytes() + b"\0"
    )
    revision = add_path(animals / "dog" / "CAT_0.png", "pets", "cat").revision
    path = archive.write(revision, tmp_path / "a.zip", "csv")
    names = [name.casefold() for name in zipfile.ZipFile(path).namelist()]
    assert len({*names}) == len(names) == len(revision.images) + 1


def test_write__a_lost_image_is_said_and_nothing_is_left(
    pets: Revision, tmp_path: Path, workspace: Path
) -> None:
    next(workspace.glob(f"images/*/{pets.images[0].sha256}")).unlink()
    with pytest.raises(StorageError, match="is gone from the workspace.*Leave it out"):
        archive.write(pets, tmp_path / "out" / "a.zip")
    assert not list((tmp_path / "out").iterdir())
