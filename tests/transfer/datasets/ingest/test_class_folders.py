"""Layouts are understood alike, however they are wrapped, ordered and spelled."""

import io
from typing import Any

import pytest

from transfer.datasets import kinds
from transfer.datasets.ingest.class_folders import Index, read_index
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.ingest.sources import Source
from transfer.errors import ConfigError, DatasetError


def read(*files: str, folders: tuple[str, ...] = (), **reading: Any) -> Index:
    source = Source(
        files=dict.fromkeys(files, 1),
        pictures=frozenset(x for x in files if kinds.is_named_like("images", x)),
        folders=frozenset(folders),
        open=lambda path: io.BytesIO(),
    )
    return read_index(source, Reading(**reading))


def passed_over(index: Index) -> dict[str, str]:
    return {one.path: one.reason for one in index.passed_over}


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


@pytest.mark.parametrize("layout", [None, "splits"])
def test_read_index__only_train(layout: str | None) -> None:
    index = read("set/train/cat/1.jpg", "set/train/dog/1.jpg", layout=layout)
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
    "jpg JPG Jpeg jfif JPE png bmp gif webp tif tiff heic HEIF avif ppm pgm".split(),
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


def test_read_index__accents_in_both_spellings_side_by_side_are_said() -> None:
    index = read("cafe\u0301/1.jpg", "caf\u00e9/2.jpg", "tea/1.jpg")
    assert index.class_names == ("caf\u00e9", "tea")
    assert ["are one class" in note for note in index.notes] == [True]


def test_read_index__names_that_are_not_utf8_stay_apart() -> None:
    index = read("chat\udce9/1.jpg", "chat\udce8/1.jpg", "tea/\udce9.txt")
    assert index.class_names == ("chat\\xe8", "chat\\xe9")
    assert index.entries[0].path == "chat\udce8/1.jpg"
    assert "tea/\\xe9.txt" in passed_over(index)
    assert "written with escapes" in index.notes[0]


def test_read_index__two_folders_never_become_one_class_by_escapes() -> None:
    with pytest.raises(DatasetError, match="Two different folders"):
        read("chat\udce9/1.jpg", "chat\\xe9/1.jpg", "dog/1.jpg")


@pytest.mark.parametrize("sign", ["\n", "\r", "\t", "\x00", "\x1b", "\x85", "\u2028"])
def test_read_index__control_characters_never_reach_a_class_name(sign: str) -> None:
    index = read(f"cat{sign}line/1.jpg", "dog/1.jpg")
    assert len(index.class_names[0].splitlines()) == 1
    assert index.class_names[0].isprintable()
    assert "written with escapes" in index.notes[0]


@pytest.mark.parametrize("twin", ["Cat", "cat ", " cat", "C at"])
def test_read_index__classes_that_look_alike_are_said(twin: str) -> None:
    index = read("cat/1.jpg", f"{twin}/2.jpg", "dog/1.jpg")
    assert len(index.class_names) == 3
    assert "differ in upper and lower case or in spaces only" in index.notes[0]
    assert f'"{twin}"' in index.notes[0]


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


def test_read_index__an_empty_folder_is_named_and_the_rest_goes_on() -> None:
    index = read(
        "cat/1.jpg", "dog/1.jpg", "elk/1.txt", folders=("cat", "elk", "owl", "cat/old")
    )
    assert index.class_names == ("cat", "dog")
    assert passed_over(index) == {
        "elk": "A folder without pictures.",
        "elk/1.txt": "Not an image file.",
        "owl": "A folder without pictures.",
    }


def test_read_index__a_class_only_in_val_is_named_and_the_rest_goes_on() -> None:
    index = read(
        *(f"{split}/{name}/1.jpg" for split in ("train", "val") for name in "ab"),
        "val/c/1.jpg",
        "val/c/2.jpg",
    )
    assert index.class_names == ("a", "b") and len(index.entries) == 4
    assert passed_over(index) == {
        "val/c": '2 pictures of a class "c", of which train has none.'
    }


def test_read_index__a_class_in_other_case_in_val_is_said() -> None:
    index = read("train/Cat/1.jpg", "train/Dog/1.jpg", "val/cat/1.jpg")
    assert '"Cat" there differs in case or spaces only' in passed_over(index)["val/cat"]


@pytest.mark.parametrize("inside", ["", "test/"])
def test_read_index__an_unlabelled_test_is_named(inside: str) -> None:
    index = read("train/a/1.jpg", "train/b/1.jpg", f"test/{inside}9.jpg")
    assert index.class_names == ("a", "b")
    assert [*passed_over(index)] == [f"test/{inside or '9.jpg'}".rstrip("/")]


def test_read_index__a_stray_picture_beside_the_wrapped_folder() -> None:
    files = ("photos/cat/1.jpg", "photos/dog/1.jpg", "photos/top.jpg")
    index = read("cover.jpg", *files)
    assert index.class_names == ("cat", "dog")
    assert [*passed_over(index)] == ["cover.jpg", "photos/top.jpg"]


def test_read_index__classes_wrapped_inside_each_split() -> None:
    index = read(
        *(f"{s}/images/{c}/1.jpg" for s in ("train", "val") for c in ("cat", "dog"))
    )
    assert index.class_names == ("cat", "dog")
    assert [entry.split for entry in index.entries].count("val") == 2


def test_read_index__a_class_with_one_folder_inside_wraps_nothing() -> None:
    index = read("train/cat/1.jpg", "train/dog/1.jpg", "val/cat/young/2.jpg")
    assert [entry.class_name for entry in index.entries if entry.split == "val"] == [
        "cat"
    ]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Training", "Testing"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("training_set/training_set", "test_set/test_set"),
        ("Train_Data", "TestData"),
        ("train2017", "test2017"),
        ("训练集", "测试集"),
    ],
)
def test_read_index__splits_by_the_names_in_use(train: str, test: str) -> None:
    index = read(
        *(f"{one}/{name}/1.jpg" for one in (train, test) for name in ("cat", "dog"))
    )
    assert index.class_names == ("cat", "dog") and index.layout == "splits"
    assert {(e.path.split("/")[0], e.split) for e in index.entries} == {
        (train.split("/")[0], "train"),
        (test.split("/")[0], "test"),
    }
    assert f"{train.split('/')[0]} is train" in index.notes[0]


@pytest.mark.parametrize(
    "files",
    [
        ("training/1.jpg", "testing/1.jpg"),  # no folders inside: a gym
        ("training/a/1.jpg", "testing/b/1.jpg", "testing/c/1.jpg"),
        *(tuple(f"{t}/{s}/1.jpg" for t in ("test_a", "train_b", "bus") for s in "xy"),),
    ],
)
def test_read_index__names_in_use_without_the_structure_are_classes(
    files: tuple[str, ...],
) -> None:
    assert read(*files).layout == "classes"


def test_read_index__class_folders_with_splits_inside() -> None:
    index = read(
        *(f"{c}/{s}/1.jpg" for c in ("cats", "dogs") for s in ("train", "val")),
        "cats/cover.jpg",
    )
    assert index.class_names == ("cats", "dogs") and index.layout == "class-first"
    assert index.splits == {"train": "train", "val": "val"}
    assert [(entry.path, entry.split) for entry in index.entries] == [
        ("cats/cover.jpg", "train"),
        ("cats/train/1.jpg", "train"),
        ("cats/val/1.jpg", "val"),
        ("dogs/train/1.jpg", "train"),
        ("dogs/val/1.jpg", "val"),
    ]


PARTS = tuple(f"{year}/{name}/1.jpg" for year in ("2023", "2024") for name in "ab")


def test_read_index__the_same_folders_everywhere_are_asked_about() -> None:
    index = read(*PARTS)
    assert index.class_names == ("2023", "2024")
    assert "Every folder holds the same folders" in index.notes[0]


def test_read_index__what_is_said_of_the_layout_counts() -> None:
    index = read(*PARTS, layout="splits")
    assert index.class_names == ("a", "b")
    assert index.splits == {"2023": "train", "2024": "train"}
    index = read(*PARTS, layout="splits", splits={"2024": "test"})
    assert [entry.split for entry in index.entries] == ["train"] * 2 + ["test"] * 2
    index = read(*PARTS, layout="splits", splits={"2024": "left out"})
    assert len(index.entries) == 2 and len(index.passed_over) == 2
    index = read("train/a/1.jpg", "test/a/1.jpg", layout="classes")
    assert index.class_names == ("test", "train")


def test_read_index__a_split_inside_classes_can_be_left_out() -> None:
    files = [f"{c}/{s}/1.jpg" for c in "ab" for s in ("train", "val", "test")]
    index = read(*files, splits={"test": "left out"})
    assert {entry.split for entry in index.entries} == {"train", "val"}
    assert passed_over(index)["a/test/1.jpg"] == "In a folder that is left out."


@pytest.mark.parametrize("layout", ["splits", "classes"])
def test_read_index__a_split_that_is_not_there_is_named(layout: str) -> None:
    with pytest.raises(DatasetError, match='no folders "2025"'):
        read(*PARTS, layout=layout, splits={"2025": "test"})


def test_reading__refuses_what_it_does_not_know() -> None:
    with pytest.raises(ConfigError, match="rows") as caught:
        Reading(layout="rows")  # type: ignore[arg-type]
    assert "class-first" in caught.value.hint


def test_read_index__a_refusal_says_what_was_found() -> None:
    with pytest.raises(DatasetError, match=r'"cat/0.xyz".* \(8 of them .xyz\)'):
        read(*(f"cat/{number}.xyz" for number in range(8)))
    with pytest.raises(DatasetError, match='"dog": A folder without pictures'):
        read("cat/1.jpg", folders=("cat", "dog"))


def test_read_index__no_train_beside_val_and_test() -> None:
    with pytest.raises(DatasetError, match="folders test and val, but no train"):
        read("val/a/1.jpg", "val/b/1.jpg", "test/a/1.jpg")
