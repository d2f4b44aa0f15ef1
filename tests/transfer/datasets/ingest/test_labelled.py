"""Datasets whose classes a file says: tables, labelling tools, and `.tm` projects."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pictures import make_pictures, noisy_picture
from tests.transfer.datasets.ingest.test_label_files import CVAT
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.ingest.preview import preview
from transfer.datasets.revision import Revision
from transfer.errors import DatasetError

Zipped = Callable[[dict[str, bytes]], Path]


@pytest.fixture(autouse=True)
def home(workspace: Path) -> Path:
    return workspace


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    noisy_picture(0.5, seed=seed).save(buffer, "PNG")
    return buffer.getvalue()


def pictures(*paths: str) -> dict[str, bytes]:
    return {path: png(seed) for seed, path in enumerate(paths)}


def told(revision: Revision) -> dict[str, tuple[str, str]]:
    """Class and split by path."""
    names = revision.class_names
    return {one.path: (names[one.label], one.split) for one in revision.images}


def test_import__images_beside_a_table(zipped: Zipped) -> None:
    table = b"file_name,label,split\n1.png,cat,train\n2.png,dog,train\n3.png,cat,val\n"
    files = pictures("set/images/1.png", "set/images/2.png", "set/images/3.png")
    revision = import_path(zipped(files | {"set/labels.csv": table}), "pets")
    assert told(revision) == {
        "set/images/1.png": ("cat", "train"),
        "set/images/2.png": ("dog", "train"),
        "set/images/3.png": ("cat", "val"),
    }
    assert revision.notes == ('The labels are those of "set/labels.csv".',)
    assert (revision.split_source, revision.passed_over) == ("given", ())


def test_import__ids_without_ending(tmp_path: Path) -> None:
    make_pictures(tmp_path / "set", {"train": 4})
    rows = "".join(f"train_{n},{'cat' if n % 2 else 'dog'}\n" for n in range(4))
    (tmp_path / "set" / "labels.csv").write_text(f"id,breed\n{rows}")
    revision = import_path(tmp_path / "set", "pets", val=0)
    assert revision.class_names == ("cat", "dog")
    assert len(revision.images) == 4


def test_import__cvat(zipped: Zipped) -> None:
    files = pictures("images/a.jpg", "images/c.jpg", "images/d.jpg", "images/b.jpg")
    more = '<image id="3" name="d.jpg"><tag label="dog"/></image></annotations>'
    xml = CVAT.replace("</annotations>", more).encode()
    revision = import_path(zipped(files | {"annotations.xml": xml}), "pets")
    assert told(revision) == {
        "images/a.jpg": ("cat", "train"),
        "images/b.jpg": ("dog", "val"),
        "images/d.jpg": ("dog", "train"),
    }
    (left,) = revision.passed_over
    assert (left.path, left.reason) == (
        "images/c.jpg",
        "No file of labels gives it one.",
    )


def test_import__label_studio_beside_the_files_as_they_were(zipped: Zipped) -> None:
    files = pictures("photos/a b.png", "photos/b.png", "0a1b2c3d-c.png")
    table = (
        b"id,image,choice\n1,/data/upload/1/2a06d5c7-b.png,dog\n"
        b"2,/data/local-files/?d=photos%2Fa%20b.png,cat\n3,c.png,cat\n"
    )
    revision = import_path(zipped(files | {"project-1.csv": table}), "pets", val=0)
    assert {path: name for path, (name, _) in told(revision).items()} == {
        "photos/a b.png": "cat",
        "photos/b.png": "dog",
        "0a1b2c3d-c.png": "cat",
    }


def test_import__label_studio_of_files_on_its_server(zipped: Zipped) -> None:
    # As one that students published: the folder is called otherwise there, and JSON's
    # strokes are escaped.
    tasks = ",".join(
        '{"id":74605,"annotations":[{"id":68509,"completed_by":1,"result":[{"value":'
        f'{{"choices":["{label}"]}},"id":"z1","from_name":"choice","to_name":"image",'
        '"type":"choices","origin":"manual"}],"was_cancelled":false,"prediction":{}}],'
        '"drafts":[],"predictions":[],"meta":{},"inner_id":1,"data":{"image":'
        f'"\\/data\\/local-files\\/?d=some_ds\\/imgs\\/{name}.png"}}}}'
        for name, label in (("a_1", "GROOVED"), ("b_2", "VIGNOL"))
    )
    files = pictures("some_ds/images/a_1.png", "some_ds/images/b_2.png")
    labels = {"some_ds/labels/labels_some_ds.json": f"[{tasks}]".encode()}
    revision = import_path(zipped(files | labels), "rails", val=0)
    assert {path: name for path, (name, _) in told(revision).items()} == {
        "some_ds/images/a_1.png": "GROOVED",
        "some_ds/images/b_2.png": "VIGNOL",
    }
    assert not revision.passed_over


def test_import__roboflow_has_a_table_in_each_split(zipped: Zipped) -> None:
    files = pictures("train/1.png", "train/2.png", "valid/1.png")
    table = b"filename, cat, dog\n1.png, 1, 0\n2.png, 0, 1\n"
    more = {"train/_classes.csv": table, "valid/_classes.csv": table}
    revision = import_path(zipped(files | more), "pets")
    assert told(revision) == {
        "train/1.png": ("cat", "train"),
        "train/2.png": ("dog", "train"),
        "valid/1.png": ("cat", "val"),
    }


def test_import__a_project_of_zips_of_each_class(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "project.tm", "w") as project:
        project.writestr("manifest.json", '{"type":"image","version":"2.4.7"}')
        for place, name in enumerate(("Rock", "Paper & more")):
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as inner:
                for number in range(3):
                    inner.writestr(f"{number}.png", png(10 * place + number))
            project.writestr(f"{name}-!-{place}.zip", buffer.getvalue())
    revision = import_path(tmp_path / "project.tm", "hands", val=0)
    assert revision.counts() == {
        "Paper & more": {"train": 3, "val": 0, "test": 0},
        "Rock": {"train": 3, "val": 0, "test": 0},
    }


def test_import__teachable_machine_names_pictures_by_their_class(
    tmp_path: Path,
) -> None:
    # As real projects of 2021 to 2023 have it, with the space after a name too.
    with zipfile.ZipFile(tmp_path / "project.tm", "w") as project:
        for place, name in enumerate(("Not enough", "blue ")):
            for number in range(3):
                project.writestr(f"{name}-!-{number}.jpg", png(10 * place + number))
        project.writestr("manifest.json", '{"type":"image","version":"2.4.5"}')
    revision = import_path(tmp_path / "project.tm", "words", val=0)
    assert revision.counts() == {
        "Not enough": {"train": 3, "val": 0, "test": 0},
        "blue": {"train": 3, "val": 0, "test": 0},
    }


def test_import__a_broken_zip_inside_is_passed_over(zipped: Zipped) -> None:
    files = pictures("a/1.png", "b/2.png") | {"c.zip": b"PK\x03\x04 no more"}
    revision = import_path(zipped(files), "pets", val=0)
    assert [one.path for one in revision.passed_over] == ["c.zip"]


def test_import__class_folders_beside_some_other_table_stay(animals: Path) -> None:
    (animals / "weather.csv").write_text("file,label\ncat_0.png,sun\nx.png,rain\n")
    assert import_path(animals, "pets").class_names == ("cat", "dog")


def test_import__a_table_that_is_asked_for_and_not_there(animals: Path) -> None:
    with pytest.raises(DatasetError, match="columns file_name and label"):
        preview(animals, Reading(layout="labels"))


def test_import__folders_that_are_asked_for_despite_a_table(animals: Path) -> None:
    rows = [
        f"{one.name},{number % 2}" for number, one in enumerate(animals.glob("*/*"))
    ]
    (animals / "x.csv").write_text("\n".join(["file,label", *rows]))
    assert import_path(animals, "a").class_names == ("0", "1")
    folders = Reading(layout="classes")
    assert import_path(animals, "b", reading=folders).class_names == ("cat", "dog")


def test_import__a_picture_of_several_labels_is_passed_over(zipped: Zipped) -> None:
    table = b"filename,cat,dog\n1.png,1,0\n2.png,0,1\n3.png,1,1\n"
    files = pictures("1.png", "2.png", "3.png") | {"_classes.csv": table}
    revision = import_path(zipped(files), "pets", val=0)
    assert revision.passed_over[0].reason == 'It has several labels: "cat", "dog".'
