"""`python -m transfer edit` and `revisions`, with the words that are promised."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import make_pictures
from transfer.__main__ import main
from transfer.datasets import library
from transfer.datasets.ingest.importer import import_path


@pytest.fixture(autouse=True)
def pets(workspace: Path, tmp_path: Path) -> None:
    """A dataset of three classes."""
    folder = make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4, "cow": 4})
    import_path(folder, "pets")


def run(*words: str, status: int = 0) -> Any:
    """The JSON that the command prints; it ends with `status`."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main([*words, "--json"]) == status, printed.getvalue()
    return json.loads(printed.getvalue())


def edit(*words: str, status: int = 0) -> Any:
    return run("edit", "pets", *words, status=status)


def test_edit__every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    paths = ["cat/cat_0.png", "cat/cat_1.png"]
    assert edit("--move", *paths, "--to", "dog")["says"] == "Moved 2 from cat to dog."
    beginning = library.load("pets").images[0].sha256[:12]
    assert edit("--leave-out", beginning)["left_out"] == 1
    assert edit("--restore", beginning)["images"] == 12
    assert edit("--rename", "dog", "hound")["says"] == "Renamed dog to hound."
    merged = edit("--merge", "cat", "hound", "--to", "pet")
    assert [*merged["classes"]] == ["cow", "pet"]
    assert edit("--undo")["says"] == "Renamed dog to hound."
    found = run("revisions", "pets")["revisions"]
    assert [one["who"] for one in found] == ["ada"] * 5 + [""]
    assert [one["is_undone"] for one in found] == [True] + [False] * 5
    assert [one["is_newest"] for one in found] == [False, True] + [False] * 4
    assert found[-1]["what"] == "Imported."
    assert found[4]["what"] == "Moved 2 from cat to dog."
    assert found[4]["parent"] == found[5]["revision"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--move", "cat/cat_0.png"], "--to CLASS"),
        (["--undo", "--to", "dog"], "nothing else takes it"),
        (["--move", "cat/none.png", "--to", "dog"], "its path as it is shown"),
        (["--move", "cat/cat_0.png", "--to", "rat"], "Its classes: cat, cow, dog"),
        (["--rename", "cat", "dog"], "Merge cat and dog"),
        ([], "required"),
    ],
)
def test_edit__wrong_use_says_how_to_mend_it(words: list[str], says: str) -> None:
    error = edit(*words, status=2)["error"]
    assert says in f"{error['message']} {error['hint']}"


def test_add__says_what_came_in_and_what_did_not(tmp_path: Path) -> None:
    make_pictures(tmp_path / "more", {"cat": 3}, seed=8)
    (tmp_path / "more" / "cat" / "x.png").write_bytes(b"no picture")
    made = run("add", "pets", str(tmp_path / "more" / "cat"), "--to", "dog")
    assert (made["added"], made["says"]) == (3, "Added 3 to dog.")
    assert [one["path"] for one in made["passed_over"]] == ["x.png"]
    again = run("add", "pets", str(tmp_path / "more"))
    assert (again["added"], again["says"]) == (0, "Nothing new was in it.")
    lost = run("add", "pets", str(tmp_path / "none"), status=1)
    assert "Check the path" in lost["error"]["hint"]


def test_export__comes_back_as_it_was(tmp_path: Path) -> None:
    for form in ("folders", "csv"):
        path = tmp_path / f"{form}.zip"
        made = run("dataset-export", "pets", "--output", str(path), "--form", form)
        assert made["bytes"] == path.stat().st_size
        again = run("import", str(path), "--name", form)
        assert (again["classes"], again["split"]) == (made["classes"], "given")
