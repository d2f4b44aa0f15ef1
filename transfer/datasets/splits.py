"""Which image learns and which one tests: the stratified, seeded split."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from transfer.datasets.revision import Revision, Split
from transfer.errors import ConfigError

#: A class of so many images has come at once, or has enough in val and test.
_GROWN = 20


def stratify(
    labels: Sequence[int],
    val: float,
    test: float,
    seed: int,
    groups: Sequence[str] | None = None,
) -> list[Split]:
    """The split of each image, so that every class is divided alike.

    Every class has at least one image in train; from 2 images on at least one in val
    and from 3 on at least one in test, where their shares are above 0.

    Args:
        labels: Class index of each image.
        val: Share of each class that goes to val, in [0, 0.9].
        test: Share of each class that goes to test, in [0, 0.9].
        seed: Equal seeds and labels give equal splits; 0 or more.
        groups: What names the group of each image; those of one group and class go
            into one split together, and count as one. Without, each stands alone.

    Raises:
        ConfigError: A share or the seed is out of its limits.
    """
    check_shares(val, test, seed)
    if groups is not None:
        keys = list(zip(labels, groups, strict=True))
        firsts = list(dict.fromkeys(keys))
        drawn = stratify([label for label, _ in firsts], val, test, seed)
        of_key = dict(zip(firsts, drawn, strict=True))
        return [of_key[key] for key in keys]
    splits: list[Split] = ["train"] * len(labels)
    all_labels = np.asarray(labels, dtype=int)
    for label in np.unique(all_labels):
        members = np.flatnonzero(all_labels == label)
        # A draw for each class, so that images of one move no image of another.
        np.random.default_rng([seed, int(label)]).shuffle(members)
        in_val, in_test = _counts(len(members), val, test)
        for member in members[:in_val]:
            splits[member] = "val"
        for member in members[in_val : in_val + in_test]:
            splits[member] = "test"
    return splits


def stratify_more(
    revision: Revision, class_names: Sequence[str], groups: Sequence[str]
) -> list[Split]:
    """The split of each image that comes into a dataset that is there.

    A class without images is divided like a new dataset. Into another one they come to
    learn from, so that val and test stay; if it lacks these, as a class does that comes
    picture by picture, they are divided too, and a single group goes where it lacks.

    Args:
        revision: The dataset as it is.
        class_names: The class of each image that comes.
        groups: As in `stratify`.
    """
    found = stratify(
        np.unique(class_names, return_inverse=True)[1].tolist(),
        revision.val,
        revision.test,
        revision.seed,
        groups,
    )
    so_many = Counter(name for name, _ in {*zip(class_names, groups, strict=True)})
    lacking = _lacking(revision)
    for at, name in enumerate(class_names):
        if (lacks := lacking.get(name)) is None:
            continue
        if so_many[name] == 1:
            found[at] = next(iter(lacks), "train")
        elif found[at] not in lacks:
            found[at] = "train"
    return found


def _lacking(revision: Revision) -> dict[str, list[Split]]:
    """Which of val and test lack images, for each class that has some."""
    # Splits that were given are whoever gave them's to fill.
    wanted: dict[Split, float] = {"val": revision.val, "test": revision.test}
    if revision.split_source == "given":
        wanted = {}
    found: dict[str, list[Split]] = {}
    for name, counts in revision.counts().items():
        images = sum(counts.values())
        # In a class that still grows, less than half of the share is too little.
        part = images / 2 if images < _GROWN else 0
        if images:
            found[name] = [
                split
                for split, share in wanted.items()
                if share and (not counts[split] or counts[split] < share * part)
            ]
    return found


def check_shares(val: float, test: float, seed: int) -> None:
    """Checks the settings of a split.

    Raises:
        ConfigError: One or more are out of their limits; all are named at once.
    """
    problems = [
        f"{name} is {share}, but must be from 0 to 0.9"
        for name, share in (("val", val), ("test", test))
        if not 0 <= share <= 0.9
    ]
    if not problems and val + test >= 1:
        problems.append(
            f"val {val} and test {test} together leave nothing for train; "
            "their sum must be below 1"
        )
    if seed < 0:
        problems.append(f"seed is {seed}, but must be 0 or more")
    if problems:
        raise ConfigError("; ".join(problems) + ".")


def _counts(images: int, val: float, test: float) -> tuple[int, int]:
    """Number of a class's images in val and in test."""
    in_val, in_test = _round_half_up(images * val), _round_half_up(images * test)
    if val > 0 and images >= 2:
        in_val = max(1, in_val)
    if test > 0 and images >= 3:
        in_test = max(1, in_test)
    # Train keeps an image whatever the shares are: nothing is learnt without.
    while in_val + in_test > max(0, images - 1):
        if in_val > in_test:
            in_val -= 1
        else:
            in_test -= 1
    return in_val, in_test


def _round_half_up(value: float) -> int:
    # `round` takes halves to the even neighbour, which surprises who counts by hand.
    return math.floor(value + 0.5)
