"""Which folders of the server may be imported from."""

from pathlib import Path

import pytest

from transfer.datasets import roots
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
    assert roots.allowed() == [tmp_path]


def test_allowed__leaves_out_what_does_not_exist(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_ROOTS", f"{photos}:{photos / 'gone'}:")
    assert roots.allowed() == [photos]


@pytest.mark.parametrize(
    "text", ["{}/flowers", " {}/flowers/ ", "flowers", "./flowers"]
)
def test_resolve__takes_whole_paths_and_those_below_the_first(
    photos: Path, text: str
) -> None:
    assert roots.resolve(text.format(photos)) == photos / "flowers"


@pytest.mark.parametrize("text", ["../secret", "{}/../secret", "/", "../gone", "~root"])
def test_resolve__refuses_what_lies_outside(photos: Path, text: str) -> None:
    with pytest.raises(DatasetError, match="outside the folders") as refused:
        roots.resolve(text.format(photos))
    assert "TRANSFER_ROOTS" in refused.value.hint


def test_resolve__follows_a_link_that_leads_out(photos: Path) -> None:
    (photos / "link").symlink_to(photos.parent / "secret")
    with pytest.raises(DatasetError, match="secret is outside"):
        roots.resolve("link")


def test_resolve__says_that_there_is_nothing(photos: Path) -> None:
    with pytest.raises(DatasetError, match="nothing at .*Flowers"):
        roots.resolve("Flowers")


@pytest.mark.parametrize("text", ["a\0b", "~nobody-of-this-name/x"])
def test_resolve__refuses_what_is_no_path(photos: Path, text: str) -> None:
    with pytest.raises(DatasetError, match="is not a path"):
        roots.resolve(text)
