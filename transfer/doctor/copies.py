"""Copies: the same picture saved anew, cropped or mirrored, or another of a burst."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from transfer import processes, shards, workspace
from transfer.datasets import scratch
from transfer.datasets.revision import SPLITS, Image, Revision
from transfer.datasets.wording import WORDS
from transfer.doctor import alignment, similar
from transfer.doctor.alignment import Alignment
from transfer.doctor.finding import Finding, Shown, leave_out, show

#: Pairs that are laid over each other between two words of how far it is, on one core.
_PIECE = 128
#: Where so many pairs one after the other, and so many more for each image, have no
#: copy among them, no more pairs are looked at: those that follow promise less. Of
#: 1,500 planted copies that cost one (five, where two in 1,024 were asked for), all of
#: them turned; it saves half of the pairs of flowers as they are.
_TRIED, _TRIED_MORE = 1280, 0.01
#: Detail that two pictures share if they are copies: where features say that they are
#: near, and where not. Among 3,667 flowers, what is in between is bursts; but two heads
#: of dandelions, which features tell apart, share up to 0.9.
_ALIKE, _ALIKE_FAR = 0.8, 0.92
#: Cosines by features at which they are near and far.
_NEAR, _FAR = 0.9, 0.7
#: Light that they share besides, and how much of one's side the other may take.
_LIGHT, _SCALES = 0.85, (0.55, 1.8)
#: Pairs of a class by which it is known what they usually share.
_JUDGES = 200
#: Detail from which a pair is the same picture, not two of a burst.
_SAME = 0.97

Floats = NDArray[np.float32]
Progress = Callable[[int, int], None]


class Copies(NamedTuple):
    """Pairs that are copies, the surest first.

    Attributes:
        first: Positions, `(pairs,)`.
        second: Positions, `(pairs,)`.
        detail: Detail that they share, in [0, 1].
        mirrored: Whether one is mirrored.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    detail: Floats
    mirrored: NDArray[np.bool_]


def find(
    near: Floats,
    greys: NDArray[np.uint8],
    labels: NDArray[np.int32],
    told: Progress = lambda done, of: None,
    told_near: Progress = lambda done, of: None,
) -> Copies:
    """The pairs of images that are copies.

    Args:
        near: Features as `similar.project` has them, `(images, channels)`.
        greys: `(images, alignment.SIDE, alignment.SIDE)`.
        labels: Label index of each image, `(images,)`.
        told: Takes the number of pairs that were looked at, and of all.
        told_near: Before that, the number of images that were compared, and of all.
    """
    pairs = similar.candidates(near, greys, told_near)
    count = len(pairs.first)
    least = np.interp(pairs.similarity, (_FAR, _NEAR), (_ALIKE_FAR, _ALIKE))
    least = 1 - (1 - least) * (1 - _usual(greys, labels)) ** 1.5
    detail, mirrored = np.zeros(count, np.float32), np.zeros(count, bool)
    tried = _TRIED + int(_TRIED_MORE * len(near))
    with closing(_align(greys, pairs.first, pairs.second)) as aligned:
        for start, found in zip(range(0, count, _PIECE), aligned, strict=True):
            last = slice(max(0, start - tried), start)
            if start >= tried and not (detail[last] >= least[last]).any():
                break
            piece = slice(start, start + _PIECE)
            is_whole = (found.scale >= _SCALES[0]) & (found.scale <= _SCALES[1])
            is_whole &= found.likeness >= _LIGHT
            detail[piece] = np.where(is_whole, found.detail, 0)
            mirrored[piece] = found.mirrored
            told(min(start + _PIECE, count), count)
    told(count, count)
    order = np.argsort(-detail, kind="stable")
    order = order[(detail >= least)[order]]
    first, second = pairs.first[order], pairs.second[order]
    return Copies(first, second, detail[order], mirrored[order])


def _align(
    greys: NDArray[np.uint8], first: NDArray[np.int64], second: NDArray[np.int64]
) -> Generator[Alignment, None, None]:
    """Alignments of pairs, `_PIECE` at a time, in their order.

    Other machines open the file of small pictures: they see the workspace too.
    """
    lay, task = partial(_lay, greys), 0
    home, path = workspace.home().absolute(), getattr(greys, "filename", None)
    if isinstance(greys, np.memmap) and path and home in Path(path).parents:
        greys.flush()
        name = str(Path(path).relative_to(home))
        lay, task = partial(_lay_in_file, name, greys.shape), 1
    starts = range(0, len(first), _PIECE)
    pieces = ((first[at : at + _PIECE], second[at : at + _PIECE]) for at in starts)
    return shards.each(lay, pieces, ahead=2 * processes.cores(), task=task)


def _lay(
    greys: NDArray[np.uint8], pairs: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Alignment:
    return alignment.align(*(scratch.gather(greys, some) for some in pairs))


def _lay_in_file(
    name: str,
    shape: tuple[int, ...],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> Alignment:
    greys = np.memmap(workspace.home() / name, np.uint8, "r", shape=shape)
    return _lay(greys, pairs)


def _usual(greys: NDArray[np.uint8], labels: NDArray[np.int32]) -> float:
    """Detail that two images of a class usually share, in [0, 1].

    Two photographs of roses share none, but all noughts are alike, and only what is far
    more alike than those is a copy.
    """
    random = np.random.default_rng(0)
    first = random.permutation(len(labels))
    first = first[np.argsort(labels[first], kind="stable")]
    same = labels[first[1:]] == labels[first[:-1]]
    one, other = first[1:][same], first[:-1][same]
    some = random.permutation(len(one))[:_JUDGES]
    if not len(some):
        return 0.0
    found = [piece.detail for piece in _align(greys, one[some], other[some])]
    return float(np.clip(np.median(np.concatenate(found)), 0, 0.9))


def clusters(copies: Copies, count: int) -> NDArray[np.int64]:
    """The cluster of each image, named by its lowest position.

    Args:
        copies: The pairs.
        count: Number of images.
    """
    pairs = coo_matrix(
        (np.ones(len(copies.first)), (copies.first, copies.second)), (count, count)
    )
    named = connected_components(pairs, directed=False)[1]
    _, first = np.unique(named, return_index=True)
    lowest: NDArray[np.int64] = first[named]
    return lowest


def findings(revision: Revision, copies: Copies) -> list[Finding]:
    """One finding for each cluster of copies, and each that the import passed over."""
    cluster = clusters(copies, len(revision.images))
    detail: dict[int, float] = {}
    turned: set[int] = set()
    for first, shared, is_mirrored in zip(
        copies.first, copies.detail, copies.mirrored, strict=True
    ):
        name = int(cluster[first])
        detail[name] = max(detail.get(name, 0.0), float(shared))
        if is_mirrored:
            turned.add(name)
    members: dict[int, list[Image]] = {}
    for at in np.flatnonzero(np.isin(cluster, [*detail])):
        members.setdefault(int(cluster[at]), []).append(revision.images[at])
    found = [
        _finding(revision, images, detail[name], name in turned)
        for name, images in members.items()
    ]
    return found + passed_over(revision)


def _finding(
    revision: Revision, images: list[Image], detail: float, mirrored: bool
) -> Finding:
    # The one to keep comes first: what is learnt from is worth more than a test of it.
    images = sorted(images, key=lambda one: (SPLITS.index(one.split), one.path))
    what = "The same picture" if detail >= _SAME else "Nearly the same picture"
    what += f" {'twice' if len(images) == 2 else f'{len(images)} times'}"
    what += ", mirrored" if mirrored else ""
    return Finding(
        kind="copy",
        images=show(revision, images),
        # At the least that counts one in a hundred is none.
        certainty=min(0.999, 0.9 + 0.5 * (detail - _ALIKE)),
        says=f"{what}. {_effect(revision, images)}",
        remedies=(
            leave_out(
                images[1:], "A copy.", f"Keep {images[0].path}, leave out others"
            ),
        ),
    )


def _effect(revision: Revision, images: Sequence[Image]) -> str:
    said = []
    names = sorted({revision.class_names[image.label] for image in images})
    if len(names) > 1:
        said.append(f"They are labelled {' and '.join(names)}: one of these is wrong.")
    splits = [split for split in SPLITS if split in {one.split for one in images}]
    if len(splits) > 1:
        said.append(
            f"They lie in {' and '.join(splits)}: what was learnt by heart counts as "
            "right there, so the accuracy looks better than it is."
        )
    elif len(names) == 1:
        said.append("They count more than once, and teach nothing more.")
    return " ".join(said)


def passed_over(revision: Revision) -> list[Finding]:
    """Files whose very bytes came twice, which the import took in once."""
    by_path = {image.path: image for image in revision.images}
    found = []
    for one in revision.passed_over:
        same = one.reason.removeprefix(WORDS[revision.kind].same_as)
        if same == one.reason:
            continue
        ends = [at for at, sign in enumerate(same) if sign in ".,:"]
        kept = next((by_path[same[:at]] for at in ends if same[:at] in by_path), None)
        shown = Shown(sha256="", path=one.path, class_name="", split="")
        says = f"Twice byte for byte; the import took it in once. {one.reason}"
        images = (*(show(revision, [kept]) if kept else ()), shown)
        found.append(Finding(kind="copy", images=images, certainty=1.0, says=says))
    return found
