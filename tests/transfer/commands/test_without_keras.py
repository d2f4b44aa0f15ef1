"""The commands that need no Keras do not wait for it: its import takes seconds."""

import argparse
import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TypeGuard

import pytest

from tests.pictures import make_pictures
from tests.transfer.runs_made import finished_run
from transfer import commands
from transfer.__main__ import parser
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.prediction import models
from transfer.processes import environment
from transfer.store.runs import Store

COMMANDS = Path(commands.__file__).parent
#: Those that compute features or train, each once its words are seen to be right.
WITH_KERAS = {"measure", "rank", "sweep", "learning-rate", "imagenet"}
WITH_KERAS |= {"evaluate", "export", "doctor", "enough", "sort"}
#: Those that have a worker do it.
BY_A_WORKER = {"train", "resume", "worker"}

#: Reads lists of words, carries them out, and tells which of them loaded Keras.
_WALK = """
import io, json, sys
from contextlib import redirect_stdout
from transfer.__main__ import main
from transfer.prediction import server
found = {}
for words in json.load(sys.stdin):
    with redirect_stdout(io.StringIO()) as said:
        status = main([*words, "--json"])
    loaded = sorted({"keras", "tensorflow"} & set(sys.modules))
    found[" ".join(words[:2])] = [status, loaded, said.getvalue()[:300]]
print(json.dumps(found))
"""


def words_of(run: str, queued: str, folder: Path) -> list[list[str]]:
    """A use of each command that needs no Keras."""
    picture = str(folder / "new" / "dog" / "dog_0.png")
    return [
        ["import", str(folder / "new"), "--name", "new"],
        ["datasets"],
        ["edit", "new", "--rename", "cat", "puss"],
        ["revisions", "new"],
        ["add", "new", picture, "--to", "puss"],
        ["dataset-export", "new", "--output", str(folder / "new.zip")],
        ["backbones"],
        ["weights", "list"],
        ["runs"],
        ["show", run],
        ["tag", run, "--note", "seen"],
        ["backup", "--output", str(folder / "made.tar")],
        ["restore", str(folder / "made.tar"), "--to", str(folder / "back")],
        ["clean", "--caches"],
        ["workshop"],
        ["people"],
        ["audit"],
        ["queue"],
        ["script", queued, "--output", str(folder / "train.py")],
        ["hand-in", run, "--entry", "1"],
        ["neighbours", run],
        ["predict", run, picture],
        ["stop", queued],
        ["delete", run],
        ["trash"],
        ["dataset-delete", "pets"],
    ]


@pytest.mark.usefixtures("tiny")
def test_commands__load_no_keras_where_they_need_none(
    workspace: Path, tmp_path: Path
) -> None:
    run, _ = finished_run(tmp_path)
    models.load(run.id)  # converts it, as its worker would have
    make_pictures(tmp_path / "new", {"cat": 4, "dog": 4})
    store = Store()
    revision = library.load("pets").id
    queued = store.create(TrainConfig(dataset="pets", revision=revision))
    store.datasets.hide("pets")
    assert store.classroom.hand_in("anna", run.id, run.name, revision, "", 1).id == 1
    store.close()
    walk = words_of(run.id, queued.id, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", _WALK],
        input=json.dumps(walk).encode(),
        env=environment(),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert len(found) == len(walk)
    assert {words: seen for words, seen in found.items() if seen[:2] != [0, []]} == {}


def test_commands__each_is_known_to_need_keras_or_not() -> None:
    (words,) = (
        action.choices
        for action in parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    without = {one[0] for one in words_of("run", "queued", Path(__file__).parents[3])}
    assert without | WITH_KERAS | BY_A_WORKER == set(words)


@pytest.mark.parametrize("path", sorted(COMMANDS.glob("*.py")), ids=lambda p: p.stem)
def test_commands__import_what_takes_seconds_quickly(path: Path) -> None:
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        late = [one.lineno for one in ast.walk(function) if _is_import(one)]
        quick = [one.lineno for one in ast.walk(function) if _brings_keras(one)]
        assert not late or (quick and min(quick) < min(late))


def _is_import(node: ast.AST) -> TypeGuard[ast.ImportFrom]:
    return isinstance(node, ast.ImportFrom)


def _brings_keras(node: ast.AST) -> TypeGuard[ast.With | ast.Expr]:
    """Whether Keras comes quickly here: what is imported from then on has it."""
    if isinstance(node, ast.With):
        return ast.unparse(node.items[0]) == "quickly()"
    return isinstance(node, ast.Expr) and ast.unparse(node) == "import_doctor()"
