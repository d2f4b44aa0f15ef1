"""Reads a listing of files as a dataset: the class and the split of each."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from transfer.datasets import names
from transfer.datasets.ingest import layouts
from transfer.datasets.ingest.layouts import Home, Layout, Plan, Reading, Tree
from transfer.datasets.ingest.sources import Source
from transfer.datasets.revision import Kind, PassedOver, Split
from transfer.datasets.wording import WORDS, Words
from transfer.errors import DatasetError

#: The reason of files that are neither named like what is looked for nor begin so.
NO_PICTURE: dict[Kind, str] = {
    "images": "Not an image file.",
    "sounds": "Not a sound file.",
}

_LAYOUT_HINT = (
    "Put the {pictures} of each class into a folder of its own, named like the class, "
    "and import the folder above them."
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One picture of the listing.

    Attributes:
        path: As it stands in the listing.
        class_name: Name of its class folder.
        split: Split of the folder that it lies in; None where no split is given.
    """

    path: str
    class_name: str
    split: Split | None

    @property
    def learns(self) -> bool:
        """Whether it is, or may become, a picture of train."""
        return self.split in (None, "train")


@dataclass(frozen=True, kw_only=True)
class Index:
    """A listing that was understood.

    Attributes:
        class_names: Sorted once for all splits; the position is the label.
        entries: The pictures, sorted by path.
        passed_over: What is not part of the dataset, sorted by path.
        layout: Which folders were taken for classes and which for splits.
        splits: What the folders that stand for splits were taken for, by their names;
            None for those that are left out.
        notes: What was understood and is worth a look, a sentence each.
    """

    class_names: tuple[str, ...]
    entries: tuple[Entry, ...]
    passed_over: tuple[PassedOver, ...]
    layout: Layout
    splits: Mapping[str, Split | None]
    notes: tuple[str, ...]

    def counts(self) -> dict[str, Counter[Split | None]]:
        """Number of pictures by class name, then by given split."""
        found: dict[str, Counter[Split | None]] = {
            name: Counter() for name in self.class_names
        }
        for entry in self.entries:
            found[entry.class_name][entry.split] += 1
        return found


def read_index(
    source: Source,
    reading: Reading = Reading(),  # noqa: B008
    is_whole: bool = True,
) -> Index:
    """The classes and splits of a listing; label order never depends on its order.

    What cannot be used is passed over and named: folders without pictures, classes that
    have none in train, pictures outside of any class.

    Args:
        source: The listing.
        reading: How it is to be read where that is not found out.
        is_whole: Whether it must make a dataset by itself; else one class is enough,
            and none needs a picture in train.

    Raises:
        DatasetError: There are no class folders or only one class; it says what was
            found instead. Or two folders would become one class by their names.
    """
    # A disk lists in any order, and labels and ids must not depend on it.
    pictures, words = sorted(source.pictures), WORDS[source.kind]
    tree = Tree(pictures)
    plan = layouts.understand(tree, reading)
    entries, strays = _assign(pictures, plan)
    _check_distinct(plan.homes.values())
    learnt = {one.class_name for one in entries if one.learns or not is_whole}
    passed_over = [
        *source.passed_over,
        *no_pictures(source),
        *strays,
        *_empty_folders(source, tree, plan),
        *_classes_without_train(learnt, tree, plan, words),
    ]
    passed_over.sort(key=lambda one: one.path)
    # A model of one class would be right always, and have learnt nothing.
    if len(learnt) < (2 if is_whole else 1):
        raise _too_few(tree, plan, sorted(learnt), passed_over, words)
    return Index(
        class_names=tuple(sorted(learnt)),
        entries=tuple(entry for entry in entries if entry.class_name in learnt),
        passed_over=tuple(passed_over),
        layout=plan.layout,
        splits=plan.splits,
        notes=(*source.notes, *_notes(plan, tree, learnt)),
    )


def no_pictures(source: Source) -> list[PassedOver]:
    """The files that are no pictures, sorted by path."""
    return [
        pass_over(one, NO_PICTURE[source.kind])
        for one in sorted(source.files)
        if one not in source.pictures
    ]


def _assign(
    pictures: Iterable[str], plan: Plan
) -> tuple[list[Entry], list[PassedOver]]:
    """The pictures with their classes and splits, and those that lie outside of any."""
    # Found once for each folder: 100,000 pictures lie in some hundred of them.
    homes: dict[str, Home | None] = {**plan.homes}

    def home_of(folder: str) -> Home | None:
        if folder not in homes:
            homes[folder] = home_of(layouts.parent(folder)) if folder else None
        return homes[folder]

    entries: list[Entry] = []
    strays: list[PassedOver] = []
    for path in pictures:
        home = home_of(layouts.parent(path))
        if home is None:
            strays.append(pass_over(path, "Not in a class folder."))
        elif not home.class_folder:
            strays.append(pass_over(path, "In a folder that is left out."))
        else:
            name = names.class_name(layouts.name(home.class_folder))
            entries.append(Entry(path=path, class_name=name, split=home.split))
    return entries, strays


def pass_over(path: str, reason: str) -> PassedOver:
    """The file as one that was not taken in, its path as it is shown."""
    return PassedOver(path=names.showable(path), reason=reason)


def _empty_folders(source: Source, tree: Tree, plan: Plan) -> Iterator[PassedOver]:
    """Folders without pictures that stand where classes or splits do."""
    places = {layouts.parent(home.class_folder) for home in plan.homes.values()}
    places |= {layouts.parent(one) for one in places} | {""}
    for folder in sorted(source.folders):
        is_empty = not tree.direct[folder] and not tree.below[folder]
        if is_empty and layouts.parent(folder) in places:
            yield pass_over(folder, f"A folder without {WORDS[source.kind].pictures}.")


def _classes_without_train(
    learnt: Collection[str], tree: Tree, plan: Plan, words: Words
) -> Iterator[PassedOver]:
    """Folders of classes that have no picture to learn from."""
    alike = {names.bare(name): name for name in learnt}
    for folder in sorted({home.class_folder for home in plan.homes.values()} - {""}):
        name = names.class_name(layouts.name(folder))
        if name in learnt:
            continue
        pictures = _pictures(words, tree.direct[folder] + tree.below[folder])
        reason = f'{pictures} of a class "{name}", of which train has none'
        if twin := alike.get(names.bare(name)):
            reason += f'; "{twin}" there differs in case or spaces only'
        yield pass_over(folder, f"{reason}.")


def _check_distinct(homes: Iterable[Home]) -> None:
    """Checks that no two folders become one class because of how names are shown."""
    folders: dict[str, str] = {}
    for home in homes:
        folder = layouts.name(home.class_folder)
        name = names.class_name(folder)
        other = folders.setdefault(name, folder)
        if names.normal_form(other) != names.normal_form(folder):
            raise DatasetError(
                f'Two different folders would both become the class "{name}".',
                "Rename one of them.",
            )


def _notes(plan: Plan, tree: Tree, learnt: Collection[str]) -> Iterator[str]:
    """What is worth a look."""
    if plan.splits:
        roles = ", ".join(
            f"{folder} is {role or layouts.LEFT_OUT}"
            for folder, role in plan.splits.items()
        )
        yield f"Folders that are splits: {roles}."
    for group in names.alike(sorted(learnt)):
        yield (
            f"The classes {names.in_words(group)} differ in upper and lower case or in "
            "spaces only. If they are one, rename the folders."
        )
    changed = {
        names.class_name(folder)
        for folder in map(layouts.name, plan.homes)
        if names.showable(folder) != folder
    }
    if changed := changed & {*learnt}:
        yield (
            "Names with control characters, or bytes that are no UTF-8, are written "
            f"with escapes: {names.in_words(sorted(changed))}."
        )
    yield from _doubts(plan, tree)


def _doubts(plan: Plan, tree: Tree) -> Iterator[str]:
    """Where another layout would fit as well, and folders of one name in two ways."""
    inside = {frozenset(tree.names(one)) for one in plan.homes}
    if plan.layout == "classes" and len(inside) == 1 and len(same := inside.pop()) > 1:
        yield (
            f"Every folder holds the same folders, {names.in_words(sorted(same))}. If "
            "those are the classes, say that the folders are splits."
        )
    spelled: defaultdict[tuple[str, Split | None], set[str]] = defaultdict(set)
    for home in plan.homes.values():
        name = layouts.name(home.class_folder)
        spelled[names.class_name(name), home.split].add(name)
    for (name, _), spellings in spelled.items():
        if len(spellings) > 1:
            yield (
                f'The folders named "{name}" are one class: their names are written '
                "with other characters, but read the same."
            )


def _pictures(words: Words, count: int) -> str:
    return f"{count:,} {words.picture if count == 1 else words.pictures}"


def _too_few(
    tree: Tree,
    plan: Plan,
    learnt: list[str],
    passed_over: list[PassedOver],
    words: Words,
) -> DatasetError:
    """The refusal of less than two classes, with what was found."""
    found, hint = what_is_there(passed_over), words.fill(_LAYOUT_HINT)
    if not tree.direct:
        return DatasetError(f"There are no {words.pictures} in it.{found}", hint)
    if learnt:
        return DatasetError(
            f'There is only one class, "{learnt[0]}"; at least two are needed.{found}',
            f"Add a folder with {words.pictures} of something else.",
        )
    pictures = _pictures(words, sum(tree.direct.values()))
    if plan.homes:
        return DatasetError(
            f"There are no {words.pictures} in the train folder; {pictures} lie "
            f"elsewhere.{found}",
            hint,
        )
    return DatasetError(
        f"There are no class folders; {pictures} lie outside of any.{found}",
        hint,
    )


def what_is_there(passed_over: Iterable[PassedOver]) -> str:
    """A sentence on what was passed over: the first of each reason, and endings."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for one in passed_over:
        by_reason[one.reason].append(one.path)
    said = []
    for reason, paths in sorted(by_reason.items(), key=lambda one: -len(one[1]))[:4]:
        # Endings tell most: 3,000 files of .npy are no pictures that got damaged.
        endings = Counter(PurePosixPath(one).suffix.lower() for one in paths)
        ending, most = endings.most_common(1)[0]
        of = f" ({most:,} of them {ending})" if ending and len(paths) > 1 else ""
        said.append(f"{names.in_words(paths, 2)}{of}: {reason}")
    return " Passed over: " + " ".join(said) if said else ""
