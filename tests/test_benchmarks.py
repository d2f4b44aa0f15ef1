"""The benchmarks, which no test runs: each is listed, and what it uses exists."""

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


def used(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """What a program takes from our modules, imported or by `module.name`."""
    ours: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(
            ("transfer", "tests")
        ):
            for alias in node.names:
                yield str(node.module), alias.name
                ours[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = ours.get(node.value.id, "")
            if ROOT.joinpath(*module.split(".")).with_suffix(".py").is_file():
                yield module, node.attr


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda p: p.stem)
def test_benchmarks__what_they_use_of_ours_is_there(path: Path) -> None:
    wanted = {one for tree in trees(path.read_text("utf-8")) for one in used(tree)}
    assert not [one for one in sorted(wanted) if not is_there(*one)]


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
