"""Which folders of the server may be imported from."""

from pathlib import Path

import pytest

from transfer.datasets.ingest import allowed_folders
from transfer.errors import DatasetError


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one allowed folder, with `flowers` inside and `secret` beside it."""
    for name in ("photos/flowers", "secret"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path / "photos"))
    return tmp_path / "photos"


def test_allowed__is_the_home_folder_where_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRANSFER_ROOTS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert allowed_folders.roots() == [tmp_path]


def test_allowed__leaves_out_what_does_not_exist(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_ROOTS", f"{photos}:{photos / 'gone'}:")
    assert allowed_folders.roots() == [photos]


@pytest.mark.parametrize(
    "text", ["{}/flowers", " {}/flowers/ ", "flowers", "./flowers"]
)
def test_resolve__takes_whole_paths_and_those_below_the_first(
    photos: Path, text: str
) -> None:
    assert allowed_folders.resolve(text.format(photos)) == photos / "flowers"


@pytest.mark.parametrize(
    "text",
    [
        "../secret",
        "{}/../secret",
        "/",
        "../gone",
        "~root",
        "~nobody-of-this-name/x",
        "link",
        "broken",
        "../loop/x",
        "a\0b",
    ],
)
def test_resolve__tells_nothing_of_what_lies_outside(photos: Path, text: str) -> None:
    (photos / "link").symlink_to(photos.parent / "secret")
    (photos / "broken").symlink_to(photos.parent / "gone")
    (photos.parent / "loop").symlink_to("loop")
    asked = text.format(photos)
    with pytest.raises(DatasetError) as refused:
        allowed_folders.resolve(asked)
    said = f"{asked} is outside the folders that may be imported from: {photos}."
    assert refused.value.message == said
    assert "TRANSFER_ROOTS" in refused.value.hint


def test_resolve__says_that_there_is_nothing(photos: Path) -> None:
    with pytest.raises(DatasetError, match="nothing at .*Flowers"):
        allowed_folders.resolve("Flowers")


@pytest.mark.parametrize("text", ["{}", "{}/images", "{}/secret", "link", "{}/.."])
def test_resolve__leaves_the_workspace_alone(
    text: str, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = photos / "inside" / "workspace"
    (home / "images").mkdir(parents=True)
    (home / "secret").touch()
    (photos / "link").symlink_to(home)
    monkeypatch.setenv("TRANSFER_HOME", str(home))
    with pytest.raises(DatasetError, match="keeps what people bring"):
        allowed_folders.resolve(text.format(home))
    assert allowed_folders.resolve("flowers") == photos / "flowers"
