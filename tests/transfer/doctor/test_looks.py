from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.transfer.doctor.photographs import photograph
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.doctor import beside, looks, one_look
from transfer.doctor.one_look import Looks


def test_in_folder__has_its_room_on_the_disk_before_it_is_written(
    workspace: Path, tmp_path: Path
) -> None:
    Looks.in_folder(tmp_path, 100)
    for path in tmp_path.iterdir():
        assert path.stat().st_blocks * 512 >= path.stat().st_size


@pytest.fixture
def hashes(tmp_path: Path, workspace: Path) -> dict[str, str]:
    """Hashes of some files by their names."""
    folder = tmp_path / "a"
    for one in (folder, tmp_path / "b"):
        one.mkdir()
    photograph(9, 40).save(tmp_path / "b" / "plain.png")
    dated, turned = Image.Exif(), Image.Exif()
    dated[306], turned[274] = "2024:02:03 10:00:00", 6
    photograph(0, 300).save(folder / "dated.jpg", exif=dated, quality=60)
    photograph(1, 100).crop((0, 0, 100, 50)).save(folder / "turned.jpg", exif=turned)
    pages = [photograph(seed, 40) for seed in (2, 3)]
    pages[0].save(folder / "moving.gif", save_all=True, append_images=pages[1:])
    made = importer.import_path(tmp_path, "some", val=0)
    return {Path(one.path).stem: one.sha256 for one in made.images}


def test_look__what_the_file_says(hashes: dict[str, str], tmp_path: Path) -> None:
    names = ["dated", "turned", "moving"]
    found = looks.look([hashes[one] for one in names], None, tmp_path)
    dated, turned, moving = found.rows
    assert (dated["width"], dated["height"], dated["format"]) == (300, 300, b"JPEG")
    assert dated["quality"] > 0 and moving["quality"] == 0
    assert np.datetime64(int(dated["taken"]), "D") == np.datetime64("2024-02-03")
    assert (turned["width"], turned["height"], turned["taken"]) == (50, 100, 0)
    assert moving["frames"] == 2


def test_look__is_kept_and_what_is_damaged_is_said(
    hashes: dict[str, str], tmp_path: Path
) -> None:
    told, place = [], tmp_path / "again"
    place.mkdir()
    first = looks.look([*hashes.values()], None, tmp_path)
    library.image_path(hashes["dated"]).unlink()
    again = looks.look(
        [*hashes.values()], None, place, lambda done, of: told.append(done)
    )
    assert told == [4]
    np.testing.assert_array_equal(first.rows, again.rows)
    path = library.image_path(hashes["turned"])
    path.write_bytes(b"no picture")
    other_range = looks.look([hashes["turned"]], (0, 1), place)
    assert "picture" in other_range.unreadable[0]
    assert not other_range.rows["width"].any()


def test_keep_only__small_pictures_move_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_look, "_PIECE", 2)
    made = Looks.in_folder(tmp_path, 7)
    made.rows["width"] = range(7)
    made.greys[:] = np.arange(7)[:, None, None]
    made.unreadable[1] = "It is damaged."
    found = made.keep_only(np.array([0, 2, 3, 6]))
    assert found.rows["width"].tolist() == [0, 2, 3, 6] and not found.unreadable
    assert [set(one.flat) for one in found.greys] == [{0}, {2}, {3}, {6}]


def test_look__processes_of_their_own_say_the_same(
    hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.image_path(hashes["turned"]).write_bytes(b"no picture")
    places = [tmp_path / "here", tmp_path / "beside"]
    for place in places:
        place.mkdir()
    # Another range of grey each, so that neither finds what the other one kept.
    here = looks.look([*hashes.values()], (0, 1), places[0])
    monkeypatch.setattr(looks, "_FEW", 0)
    told: list[int] = []
    ranges = 0, 0.5
    there = looks.look(
        [*hashes.values()], ranges, places[1], lambda done, of: told.append(done)
    )
    np.testing.assert_array_equal(here.rows, there.rows)
    assert here.unreadable == there.unreadable and len(there.unreadable) == 1
    assert told[-1] == len(hashes)


def test_look__what_a_process_that_died_had_left_is_looked_at_here(
    hashes: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_FEW", 0)
    monkeypatch.setattr(beside.sys, "executable", "false")
    found = looks.look([*hashes.values()], None, tmp_path)
    assert found.rows["width"].all()
