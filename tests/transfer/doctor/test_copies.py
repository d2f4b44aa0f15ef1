from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import ImageOps

from tests.transfer.doctor.photographs import photograph, revision, small_grey
from transfer.datasets import scratch
from transfer.datasets.revision import PassedOver
from transfer.doctor import copies, similar
from transfer.doctor.copies import Copies


def found_in(greys: list[np.ndarray], labels: list[int]) -> set[tuple[int, int]]:
    """Pairs of copies, by what is seen at a glance alone."""
    random = np.random.default_rng(0)
    near = similar.project(random.normal(size=(len(greys), 32)).astype(np.float32))
    pairs = copies.find(near, np.stack(greys), np.array(labels, np.int32))
    return {*zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}


def pairs(*ends: tuple[int, int], detail: float = 0.99) -> Copies:
    first, second = np.array(ends).T
    shared = np.full(len(ends), detail, np.float32)
    return Copies(first, second, shared, np.zeros(len(ends), bool))


def test_find__saved_anew_and_mirrored_and_nothing_else() -> None:
    pictures = [photograph(seed) for seed in range(20)]
    pictures += [pictures[3].resize((70, 70)), ImageOps.mirror(pictures[5])]
    greys = [small_grey(one) for one in pictures]
    assert found_in(greys, [0] * len(greys)) == {(3, 20), (5, 21)}


def test_find__in_a_file_of_the_workspace_as_in_memory(workspace: Path) -> None:
    pictures = [photograph(seed) for seed in range(20)]
    pictures += [pictures[3].resize((70, 70)), ImageOps.mirror(pictures[5])]
    greys = np.stack([small_grey(one) for one in pictures])
    near = similar.project(greys.reshape(len(greys), -1).astype(np.float32))
    labels = np.zeros(len(greys), np.int32)
    alone = copies.find(near, greys, labels)
    with scratch.folder() as folder:
        filed = scratch.array(folder, "greys", np.uint8, greys.shape)
        filed[:] = greys
        found = copies.find(near, filed, labels)
    assert len(found.first) >= 2
    for one, other in zip(found, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_find__what_is_alike_in_its_whole_class_is_no_copy() -> None:
    random = np.random.default_rng(0)
    stroke = np.full((64, 64), 255, np.uint8)
    stroke[10:54, 28:36] = 0
    shifts = random.integers(-3, 4, (20, 2))
    greys = [np.roll(stroke, tuple(shift), (0, 1)) for shift in shifts]
    noisy = [
        np.clip(one + random.normal(0, 25, one.shape), 0, 255).astype(np.uint8)
        for one in greys
    ]
    assert not found_in(noisy, [0] * 20)


def test_clusters__copies_of_copies_are_one() -> None:
    assert copies.clusters(pairs((1, 2), (2, 4)), 6).tolist() == [0, 1, 1, 3, 1, 5]


def test_findings__across_splits_and_classes_is_said() -> None:
    made = revision([0, 0, 1, 1], ["val", "train", "train", "train"])
    (found,) = copies.findings(made, pairs((0, 1), (0, 2)))
    assert [one.split for one in found.images] == ["train", "train", "val"]
    assert "labelled a and b" in found.says and "train and val" in found.says
    (remedy,) = found.remedies
    kept = found.images[0].sha256
    assert remedy.does == "leave out"
    assert [*remedy.targets.values()] == [
        tuple(one.sha256 for one in found.images if one.sha256 != kept)
    ]


def test_findings__what_came_twice_byte_for_byte() -> None:
    made = replace(
        revision([0, 1]),
        passed_over=(
            PassedOver(path="a/x.jpg", reason="The same picture as a/0000.jpg."),
        ),
    )
    nothing = Copies(*np.zeros((3, 0), int), np.zeros(0, bool))
    (found,) = copies.findings(made, nothing)
    assert [one.path for one in found.images] == ["a/0000.jpg", "a/x.jpg"]
    assert found.certainty == 1
