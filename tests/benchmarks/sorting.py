"""In which order a pile's groups teach most: 1,000 flowers that nobody has labelled.

`python -m tests.benchmarks.sorting [--seeds 3]`: groups as the page makes them of
features of `pooled`; somebody confirms one group after another as what most of it is,
and leaves the others of it away. Told is what is known then: what was confirmed, and
what a head that learnt from it names right. Then 140 pictures, asked one by one, the
least certain first or at random.
"""

import argparse
import statistics
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks import bench, pooled
from transfer.classifier import closed_form
from transfer.doctor import labels, similar
from transfer.pile import group

#: Images of each class on the pile.
EACH = 200
#: Groups, and pictures, after which it is told what is known.
GROUPS, PICTURES, AT_ONCE = 20, 140, 8

Floats, Labels = NDArray[np.float32], NDArray[np.int32]
Mask = NDArray[np.bool_]
#: Of the confidences of a group's open pictures, what the first group has most of.
ORDERS: dict[str, Callable[[Floats], float]] = {
    "most in doubt": lambda sure: float((1 - sure).sum()),
    "largest": lambda sure: float(len(sure)),
    "surest": lambda sure: float(sure.mean()),
}


def main() -> None:
    """Sorts in every order, and tells how much is known then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    x, y = pooled.load("flowers")
    found: dict[str, list[float]] = {}
    for seed in range(seeds):
        drawn = pooled.draw(y, EACH, seed)
        near, truth = similar.project(x[drawn]), y[drawn]
        groups = group.cluster(near)
        pure = [np.bincount(truth[groups == one]).max() for one in np.unique(groups)]
        found.setdefault("of the class of most", []).append(
            float(sum(pure) / len(truth))
        )
        for name, order in ORDERS.items():
            known = _by_groups(near, truth, groups, order)
            found.setdefault(f"{GROUPS} groups, {name}", []).append(known)
        for name in ("least certain", "random"):
            known = _by_pictures(near, truth, name == "random", seed)
            found.setdefault(f"{PICTURES} pictures, {name}", []).append(known)
        print(seed, {name: round(all_[-1], 3) for name, all_ in found.items()})
    rows = [{"what": k, "known": statistics.mean(v)} for k, v in found.items()]
    bench.tell("sorting", rows)


def _by_groups(
    near: Floats, truth: Labels, groups: Labels, order: Callable[[Floats], float]
) -> float:
    """The share that is known after some groups."""
    known = np.zeros(len(truth), bool)
    for _ in range(GROUPS):
        _, sure = _ask(near, truth, known)
        members = [np.flatnonzero((groups == g) & ~known) for g in np.unique(groups)]
        first = max((m for m in members if len(m)), key=lambda m: order(sure[m]))
        most = np.bincount(truth[first]).argmax()
        known[first[truth[first] == most]] = True
    return _share(near, truth, known)


def _by_pictures(near: Floats, truth: Labels, is_random: bool, seed: int) -> float:
    """The share that is known after some pictures, four of each class first."""
    random = np.random.default_rng(seed)
    known = np.zeros(len(truth), bool)
    known[pooled.draw(truth, 4, seed)] = True
    while known.sum() < PICTURES:
        _, sure = _ask(near, truth, known)
        rest = random.permutation(np.flatnonzero(~known))
        order = rest if is_random else rest[np.argsort(sure[rest], kind="stable")]
        known[order[:AT_ONCE]] = True
    return _share(near, truth, known)


def _ask(near: Floats, truth: Labels, known: Mask) -> tuple[Labels, Floats]:
    """What a head says of all, and how sure it is; -1 where it knows one class."""
    classes, compact = np.unique(truth[known], return_inverse=True)
    if len(classes) < 2:
        return np.full(len(truth), -1, np.int32), np.zeros(len(truth), np.float32)
    head = closed_form.solve(near[known], compact.astype(np.int32), len(classes))
    shares = labels.softmax(near @ head.kernel + head.bias)
    return classes[shares.argmax(1)], shares.max(1)


def _share(near: Floats, truth: Labels, known: Mask) -> float:
    said, _ = _ask(near, truth, known)
    return float((known | (said == truth)).mean())


if __name__ == "__main__":
    main()
