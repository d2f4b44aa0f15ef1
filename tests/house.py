"""How the house stands: `python -m tests.house [ROOT]` prints it for any checkout.

A room is a folder directly in transfer/, or a module directly in it; app.py and pages/
stand above as a room each. An import counts wherever it is written, so one inside a
function or for type checkers alone does too. transfer/export/bundled/ holds programs
that are given away: they import nothing of ours, and no room is made of them.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path

from tests.wording import is_bare

Graph = dict[str, set[str]]

#: The floors, highest first. Imports go down, or sideways where they close no circle.
STAIR = (
    ("app", "__main__"),
    ("pages", "commands", "api"),
    ("advice", "classroom", "doctor", "export", "gallery", "pile", "upkeep", "worker"),
    ("training", "prediction"),
    ("classifier", "evaluation", "runs"),
    ("features", "people"),
    ("backbones", "datasets", "store"),
    ("shards", "cluster", "config", "settings", "workspace", "errors", "processes"),
)
#: Files that are tables: their length says nothing of how hard they are to read.
DATA = {"transfer/backbones/catalogue.py", "transfer/settings.py"}
GIVEN_AWAY = "transfer.export.bundled"
LINES_OF_FILE, LINES_OF_CLASS = 300, 200


def room_of(module: str) -> str:
    """The room in which a module lies; none for `transfer` itself."""
    top, _, rest = module.partition(".")
    return rest.partition(".")[0] if top == "transfer" else top


def circle(room: str, graph: Graph) -> frozenset[str]:
    """A room, and those that it leads to and that lead back to it."""
    return frozenset(
        {other for other in _reachable(room, graph) if room in _reachable(other, graph)}
        | {room}
    )


def _reachable(start: str, graph: Graph) -> set[str]:
    reached, waiting = set[str](), [start]
    while waiting:
        news = graph.get(waiting.pop(), set()) - reached
        reached |= news
        waiting += news
    return reached


def each_other(graph: Graph) -> list[str]:
    """Pairs of places that import each other."""
    return [
        f"{one} ↔ {other}"
        for one, other in combinations(sorted(graph), 2)
        if other in graph[one] and one in graph[other]
    ]


class House:
    """What a checkout says of its rooms, its files and its names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        files = {root / "app.py", *root.glob("pages/**/*.py")}
        files |= set(root.glob("transfer/**/*.py"))
        self.files = {self._name(file): file for file in sorted(files)}
        self.texts = {
            name: file.read_text(encoding="utf-8") for name, file in self.files.items()
        }
        self.trees = {name: ast.parse(text, name) for name, text in self.texts.items()}

    def _name(self, file: Path) -> str:
        parts = file.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def path(self, module: str) -> str:
        """A module's file, as one writes it."""
        return self.files[module].relative_to(self.root).as_posix()

    def folder(self, module: str) -> str:
        """A module's folder, in dots; none for what lies in no room's folder."""
        folder = self.files[module].parent.relative_to(self.root).parts
        return "" if folder in ((), ("transfer",)) else ".".join(folder)

    @cached_property
    def imports(self) -> Graph:
        """Of each module, full names of all that it imports, ours or not."""
        return {
            name: set(self.imported(ast.walk(tree), name))
            for name, tree in self.trees.items()
        }

    def imported(self, nodes: Iterable[ast.AST], module: str) -> Iterator[str]:
        """Full names of what statements of a module import."""
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                parts = self.files[module].relative_to(self.root).parts
                above = parts[: -node.level] if node.level else ()
                base = ".".join([*above, *filter(None, [node.module])])
                yield from (f"{base}.{alias.name}" for alias in node.names)

    @cached_property
    def uses(self) -> Graph:
        """Of each module, those of this house that it imports."""
        return {
            name: {self._owner(one) for one in names} & set(self.files) - {name}
            for name, names in self.imports.items()
            if not name.startswith(GIVEN_AWAY)
        }

    def _owner(self, name: str) -> str:
        while name not in self.files and "." in name:
            name = name.rpartition(".")[0]
        return name

    def between(self, place: Callable[[str], str]) -> Graph:
        """Which places import which others; `place` says where a module lies."""
        graph: Graph = {place(name): set() for name in self.uses}
        for name, others in self.uses.items():
            graph[place(name)] |= {place(other) for other in others}
        return {one: others - {one, ""} for one, others in graph.items() if one}

    @cached_property
    def all_rooms(self) -> Graph:
        """All rooms, those above transfer/ too, each with those that it imports."""
        return self.between(room_of)

    @cached_property
    def rooms(self) -> Graph:
        """Rooms of transfer/, each with those that it imports."""
        above = {"app", "pages"}
        return {
            room: others - above
            for room, others in self.all_rooms.items()
            if room not in above
        }

    @property
    def floors(self) -> int:
        """Rooms in the longest chain of imports; those in a circle count as one."""

        @cache
        def height(group: frozenset[str]) -> int:
            below = {room for one in group for room in self.rooms[one]} - group
            return 1 + max(
                (height(circle(one, self.rooms)) for one in below), default=0
            )

        return max(height(circle(room, self.rooms)) for room in self.rooms)

    @property
    def upward(self) -> list[str]:
        """Imports that go up the stair, or sideways in a circle."""
        floor = {room: -at for at, rooms in enumerate(STAIR) for room in rooms}
        beside = {
            room: {one for one in others if floor.get(one) == floor.get(room)}
            for room, others in self.all_rooms.items()
        }
        goes_up = {
            (room, other)
            for room, others in self.all_rooms.items()
            for other in others
            if {room, other} <= set(floor)
            if floor[other] > floor[room] or other in circle(room, beside)
        }
        return [
            f"{name} → {other}"
            for name, others in self.uses.items()
            for other in sorted(others)
            if (room_of(name), room_of(other)) in goes_up
        ]

    @property
    def without_floor(self) -> list[str]:
        """Rooms that the stair does not name."""
        return sorted(set(self.all_rooms) - {room for rooms in STAIR for room in rooms})

    @property
    def inner_pairs(self) -> list[str]:
        """Folders of one room that import each other."""
        folders = self.between(self.folder)
        return each_other(
            {
                one: {other for other in others if room_of(other) == room_of(one)}
                for one, others in folders.items()
            }
        )

    @cached_property
    def files_by_length(self) -> dict[str, int]:
        """Lines of each file that is no data, longest first."""
        lines = {self.path(one): text.count("\n") for one, text in self.texts.items()}
        return _longest_first({path: lines[path] for path in lines if path not in DATA})

    @cached_property
    def classes_by_length(self) -> dict[str, int]:
        """Lines of each class, by file and name, longest first."""
        return _longest_first(
            {
                f"{self.path(name)}: {node.name}": node.end_lineno - node.lineno + 1
                for name, tree in self.trees.items()
                if self.path(name) not in DATA
                for node in ast.walk(tree)
                if isinstance(node, ast.ClassDef) and node.end_lineno
            }
        )

    @property
    def of_one_page(self) -> dict[str, str]:
        """Modules that one page alone uses and that lie elsewhere, with its folder."""
        users: dict[str, set[str]] = {}
        for start in self.uses:
            if start == "app" or re.match(r"pages\.\d", start):
                for used in _reachable(start, self.uses):
                    users.setdefault(used, set()).add(start)
        homes = {
            used: re.sub(r"\d+_", "", *pages)
            for used, pages in users.items()
            if room_of(used) == "pages" and len(pages) == 1 and pages != {"app"}
        }
        return {
            self.path(used): home.replace(".", "/")
            for used, home in homes.items()
            if not f"{self.folder(used)}.".startswith(f"{home}.")
        }

    @property
    def across_pages(self) -> list[str]:
        """Imports of what lies in a page's folder from anywhere but that page."""
        home = {
            name: re.sub(r"\d+_", "", ".".join(name.split(".")[:2]))
            for name in self.uses
            if room_of(name) == "pages"
        }
        return [
            f"{name} → {other}"
            for name in home
            for other in sorted(self.uses[name] & set(home))
            if home[other] not in (home[name], "pages.shared")
        ]

    @cached_property
    def bare_names(self) -> list[str]:
        """Functions named with a bare participle; a property reads as one, and may."""
        return [
            f"{self.path(name)}: {node.name}"
            for name, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_bare(node.name)
            and not any("property" in ast.unparse(one) for one in node.decorator_list)
        ]


def _longest_first(lengths: dict[str, int]) -> dict[str, int]:
    return dict(sorted(lengths.items(), key=lambda one: -one[1]))


def table(house: House) -> Iterator[str]:
    """The figures of a house, a line each, and below some what they are made of."""
    files, classes = house.files_by_length, house.classes_by_length
    long_files = [f"{path} {n}" for path, n in files.items() if n > LINES_OF_FILE]
    long_classes = [f"{one} {n}" for one, n in classes.items() if n > LINES_OF_CLASS]
    alone = [f"{path} → {home}/" for path, home in house.of_one_page.items()]
    yield f"{'rooms of transfer/':44}{len(house.rooms):5}"
    yield f"{'floors':44}{house.floors:5}"
    for what, lines in {"longest file": files, "longest class": classes}.items():
        longest = next(iter(lines), "none")
        yield f"{what + ', lines':44}{lines.get(longest, 0):5}  {longest}"
    for what, found in {
        "rooms that the stair does not name": house.without_floor,
        "imports that go up": house.upward,
        "pairs of rooms that import each other": each_other(house.all_rooms),
        "pairs of folders in a room that do": house.inner_pairs,
        f"files above {LINES_OF_FILE} lines": long_files,
        f"classes above {LINES_OF_CLASS} lines": long_classes,
        "modules of one page that lie elsewhere": alone,
        "imports of another page's module": house.across_pages,
        "functions named with a bare participle": house.bare_names,
    }.items():
        yield f"{what:44}{len(found):5}"
        yield from (f"    {one}" for one in found if "-v" in sys.argv)


if __name__ == "__main__":
    roots = [one for one in sys.argv[1:] if one != "-v"]
    print("\n".join(table(House(Path(*roots).resolve()))))
