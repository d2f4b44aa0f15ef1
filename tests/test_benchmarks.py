"""The benchmarks, which no test runs: each is listed, and what it imports exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "benchmarks"
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def trees(source: str) -> Iterator[ast.AST]:
    """The program, and those that it holds as texts to be run by other processes."""
    tree = ast.parse(source)
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and "\nimport " in str(node.value):
            yield ast.parse(node.value)


def names_in(path: Path) -> set[str]:
    """What can be imported from a module, its own imports included."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        found |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return found


def is_there(module: str, name: str) -> bool:
    """Whether `from module import name` would find something."""
    path = ROOT.joinpath(*module.split("."))
    if path.is_dir() and ((path / name).is_dir() or (path / f"{name}.py").is_file()):
        return True
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.is_file() and name in names_in(file)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda p: p.stem)
def test_benchmarks__what_they_import_is_there(path: Path) -> None:
    imports = [
        node
        for tree in trees(path.read_text("utf-8"))
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    ]
    ours = [n for n in imports if str(n.module).split(".")[0] in ("transfer", "tests")]
    missing = [
        f"{node.module}.{alias.name}"
        for node in ours
        for alias in node.names
        if not is_there(str(node.module), alias.name)
    ]
    assert not missing


def test_benchmarks__the_readme_lists_each_command() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)
    commands = [
        path.stem
        for path in FOLDER.glob("*.py")
        if '__name__ == "__main__"' in path.read_text("utf-8")
    ]
    assert listed == sorted(set(commands) - {"plain_keras"})


def test_benchmarks__the_readme_names_no_other_command() -> None:
    module = r"python -m ((?:tests\.benchmarks|transfer)(?:\.\w+)+)"
    for name in re.findall(module, README):
        assert (ROOT / (name.replace(".", "/") + ".py")).is_file(), name


def test_benchmarks__each_topic_of_the_list_has_a_heading() -> None:
    headings = re.findall(r"^## (.+)$", README, re.MULTILINE)
    plain = [re.sub(r"[^\w -]", "", one).lower() for one in headings]
    anchors = {one.replace(" ", "-") for one in plain}
    assert set(re.findall(r"\]\(#([\w-]+)\)", README)) <= anchors
