"""Who brings sounds is told of recordings, and names of classes stay what they are."""

from pathlib import Path

import pytest

from tests.sounds_made import make_sounds
from transfer.datasets.ingest import adding
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.ingest.preview import preview
from transfer.datasets.ingest.sounds import import_sounds
from transfer.datasets.wording import WORDS
from transfer.errors import DatasetError


@pytest.mark.parametrize(
    ("kind", "number", "said"),
    [
        ("images", 1, "1 image"),
        ("images", 1234, "1,234 images"),
        ("sounds", 1, "1 recording"),
        ("sounds", 0, "0 recordings"),
    ],
)
def test_so_many__by_kind(kind: str, number: int, said: str) -> None:
    assert WORDS[kind].so_many(number) == said  # type: ignore[index]


def test_fill__names_of_words_alone_are_replaced() -> None:
    text = "All {images} of pictures, not of {picture}"
    assert WORDS["sounds"].fill(text) == "All recordings of pictures, not of recording"


def test_import_sounds__an_error_keeps_the_name_of_a_class(
    workspace: Path, tmp_path: Path
) -> None:
    make_sounds(tmp_path / "brought", {"images": 3})
    with pytest.raises(DatasetError, match='only one class, "images"') as caught:
        import_sounds(tmp_path / "brought", "one")
    assert "a folder with recordings of something else" in caught.value.hint


def test_import_sounds__what_is_passed_over_keeps_its_path(
    workspace: Path, tmp_path: Path
) -> None:
    folder = make_sounds(tmp_path / "brought", {"photograph": 3, "picture": 3})
    (folder / "picture" / "image of me.txt").write_text("no sound")
    copy = (folder / "picture" / "picture_0.wav").read_bytes()
    (folder / "picture" / "same.wav").write_bytes(copy)
    made = import_sounds(folder, "pictures")
    assert made.class_names == ("photograph", "picture")
    assert [(one.path, one.reason) for one in made.passed_over] == [
        ("picture/image of me.txt", "Not a sound file."),
        ("picture/same.wav", "The same recording as picture/picture_0.wav."),
    ]


def test_preview__a_folder_without_sounds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no sound")
    with pytest.raises(DatasetError, match="There are no recordings in it") as caught:
        preview(tmp_path, Reading(), "sounds")
    assert "Put the recordings of each class" in caught.value.hint


def test_add_path__sounds_are_not_to_be_sorted_first(
    workspace: Path, tmp_path: Path
) -> None:
    import_sounds(make_sounds(tmp_path / "a", {"low": 3, "high": 3}), "notes")
    make_sounds(tmp_path / "b", {"low": 1})
    with pytest.raises(DatasetError, match="1 recording lie") as caught:
        adding.add_path(tmp_path / "b" / "low", "notes")
    assert "sort" not in caught.value.hint


def test_import_path__words_of_pictures_stay(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There are no pictures in it"):
        import_path(tmp_path, "none")
