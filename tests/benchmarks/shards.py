"""What a shard costs on a Ray cluster, and what a large cluster would gain by it.

`python -m tests.benchmarks.shards [--nodes 8] [--backbone efficientnet_lite0]`:
the bytes that travel for an image, the overhead of a shard, and the time of 1, 2, 4 and
so on shards on as many nodes of one core. All nodes are on this machine: shards that
wait show what Ray itself takes, while those that compute share its cores, so that more
of them than cores gain nothing. From these figures the time of many images on many
nodes is reckoned, which is arithmetic and was not measured.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ray import cloudpickle

from tests import ray_nodes
from tests.benchmarks import bench, gallery
from transfer import cluster
from transfer.classifier import model as classifier
from transfer.datasets import library, scratch
from transfer.datasets.ingest import importer
from transfer.doctor import copies, looks
from transfer.doctor.one_look import Looks
from transfer.features import shard
from transfer.features.extract import Extractor
from transfer.features.shard import Recipe
from transfer.features.views import View

#: Views of a shard, and seconds that one waits that only waits.
SHARD, WAIT = 256, 2.0
#: What the reckoning takes for granted: cores of a node, and bytes a second that the
#: shared folder gives to all together, here a link of 10 Gbit/s.
CORES, BANDWIDTH = 8, 1.1e9
#: Sets of pictures, and the side in pixels at which a backbone sees them.
SIDES = {"tiny": 96, "flowers": 224}


class Travel(NamedTuple):
    """Bytes of each image that went and came, pickled as Ray has them, by task."""

    went: list[float]
    came: list[float]


class Cost(NamedTuple):
    """What a shard costs.

    Attributes:
        name: Of the pictures.
        cold: Seconds in a process that has loaded nothing.
        warm: Seconds in one that has.
        read: Bytes of an image's file.
        written: Bytes of its features.
    """

    name: str
    cold: float
    warm: float
    read: float
    written: int


def main() -> None:
    """Measures and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=8)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= bench.environment(folder) | {"TRANSFER_ENGINE": "ray"}
        gallery.write_images(folder / "tiny", SHARD * (args.nodes + 1))
        with ray_nodes.running(args.nodes, bench.environment(folder)) as nodes:
            os.environ["RAY_ADDRESS"] = nodes[0].address
            try:
                _measure(args, folder)
            finally:
                cluster.connect().shutdown()


def _measure(args: argparse.Namespace, folder: Path) -> None:
    first, later = _seconds_of(os.getpid), _seconds_of(os.getpid, 200)
    travel = [
        _row("import", _watch(lambda: importer.import_path(folder / "tiny", "tiny")))
    ]
    hashes = [image.sha256 for image in library.load("tiny").images]
    with scratch.folder() as place:
        seen: list[Looks] = []
        done = _watch(lambda: seen.append(looks.look(hashes, None, place)))
        travel.append(_row("looks", done))
        every = np.arange(len(hashes))
        pairs = copies._align(seen[0].greys, every, every[::-1])
        travel.append(_row("near copies, of a pair", _watch(lambda: [*pairs])))
    importer.import_path(bench.flowers(folder / "photos"), "flowers")
    costs = [_cost(args.backbone, name) for name in SIDES]
    extractor, recipe = _recipe(args.backbone, "tiny")
    pieces = _pieces("tiny", args.nodes)
    keep = [partial(shard.keep, recipe, piece) for piece in pieces]
    _all_done(keep)  # so that every node is warm
    for segment in extractor.shelves["pooling"].folder.glob("*.features"):
        segment.unlink()
    extractor, _ = _recipe(args.backbone, "tiny")
    wanted = {"pooling": [view for piece in pieces for view in piece]}
    done = _watch(lambda: extractor.compute(wanted, lambda *_: None))
    travel.append(_row("features", done))
    counts = [1 << power for power in range(args.nodes.bit_length())]
    scaling = [
        {
            "shards and nodes": count,
            "that wait 2 s: seconds": _all_done([partial(time.sleep, WAIT)] * count),
            f"features of {SHARD} images: seconds": _all_done(keep[:count]),
        }
        for count in counts
    ]
    bench.tell("shards-travel", travel)
    facts = {"an empty task, ms": 1000 * later, "the first task, s": first}
    bench.tell("shards-overhead", [one._asdict() for one in costs], **facts)
    bench.tell("shards-scaling", scaling)
    bench.tell("shards-reckoned", [*_reckon(costs, later)])


def _recipe(backbone: str, dataset: str) -> tuple[Extractor, Recipe]:
    size = (SIDES[dataset], SIDES[dataset])
    pooled = classifier.pooled_backbone(backbone, image_size=size)
    extractor = Extractor(pooled, ["pooling"], backbone, print)
    recipe = extractor._recipe(("pooling",))
    if recipe is None:
        raise SystemExit("OpenVINO does not run this backbone.")
    return extractor, recipe


def _pieces(dataset: str, count: int) -> list[list[View]]:
    views = [View(image.sha256) for image in library.load(dataset).images]
    return [views[at * SHARD : (at + 1) * SHARD] for at in range(count)]


def _cost(backbone: str, dataset: str) -> Cost:
    extractor, recipe = _recipe(backbone, dataset)
    (views,) = _pieces(dataset, 1)
    work = partial(shard.keep, recipe, views)
    cold, warm = _all_done([work]), min(_all_done([work]) for _ in range(5))
    read = [library.image_path(view.sha256).stat().st_size for view in views]
    written = extractor.shelves["pooling"].row_bytes
    return Cost(dataset, cold, warm, sum(read) / len(read), written)


def _seconds_of(work: Callable[[], Any], times: int = 1) -> float:
    """Seconds of one task among some that do nothing."""
    return _all_done([work] * times) / times


def _all_done(works: Sequence[Callable[[], Any]]) -> float:
    """Seconds until all of these were done on the cluster, none of them here."""
    start = time.perf_counter()
    cores = cluster.cores()
    count = cores.count()
    for at in range(0, len(works), count):
        for future in [cores.send(work) for work in works[at : at + count]]:
            future.result()
    return time.perf_counter() - start


def _watch(do: Callable[[], Any]) -> tuple[Travel, float]:
    """What travelled while something was done, and its seconds."""
    travel, send = Travel([], []), cluster.Cores.send

    def note(self: cluster.Cores, work: Callable[[], Any]) -> "Future[Any]":
        items = work.args[1]  # type: ignore[attr-defined]
        piece = items[0][0] if isinstance(items[0], tuple) else items[0]
        is_many = isinstance(piece, list | np.ndarray)
        count = len(piece) if is_many else len(items)
        travel.went.append(len(cloudpickle.dumps(work)) / count)

        def hear(done: "Future[Any]") -> None:
            if not done.cancelled() and not done.exception():
                travel.came.append(len(cloudpickle.dumps(done.result())) / count)

        future = send(self, work)
        future.add_done_callback(hear)
        return future

    start = time.perf_counter()
    cluster.Cores.send = note  # type: ignore[method-assign]
    try:
        do()
    finally:
        cluster.Cores.send = send  # type: ignore[method-assign]
    return travel, time.perf_counter() - start


def _row(what: str, done: tuple[Travel, float]) -> dict[str, Any]:
    travel, seconds = done
    return {
        "what": what,
        "tasks": len(travel.went),
        "bytes an image there": sum(travel.went) / max(len(travel.went), 1),
        "and back": sum(travel.came) / max(len(travel.came), 1),
        "seconds": seconds,
    }


def _reckon(costs: Sequence[Cost], of_task: float) -> Iterator[dict[str, Any]]:
    """Seconds of features, by what each part would take if it were alone.

    Args:
        costs: Of shards.
        of_task: Seconds of whoever sends a task.
    """
    for one, images, nodes in product(costs, (1_000_000, 10_000_000), (1, 10, 100)):
        parts = {
            "cores, s": images * one.warm / SHARD / (nodes * CORES),
            "shared folder, s": images * (one.read + one.written) / BANDWIDTH,
            "whoever asks, s": min(shard._MOST_SHARDS, images // SHARD) * of_task,
        }
        bound = max(parts, key=lambda part: parts[part]).partition(",")[0]
        told = {"pictures": one.name, "images": images, "nodes": nodes}
        yield told | parts | {"start, s": one.cold, "reckoned; bound by": bound}


if __name__ == "__main__":
    main()
