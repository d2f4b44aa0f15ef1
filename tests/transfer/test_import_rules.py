"""Imports point one way, and Keras never enters the server's process (design, 2)."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

KERAS = {"keras", "tensorflow", "openvino"}
#: The modules that may import Keras; a package stands for all that is in it.
MAY_IMPORT_KERAS = (
    "transfer.backbones.graph",
    "transfer.backbones.pretrained",
    "transfer.backbones.source_head",
    "transfer.backbones.starter",
    "transfer.features",
    "transfer.training",
    "transfer.worker.tensorboard",
    "transfer.classifier.model",
    "transfer.training.optimizers",
    "transfer.training.phase",
    "transfer.training.train",
    "transfer.training.listener",
    "transfer.evaluation.evaluator",
    "transfer.prediction.explain",
    "transfer.classifier.runner",
    "transfer.prediction.server",
    "transfer.export",
    "transfer.worker",
)
#: The modules below all others, and what of other people's work they may import.
LOWEST = {"errors", "workspace", "config", "hardware", "store.status"}
LOWEST_MAY_IMPORT = {"pydantic", "psutil", *(f"transfer.{name}" for name in LOWEST)}
#: What belongs to `transfer`, not to a page.
NOT_IN_A_PAGE = {*KERAS, "subprocess", "threading", "sqlite3", "sqlalchemy"}


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(folder: str) -> dict[str, Path]:
    """Files of a folder by the name of their module."""
    return {module_name(file): file for file in sorted((ROOT / folder).rglob("*.py"))}


TRANSFER = modules("transfer")
PAGES = modules("pages") | {"app": ROOT / "app.py"}
EVERYTHING = {
    name: file for name, file in {**TRANSFER, **PAGES}.items() if file.exists()
}


def imports(file: Path, at_import_only: bool = False) -> set[str]:
    """Full names of all that a file imports: modules, and names out of them.

    Args:
        at_import_only: Leave out what functions import when they are called.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    nodes = _outside_functions(tree) if at_import_only else ast.walk(tree)
    return {name for node in nodes for name in _imported(node, file)}


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _outside_functions(child)


def _imported(node: ast.AST, file: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = file.relative_to(ROOT).parts[: -node.level] if node.level else ()
        base = ".".join([*above, *filter(None, [node.module])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in packages)


def loaded_with(name: str) -> dict[str, list[str]]:
    """Our modules that importing one loads, each with the chain that leads to it."""
    found, waiting = {}, [[name]]
    while waiting:
        chain = waiting.pop(0)
        if chain[-1] in found or chain[-1] not in EVERYTHING:
            continue
        found[chain[-1]] = chain
        lazily_is_fine = chain[-1] in TRANSFER  # A page's functions run in the server.
        for wanted in imports(EVERYTHING[chain[-1]], at_import_only=lazily_is_fine):
            parts = wanted.split(".")
            packages = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
            waiting += [[*chain, package] for package in packages]
    return found


def each(names: dict[str, Path]) -> pytest.MarkDecorator:
    there = sorted(name for name in names if name in EVERYTHING)
    return pytest.mark.parametrize("name", there)


@each(TRANSFER)
def test_transfer__knows_no_page(name: str) -> None:
    assert not roots(imports(EVERYTHING[name])) & {"streamlit", "pages", "app"}


@each(TRANSFER)
def test_transfer__only_named_modules_import_keras(name: str) -> None:
    if not within(name, MAY_IMPORT_KERAS):
        assert not roots(imports(EVERYTHING[name])) & KERAS


@each({f"transfer.{name}": Path() for name in LOWEST})
def test_transfer__the_lowest_modules_import_only_each_other(name: str) -> None:
    others = {
        wanted
        for wanted in imports(EVERYTHING[name])
        if wanted.partition(".")[0] not in sys.stdlib_module_names
        and not within(wanted, tuple(LOWEST_MAY_IMPORT))
    }
    assert others <= {"transfer"}, f"{name} stands below all others"


@each(EVERYTHING)
def test_worker__is_started_by_name_and_never_imported(name: str) -> None:
    assert "transfer.worker" not in imports(EVERYTHING[name])


@each(PAGES)
def test_pages__leave_the_work_to_transfer(name: str) -> None:
    assert not roots(imports(EVERYTHING[name])) & NOT_IN_A_PAGE


@each(PAGES)
def test_pages__load_no_keras_by_way_of_others(name: str) -> None:
    chains = {
        " → ".join(chain)
        for module, chain in loaded_with(name).items()
        if roots(imports(EVERYTHING[module], at_import_only=True)) & KERAS
    }
    assert not chains


def test_server__its_modules_leave_keras_out_of_the_process() -> None:
    names = ["transfer.runs.queue", "transfer.prediction.client"]
    names += [name for name in TRANSFER if name.startswith("transfer.datasets")]
    code = [f"import {name}" for name in names if name in EVERYTHING]
    code += ["import sys", f"sys.exit(', '.join({KERAS} & set(sys.modules)) or 0)"]
    command = [sys.executable, "-c", "\n".join(code)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (0, "")
