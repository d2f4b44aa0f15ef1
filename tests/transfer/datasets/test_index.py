"""Layouts are understood alike, however they are wrapped, ordered and spelled."""

import pytest

from transfer.datasets.index import Index, read_index
from transfer.errors import DatasetError


def read(*files: str, folders: tuple[str, ...] = ()) -> Index:
    return read_index(files, folders)


def found(index: Index) -> list[tuple[str, str, str | None]]:
    return [(entry.path, entry.class_name, entry.split) for entry in index.entries]


def test_read_index__class_folders() -> None:
    index = read("dog/1.jpg", "cat/2.jpg", "cat/1.jpg")
    assert index.class_names == ("cat", "dog")
    assert found(index) == [
        ("cat/1.jpg", "cat", None),
        ("cat/2.jpg", "cat", None),
        ("dog/1.jpg", "dog", None),
    ]


@pytest.mark.parametrize("wrap", ["", "flowers/", "a/b/c/", "val/", "test/"])
def test_read_index__wrapping_folders(wrap: str) -> None:
    index = read(f"{wrap}cat/1.jpg", f"{wrap}dog/1.jpg")
    assert index.class_names == ("cat", "dog")
    assert {entry.split for entry in index.entries} == {None}


def test_read_index__read_me_beside_the_wrapped_folder() -> None:
    index = read("README.txt", "flowers/cat/1.jpg", "flowers/dog/1.jpg")
    assert index.class_names == ("cat", "dog")
    assert [one.path for one in index.passed_over] == ["README.txt"]


@pytest.mark.parametrize("wrap", ["", "data/set/"])
@pytest.mark.parametrize(
    ("train", "val", "test"),
    [("train", "val", "test"), ("Train", "VALID", "TEST"), ("TRAIN", "Validation", "")],
)
def test_read_index__given_splits(wrap: str, train: str, val: str, test: str) -> None:
    splits = {train: "train", val: "val"} | ({test: "test"} if test else {})
    index = read(*(f"{wrap}{one}/{c}/1.jpg" for one in splits for c in ("cat", "dog")))
    assert index.class_names == ("cat", "dog")
    assert {(entry.path.split("/")[-3], entry.split) for entry in index.entries} == set(
        splits.items()
    )


def test_read_index__val_and_validation_are_one_split() -> None:
    names = ("train", "val", "validation")
    index = read(*(f"{name}/{c}/{name}.jpg" for name in names for c in "ab"))
    assert [entry.split for entry in index.entries].count("val") == 4


def test_read_index__only_train() -> None:
    index = read("set/train/cat/1.jpg", "set/train/dog/1.jpg")
    assert index.class_names == ("cat", "dog")
    assert {entry.split for entry in index.entries} == {"train"}


def test_read_index__class_missing_from_a_split_shifts_no_label() -> None:
    index = read(
        *(f"train/{name}/1.jpg" for name in ("ant", "bee", "cow")),
        *(f"val/{name}/2.jpg" for name in ("bee", "cow")),
        "test/cow/3.jpg",
    )
    assert index.class_names == ("ant", "bee", "cow")
    assert [e.class_name for e in index.entries if e.split == "val"] == ["bee", "cow"]


def test_read_index__other_folders_beside_the_splits() -> None:
    index = read("train/a/1.jpg", "train/b/1.jpg", "val/a/2.jpg", "sheets/all.jpg")
    assert index.class_names == ("a", "b")
    assert [(one.path, one.reason) for one in index.passed_over] == [
        ("sheets/all.jpg", "Not in a class folder.")
    ]


def test_read_index__train_beside_plane_is_a_class() -> None:
    assert read("train/1.jpg", "plane/1.jpg").class_names == ("plane", "train")


def test_read_index__order_of_the_listing_does_not_matter() -> None:
    files = [f"{name}/{number}.png" for name in "cab" for number in range(3)]
    assert read(*files) == read(*reversed(files))


def test_read_index__nested_folders_belong_to_their_class() -> None:
    index = read("cat/young/grey/1.jpg", "cat/2.jpg", "dog/1.jpg")
    assert [entry.class_name for entry in index.entries] == ["cat", "cat", "dog"]


@pytest.mark.parametrize(
    "extension",
    "jpg JPG Jpeg png bmp gif webp tif tiff heic HEIF avif".split(),
)
def test_read_index__extensions(extension: str) -> None:
    assert len(read(f"a/1.{extension}", "b/1.jpg").entries) == 2


def test_read_index__other_files_are_named() -> None:
    index = read("a/1.jpg", "a/notes.txt", "b/1.jpg", "b/jpg", "cover.png")
    assert [(one.path, one.reason) for one in index.passed_over] == [
        ("a/notes.txt", "Not an image file."),
        ("b/jpg", "Not an image file."),
        ("cover.png", "Not in a class folder."),
    ]


def test_read_index__accents_in_both_spellings_are_one_class() -> None:
    index = read("train/cafe\u0301/1.jpg", "train/tea/1.jpg", "val/caf\u00e9/2.jpg")
    assert index.class_names == ("caf\u00e9", "tea")


def test_read_index__names_that_are_not_utf8() -> None:
    index = read("caf\udce9/1.jpg", "tea/\udce9.jpg", "tea/\udce9.txt")
    assert index.class_names == ("caf?", "tea")
    assert index.entries[0].path == "caf\udce9/1.jpg"
    assert index.passed_over[0].path == "tea/?.txt"


@pytest.mark.parametrize(
    "files", [("1.jpg", "2.jpg"), ("train/1.jpg",), ("train/1.jpg", "val/2.jpg")]
)
def test_read_index__no_class_folders(files: tuple[str, ...]) -> None:
    with pytest.raises(DatasetError, match="no class folders") as caught:
        read(*files)
    assert "a folder of its own" in caught.value.hint


def test_read_index__nothing_at_all() -> None:
    with pytest.raises(DatasetError, match="no pictures in it"):
        read("notes.txt")


@pytest.mark.parametrize(
    "files", [("cat/1.jpg",), ("a/cat/1.jpg",), ("train/cat/1.jpg", "val/cat/2.jpg")]
)
def test_read_index__single_class(files: tuple[str, ...]) -> None:
    with pytest.raises(DatasetError, match='one class, "cat"; at least two'):
        read(*files)


def test_read_index__empty_class() -> None:
    with pytest.raises(DatasetError, match='This class holds no pictures: "dog"'):
        read("cat/1.jpg", folders=("cat", "dog"))
    with pytest.raises(DatasetError, match='These classes hold .*: "dog", "elk"'):
        read("cat/1.jpg", "elk/1.txt", folders=("dog/young",))


def test_read_index__class_that_is_not_in_train() -> None:
    with pytest.raises(DatasetError, match='no pictures in the train folder: "c"'):
        read("train/a/1.jpg", "train/b/1.jpg", "val/c/1.jpg")


def test_read_index__no_train_beside_val_and_test() -> None:
    with pytest.raises(DatasetError, match="folders test and val, but no train"):
        read("val/a/1.jpg", "val/b/1.jpg", "test/a/1.jpg")
