"""The code opens nothing that could run what is in it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    [ROOT / "app.py", *ROOT.glob("pages/**/*.py"), *ROOT.glob("transfer/**/*.py")]
)
#: Modules that make objects out of files, and what else runs what it is given.
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "yaml"}
UNSAFE_MODULES |= {"cloudpickle", "torch"}
UNSAFE_CALLS = {"eval", "exec", "compile", "os.system", "os.popen"}
#: The one file that reads pickles: by an unpickler of its own, which knows few names.
READS_PICKLES = "transfer/backbones/torch_file.py"


def called(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Each call, and the name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def problems(source: str) -> list[str]:
    """What is unsafe in a program."""
    tree, found = ast.parse(source), []
    for node in ast.walk(tree):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [str(node.module)]
        found += [one for one in names if one.partition(".")[0] in UNSAFE_MODULES]
    for name, call in called(tree):
        given = {one.arg: ast.unparse(one.value) for one in call.keywords}
        is_unsafe = name in UNSAFE_CALLS or (
            given.get("allow_pickle", "False") != "False"
            or given.get("safe_mode", "True") != "True"
            or given.get("shell", "False") != "False"
            or name.endswith(("enable_unsafe_deserialization", "extractall"))
        )
        found += [name] * is_unsafe
    return found


def test_code__opens_nothing_that_runs() -> None:
    found = {path: problems(path.read_text("utf-8")) for path in FILES}
    unsafe = {
        path.relative_to(ROOT).as_posix(): one for path, one in found.items() if one
    }
    assert unsafe == {READS_PICKLES: ["pickle"]}


def test_torch_files__are_read_by_an_unpickler_that_knows_few_names() -> None:
    tree = ast.parse((ROOT / READS_PICKLES).read_text("utf-8"))
    names = {name for name, _ in called(tree)}
    assert not {"pickle.load", "pickle.loads", "pickle.Unpickler"} & names
    (own,) = (
        one
        for one in tree.body
        if isinstance(one, ast.ClassDef) and "pickle" in ast.unparse(one).split(":")[0]
    )
    assert "find_class" in {getattr(one, "name", "") for one in own.body}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from yaml import load",
        "np.load(path, allow_pickle=True)",
        "keras.models.load_model(path, safe_mode=False)",
        "subprocess.run(words, shell=True)",
        "eval(text)",
        "archive.extractall(folder)",
    ],
)
def test_problems__finds_what_is_unsafe(line: str) -> None:
    assert problems(line)
