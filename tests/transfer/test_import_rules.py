"""The house keeps its order: imports go down, Keras stays out of the server, no file
grows beyond what one reads (design, 2). `python -m tests.house -v` prints all of it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import (
    DATA,
    LINES_OF_CLASS,
    LINES_OF_FILE,
    STAIR,
    House,
    each_other,
    room_of,
)

ROOT = Path(__file__).resolve().parents[2]
HOUSE = House(ROOT)

KERAS = {"keras", "tensorflow", "openvino"}
#: The folders that may import Keras. In some of them pages use modules that do not.
MAY_IMPORT_KERAS = {
    *("backbones", "features", "classifier", "training", "evaluation"),
    *("prediction", "export", "worker"),
}
#: The folders that may be loaded in the server's process, every module of them.
IN_THE_SERVER = {"store", "people", "runs", "datasets"}
#: The folder of a process that is started by its name.
STARTED_BY_NAME = "worker"
#: What the lowest floor may import that others wrote.
#: Ray only where it is asked for, see `transfer.cluster`.
LOWEST_MAY_IMPORT = {"pydantic", "psutil", "ray"}
#: What belongs to `transfer`, not to a page.
NOT_IN_A_PAGE = {*KERAS, "subprocess", "threading", "sqlite3", "sqlalchemy"}


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def at_import(name: str) -> set[str]:
    """What a module imports when it is imported itself, not when it is called."""
    return set(HOUSE.imported(_outside_functions(HOUSE.trees[name]), name))


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _outside_functions(child)


def loaded_with(name: str) -> dict[str, list[str]]:
    """Our modules that importing one loads, each with the chain that leads to it."""
    found: dict[str, list[str]] = {}
    waiting = [[name]]
    while waiting:
        chain = waiting.pop(0)
        module = chain[-1]
        if module in found or module not in HOUSE.files:
            continue
        found[module] = chain
        # A page's functions run in the server.
        lazily = room_of(module) not in ("pages", "app")
        for wanted in at_import(module) if lazily else HOUSE.imports[module]:
            parts = wanted.split(".")
            packages = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
            waiting += [[*chain, package] for package in packages]
    return found


TRANSFER = sorted(name for name in HOUSE.files if name.startswith("transfer"))
PAGES = sorted(set(HOUSE.files) - set(TRANSFER))


@pytest.mark.parametrize(
    "room",
    # In one order: tests in several processes must have the same ones.
    sorted({*MAY_IMPORT_KERAS, *IN_THE_SERVER, STARTED_BY_NAME, *sum(STAIR, ())}),
)
def test_rules__name_only_rooms_that_exist(room: str) -> None:
    assert room in HOUSE.all_rooms


@pytest.mark.parametrize("path", sorted(DATA))
def test_rules__name_only_data_that_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_stair__every_room_has_its_floor() -> None:
    assert not HOUSE.without_floor


def test_stair__no_import_goes_up() -> None:
    assert not HOUSE.upward


def test_rooms_and_their_folders__no_two_import_each_other() -> None:
    assert not each_other(HOUSE.all_rooms) + HOUSE.inner_pairs


@pytest.mark.parametrize("room", STAIR[-1])
def test_lowest_floor__needs_little_that_others_wrote(room: str) -> None:
    names = {
        root
        for name in TRANSFER
        if room_of(name) == room
        for root in roots(HOUSE.imports[name])
    }
    others = names - sys.stdlib_module_names - {"transfer"}
    assert others <= LOWEST_MAY_IMPORT


def test_transfer__knows_no_page() -> None:
    above = {"streamlit", "pages", "app"}
    assert not [name for name in TRANSFER if roots(HOUSE.imports[name]) & above]


def test_transfer__only_named_folders_import_keras() -> None:
    with_keras = {
        room_of(name) for name in TRANSFER if roots(HOUSE.imports[name]) & KERAS
    }
    assert with_keras == MAY_IMPORT_KERAS


def test_worker__is_started_by_name_and_never_imported() -> None:
    users = [room for room, used in HOUSE.all_rooms.items() if STARTED_BY_NAME in used]
    assert not users


@pytest.mark.parametrize("name", PAGES)
def test_pages__leave_the_work_to_transfer(name: str) -> None:
    assert not roots(HOUSE.imports[name]) & NOT_IN_A_PAGE


@pytest.mark.parametrize("name", PAGES)
def test_pages__load_no_keras_by_way_of_others(name: str) -> None:
    chains = {
        " → ".join(chain)
        for module, chain in loaded_with(name).items()
        if roots(at_import(module)) & KERAS
    }
    assert not chains


def test_command_line__loads_keras_only_where_a_command_needs_it() -> None:
    slow = {*KERAS, "h5py"}
    loaded = loaded_with("transfer.__main__")
    assert not [
        " → ".join(c) for one, c in loaded.items() if roots(at_import(one)) & slow
    ]


def test_server__its_modules_leave_keras_out_of_the_process() -> None:
    loaded = {module for page in PAGES for module in loaded_with(page)}
    names = [
        name for name in TRANSFER if name in loaded or room_of(name) in IN_THE_SERVER
    ]
    code = [f"import {name}" for name in names if ".migrations." not in name]
    code += ["import sys", f"sys.exit(', '.join({KERAS} & set(sys.modules)) or 0)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_files__are_short_but_for_data() -> None:
    lines = HOUSE.files_by_length
    assert not {path: n for path, n in lines.items() if n > LINES_OF_FILE}


def test_classes__are_short() -> None:
    lines = HOUSE.classes_by_length
    assert not {one: n for one, n in lines.items() if n > LINES_OF_CLASS}


def test_pages__have_their_own_modules_in_their_folder() -> None:
    assert not HOUSE.of_one_page


def test_pages__leave_the_modules_of_other_pages_alone() -> None:
    assert not HOUSE.across_pages


def test_functions__are_no_bare_participles() -> None:
    assert not HOUSE.bare_names
