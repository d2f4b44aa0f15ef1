"""Datasets are found by name, share their images, and go without a trace."""

from pathlib import Path

import pytest

from tests.pictures import delete_dataset, make_pictures
from transfer.datasets import library, names
from transfer.datasets.ingest.importer import import_path
from transfer.errors import ConfigError, NameTakenError, NotFoundError, StorageError

pytestmark = pytest.mark.usefixtures("workspace")


@pytest.mark.parametrize(
    "name", ["a", "Flowers 2", "Blüten_v1.2-b", "花", "फूल", "x" * 64, "_", "1"]
)
def test_check_name__good(name: str) -> None:
    library.check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".hidden",
        "..",
        "a/b",
        "a\\b",
        "x" * 65,
        "a\n",
        "a:b",
        "a?",
        " a",
        "a\0",
    ],
)
def test_check_name__bad(name: str) -> None:
    with pytest.raises(ConfigError, match="1 to 64 letters"):
        library.check_name(name)


def test_check_name__taken_in_another_case(animals: Path) -> None:
    import_path(animals, "Animals")
    with pytest.raises(NameTakenError, match='named "Animals"'):
        library.check_name("ANIMALS")


def test_list_datasets__sorted_by_name(animals: Path) -> None:
    assert library.list_datasets() == []
    revisions = [import_path(animals, name) for name in ("b", "a")]
    assert library.list_datasets() == revisions[::-1]


def test_list_datasets__damaged_one_is_left_out(
    animals: Path, workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = import_path(animals, "good"), import_path(animals, "bad")
    (workspace / "datasets/bad" / f"{bad.id}.json").write_text("{")
    assert library.list_datasets() == [good]
    assert "bad is left out" in caplog.text


def test_load__by_revision(animals: Path) -> None:
    revision = import_path(animals, "a")
    assert library.load("a", revision.id) == revision


@pytest.mark.parametrize("name", ["b", "", "../a", "a/../a", "a\0"])
def test_load__no_such_dataset(animals: Path, name: str) -> None:
    import_path(animals, "a")
    with pytest.raises(NotFoundError, match="The page Data"):
        library.load(name)


@pytest.mark.parametrize("revision", ["0" * 16, "../a/newest", "newest"])
def test_load__no_such_revision(animals: Path, revision: str) -> None:
    import_path(animals, "a")
    with pytest.raises(NotFoundError, match="no revision"):
        library.load("a", revision)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"class_names": 3}'])
def test_load__damaged_manifest(animals: Path, workspace: Path, content: str) -> None:
    revision = import_path(animals, "a")
    (workspace / "datasets/a" / f"{revision.id}.json").write_text(content)
    with pytest.raises(StorageError, match="import it again"):
        library.load("a")


def test_image_path__only_hashes() -> None:
    assert library.image_path("ab" * 32).parts[-3:] == ("images", "ab", "ab" * 32)
    for wrong in ("", "../../etc/passwd", "AB" * 32, "ab" * 31):
        with pytest.raises(NotFoundError, match="stored image"):
            library.image_path(wrong)


def test_delete__keeps_the_images_of_others(tmp_path: Path, workspace: Path) -> None:
    folder = make_pictures(tmp_path / "a", {"cat": 2, "dog": 2})
    smaller = import_path(folder, "smaller")
    make_pictures(folder, {"cat": 4, "dog": 4})
    larger = import_path(folder, "larger")
    delete_dataset("larger")
    assert library.list_datasets() == [smaller]
    left = {path.name for path in workspace.glob("images/*/*")}
    assert left == {image.sha256 for image in smaller.images}
    assert len(left) < len(larger.images)
    delete_dataset("smaller")
    assert not list(workspace.glob("images/*/*"))


def test_delete__no_such_dataset() -> None:
    with pytest.raises(NotFoundError, match='no dataset named "a"'):
        delete_dataset("a")


def test_delete__name_is_free_again(animals: Path) -> None:
    import_path(animals, "a")
    delete_dataset("a")
    library.check_name("a")
    assert import_path(animals, "a").dataset == "a"


def test_delete__damaged_manifest_of_another_keeps_the_images(
    animals: Path, workspace: Path
) -> None:
    import_path(animals, "a")
    import_path(animals, "b")
    next((workspace / "datasets" / "b").glob("*.json")).write_text("{")
    delete_dataset("a")
    assert [*(workspace / "images").glob("*/*")]


@pytest.mark.parametrize("name", ["a@0a1b2c3d", "größe 2@0a1b2c3d"])
def test_check_name__may_say_whose_it_is(name: str) -> None:
    library.check_name(name)
    assert names.kept_under(names.title(name), names.owner(name)) == name


@pytest.mark.parametrize("name", ["@0a1b2c3d", "a@", "a@b", "a@0a1b2c3d@0a1b2c3d"])
def test_check_name__nothing_else_goes_behind_it(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        library.check_name(name)
