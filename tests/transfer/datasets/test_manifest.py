"""Manifests of every version are read; a correction writes only what it changes."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.transfer.datasets.test_editing import png
from transfer.datasets import classes, editing, library, manifest
from transfer.datasets.ingest import importer
from transfer.datasets.revision import (
    SCHEMA,
    Change,
    Image,
    PassedOver,
    Revision,
    with_id,
)
from transfer.errors import StorageError

#: As the first version wrote it, byte for byte; its id was made by that version.
FIRST = (
    b'{"dataset": "pets", "id": "bbff47ba0afd7b6e", "class_names": ["cat", "dog"], '
    b'"images": [{"sha256": "' + b"a" * 64 + b'", "path": "cat/1.jpg", "label": 0, '
    b'"split": "train"}, {"sha256": "' + b"b" * 64 + b'", "path": "cat/2.jpg", '
    b'"label": 0, "split": "val"}, {"sha256": "' + b"c" * 64 + b'", "path": '
    b'"dog/1.jpg", "label": 1, "split": "train"}], "passed_over": [{"path": "x.txt", '
    b'"reason": "Not an image file."}], "split_source": "stratified", "val": 0.2, '
    b'"test": 0.0, "seed": 0, "created_at": 1700000000.0}'
)
#: What later ones wrote beside: notes, then grey and flat where there was any.
OLD = {
    "first": FIRST,
    "with notes": FIRST[:-1] + b', "notes": ["A note."]}',
    "with grey": FIRST[:-1].replace(b"bbff47ba0afd7b6e", b"c56d4a0ccd9fd0b4")
    + b', "notes": [], "grey": [0.0, 4095.0], "flat": ["cat/2.jpg"]}',
}


@pytest.fixture(params=OLD)
def old(request: pytest.FixtureRequest, workspace: Path) -> dict[str, Any]:
    """The content of an old manifest that lies in the workspace as the newest."""
    content: dict[str, Any] = json.loads(OLD[request.param])
    folder = workspace / "datasets" / "pets"
    folder.mkdir(parents=True)
    (folder / f"{content['id']}.json").write_bytes(OLD[request.param])
    (folder / "newest").write_text(content["id"])
    return content


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing was read before, nor is it kept for another test."""
    manifest._kept.clear()
    yield
    manifest._kept.clear()


def image(number: int, label: int = 0) -> Image:
    return Image(
        sha256=f"{number:064x}", path=f"{number:05}.jpg", label=label, split="train"
    )


def first(folder: Path, images: int = 30) -> Path:
    """The file of a first revision."""
    revision = Revision(
        dataset="pets",
        id="0" * 16,
        class_names=("cat", "dog"),
        images=tuple(map(image, range(images))),
        passed_over=(),
        split_source="stratified",
        val=0.0,
        test=0.0,
        seed=0,
        created_at=1.0,
    )
    path = folder / f"{revision.id}.json"
    manifest.write(path, revision)
    return path


def append(path: Path, *images: Image, says: str = "") -> Path:
    """The file of the next revision."""
    change = Change(images=images, says=says, made_at=2.0)
    return path.with_name(f"{manifest.append(path, change).id}.json")


def test_read__every_older_form(old: dict[str, Any]) -> None:
    revision = library.load("pets")
    assert revision.id == old["id"]
    assert [one.to_json() for one in revision.images] == old["images"]
    assert revision.passed_over == (
        PassedOver(path="x.txt", reason="Not an image file."),
    )
    assert revision.notes == tuple(old.get("notes", ()))
    assert revision.grey == (tuple(old["grey"]) if "grey" in old else None)
    assert revision.flat == tuple(old.get("flat", ()))
    assert (revision.parent, revision.says) == ("", "")


def test_read__equal_words_and_numbers_are_held_once(workspace: Path) -> None:
    path = first(workspace)
    path.write_bytes(path.read_bytes().replace(b'"train"', b'"train", "day": 20000'))
    one, *others = manifest.read(path).images
    assert one.day == 20_000
    assert all(two.day is one.day and two.split is one.split for two in others)


def test_with_id__is_what_older_versions_gave(old: dict[str, Any]) -> None:
    assert with_id(library.load("pets")).id == old["id"]


def test_append__an_older_form_is_the_parent(old: dict[str, Any]) -> None:
    before = library.load("pets")
    after = editing.add("pets", png(), "dog", "a.png")
    assert after.parent == before.id
    assert set(after.images) > set(before.images)
    assert (after.grey, after.flat, after.notes) == (
        *(before.grey, before.flat, before.notes),
    )
    assert library.load("pets", before.id) == before


def test_append__a_chain_of_200_reads_back(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "MOST_STEPS", 60)
    path = first(workspace)
    images, history = {one.path: one for one in manifest.read(path).images}, []
    for number in range(200):
        # Every third is a new image, the others move one that is there.
        moved = image(100 + number if number % 3 == 0 else number % 30, number % 2)
        images[moved.path] = moved
        path = append(path, moved, says=f"Step {number}.")
        history.append((path, tuple(images[one] for one in sorted(images))))
    for one, expected in history[::-13]:
        manifest._kept.clear()
        assert manifest.read(one).images == expected
    assert manifest.read(path).says == "Step 199."
    assert manifest.read(path).parent == history[-2][0].stem
    whole = [one for one in workspace.glob("*.json") if '"images"' in one.read_text()]
    assert len(whole) == 1 + 200 // 60


def test_append__writes_what_changed_and_shares_the_rest(workspace: Path) -> None:
    before = first(workspace, 1000)
    after = append(before, image(7, 1))
    assert after.stat().st_size < 600 < before.stat().st_size / 100
    old, new = manifest.read(before).images, manifest.read(after).images
    assert new[7] == image(7, 1)
    assert all(a is b for a, b in zip(old, new, strict=True) if a.path != "00007.jpg")


def test_append__a_large_change_is_whole(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "MOST_STEPS", 17)
    moved = [image(number, 1) for number in range(256)]
    path = append(first(workspace, 300), *moved, says="All of them.")
    manifest._kept.clear()
    assert path.stat().st_size > 20_000
    assert manifest.read(path).says == "All of them."
    assert manifest.read(append(path, image(0))).counts()["cat"]["train"] == 45


def test_append__a_change_taken_back_is_a_revision_of_its_own(workspace: Path) -> None:
    start = first(workspace)
    back = append(append(start, image(3, 1)), image(3, 0))
    assert back.stem != start.stem
    assert manifest.read(back).images == manifest.read(start).images


def test_append__the_same_changes_have_the_same_ids(tmp_path: Path) -> None:
    ids = []
    for name in "ab":
        (tmp_path / name).mkdir()
        ids.append(append(append(first(tmp_path / name), image(3, 1)), image(40)).stem)
    assert ids[0] == ids[1]


def test_to_json__a_corrected_revision_can_be_kept_whole(workspace: Path) -> None:
    revision = manifest.read(append(first(workspace), image(3, 1), says="Moved."))
    kept = json.loads(json.dumps(revision.to_json()))
    assert Revision.from_json(kept) == revision


@pytest.mark.parametrize("damage", ["cut off", "missing", "a list", "a circle"])
def test_load__damage_in_one_file_of_a_chain(
    animals: Path, workspace: Path, damage: str
) -> None:
    start = importer.import_path(animals, "pets")
    below, hit, newest = (
        editing.add("pets", png(seed=seed), "dog", "a.png") for seed in range(3)
    )
    file = workspace / "datasets" / "pets" / f"{hit.id}.json"
    content = json.loads(file.read_bytes())
    if damage == "missing":
        file.unlink()
    elif damage == "a circle":
        file.write_text(json.dumps({**content, "parent": newest.id}))
    else:
        file.write_text("[]" if damage == "a list" else file.read_text()[:40])
    manifest._kept.clear()
    named = newest.id if damage == "a circle" else hit.id
    with pytest.raises(StorageError, match=f"{named}.*import it again"):
        library.load("pets")
    assert not library.list_datasets()
    assert library.load("pets", start.id) == start
    assert library.load("pets", below.id) == below
    stored = {path.name for path in (workspace / "images").glob("*/*")}
    library.remove_unused_images()
    assert {one.sha256 for one in below.images} <= stored
    if damage != "missing":
        assert {path.name for path in (workspace / "images").glob("*/*")} == stored


def test_load__a_newer_form_says_what_to_do(animals: Path, workspace: Path) -> None:
    whole = importer.import_path(animals, "pets")
    step = editing.add("pets", png(), "dog", "a.png")
    stored = set((workspace / "images").glob("*/*"))
    for revision in (whole, step):
        file = workspace / "datasets" / "pets" / f"{revision.id}.json"
        content = file.read_bytes()
        file.write_text(
            json.dumps({**json.loads(content), "schema": SCHEMA + 1, "images": 1})
        )
        manifest._kept.clear()
        with pytest.raises(StorageError, match='"pets" was.*newer version.*Install'):
            library.load("pets")
        library.remove_unused_images()
        assert set((workspace / "images").glob("*/*")) == stored
        file.write_bytes(content)


def test_add__corrections_at_once_all_count(animals: Path, workspace: Path) -> None:
    before = importer.import_path(animals, "pets")
    with ThreadPoolExecutor(8) as pool:
        made = [
            *pool.map(lambda s: editing.add("pets", png(seed=s), "dog", "a"), range(8))
        ]
    manifest._kept.clear()
    newest = library.load("pets")
    assert len(newest.images) == len(before.images) + 8
    parents = {one.id: one.parent for one in made}
    chain = [newest.id]
    while chain[-1] != before.id:
        chain.append(parents[chain[-1]])
    assert len(chain) == 9


def test_add__says_what_was_done(animals: Path, workspace: Path) -> None:
    cat = importer.import_path(animals, "pets").images[0]
    added = editing.add("pets", png(), "dog", "a.png")
    assert added.says.startswith("Added ") and added.says.endswith("-a.png to dog.")
    content = library.image_path(cat.sha256).read_bytes()
    moved = editing.add("pets", content, "dog", "b.png")
    assert moved.says == f"Moved {cat.path} from cat to dog."


def test_read__keeps_no_more_images_than_memory_allows(
    animals: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "_MOST_IMAGES", 20)
    first = importer.import_path(animals, "one")
    for name in ("two", "three"):
        importer.import_path(animals, name)
        library.load(name)
    kept = {path.parent.name for path, _ in manifest._kept}
    assert "three" in kept and "one" not in kept
    # Changes of one dataset share its images, and stay.
    for image in library.load("three").images[:5]:
        editing.leave_out("three", [image.sha256], "a test")
    assert sum(path.parent.name == "three" for path, _ in manifest._kept) == 5
    assert library.load("one").images == first.images


def test_read__revisions_with_other_classes_count_for_themselves(
    animals: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = importer.import_path(animals, "one").class_names
    monkeypatch.setattr(manifest, "_MOST_IMAGES", len(library.load("one").images))
    manifest._kept.clear()
    for number in range(3):
        newest = classes.rename("one", library.load("one").class_names[0], f"a{number}")
        assert library.load("one") == newest
    assert len(newest.class_names) == len(names)
    assert len(manifest._kept) == 1
