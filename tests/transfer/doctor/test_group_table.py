from dataclasses import replace
from pathlib import Path

import pytest

from tests.transfer.doctor.photographs import revision
from transfer.doctor import group_table
from transfer.errors import ConfigError

IMAGES = revision([0, 0, 1, 1]).images


@pytest.mark.parametrize("sign", [",", ";"])
@pytest.mark.parametrize("by", ["path", "name"])
def test_read__by_path_or_by_file_name(tmp_path: Path, by: str, sign: str) -> None:
    table = tmp_path / "people.csv"
    lines = [sign.join(("file", "person"))]
    for at, who in enumerate(["ann", "bob", "ann"]):
        name = IMAGES[at].path if by == "path" else Path(IMAGES[at].path).name
        lines.append(sign.join((name, who)))
    table.write_text("\n".join(lines))
    found = group_table.read(table, "person", IMAGES)
    assert found[0] == found[2]
    assert len({*found.tolist()}) == 3


def test_read__paths_within_the_folder_that_was_brought(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("file,person\ncat/1.jpg,ann\ndog/1.jpg,bob\ncat/2.jpg,ann\n")
    paths = ("pets/cat/1.jpg", "pets/dog/1.jpg", "pets/cat/2.jpg")
    images = [replace(IMAGES[0], path=path) for path in paths]
    assert group_table.read(table, "person", images).tolist() == [0, 1, 0]


def test_read__windows_are_of_the_group_of_their_recording(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("file,person\n1.wav,ann\n2.wav,bob\n3.wav,ann\n")
    names = [f"cat/{of}.wav@{at:08.2f}.flac" for of in (1, 2, 3) for at in (0, 1.5)]
    images = [replace(IMAGES[0], path=name) for name in names]
    assert group_table.read(table, "person", images).tolist() == [0, 0, 1, 1, 0, 0]


def test_read__a_column_that_is_not_there(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("file,person\n")
    with pytest.raises(ConfigError, match='no column "who"'):
        group_table.read(table, "who", IMAGES)


def test_read__a_table_of_other_images(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("file,person\nx.jpg,ann\n")
    with pytest.raises(ConfigError, match="0 of 4 files"):
        group_table.read(table, "person", IMAGES)


@pytest.mark.parametrize(
    ("content", "names"),
    [(b"file;who\nx;y", ["file", "who"]), (b"", []), (b"\xff\xfe\x00", [])],
)
def test_columns__of_whatever_is_brought(content: bytes, names: list[str]) -> None:
    assert group_table.columns(content) == names
