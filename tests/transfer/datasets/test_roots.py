"""Only folders that whoever runs the server allows may be imported from."""

import os
from pathlib import Path

import pytest

from transfer.datasets import roots
from transfer.errors import DatasetError


@pytest.fixture
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two allowed folders, one of which is there, beside a forbidden one."""
    for name in ("allowed/photos", "forbidden"):
        (tmp_path / name).mkdir(parents=True)
    named = os.pathsep.join([str(tmp_path / "allowed"), str(tmp_path / "missing")])
    monkeypatch.setenv("TRANSFER_ROOTS", named)
    return tmp_path / "allowed"


def test_allowed_roots__those_that_exist(allowed: Path) -> None:
    assert roots.allowed_roots() == [allowed]


def test_allowed_roots__the_home_folder_if_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRANSFER_ROOTS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert roots.allowed_roots() == [tmp_path]


def test_checked_path__absolute_or_below_the_first_root(allowed: Path) -> None:
    photos = allowed / "photos"
    assert roots.checked_path(f" {photos} ") == photos
    assert roots.checked_path("photos") == photos


@pytest.mark.parametrize("text", ["../forbidden", "/", "photos/../../forbidden"])
def test_checked_path__outside(allowed: Path, text: str) -> None:
    with pytest.raises(DatasetError, match="outside of the folders.*TRANSFER_ROOTS"):
        roots.checked_path(text)


def test_checked_path__a_link_that_leads_out(allowed: Path) -> None:
    (allowed / "link").symlink_to(allowed.parent / "forbidden")
    with pytest.raises(DatasetError, match="outside"):
        roots.checked_path("link")


def test_checked_path__nothing_there(allowed: Path) -> None:
    with pytest.raises(DatasetError, match="no folder or zip.*Check the path"):
        roots.checked_path("photo")
