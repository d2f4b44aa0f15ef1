"""All of Tiny ImageNet, 100,000 pictures of 200 classes, from a folder to its figures.

`python -m tests.benchmarks.whole [--images 100000] [--backbone efficientnet_lite0]
[--image-size 96] [--engine local|ray] [--nodes 3]`: import, features, head in closed
form and evaluation as a user has them done, by commands, each with its seconds and the
memory of the largest process and of all together. With `--engine ray`, on the cluster
that `RAY_ADDRESS` names, Ray's processes on this machine are counted too; with
`TRANSFER_DATABASE_URL` the store is there. `--nodes` makes a cluster of so many nodes
of one core on this machine, which shows what a cluster costs and not what it gains, for
they share its cores. `--folder` keeps the pictures for another time; the workspace is
begun anew there.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import ray_nodes
from tests.benchmarks import bench, gallery, peaks
from transfer.runs.supervisor import Supervisor

#: What a run says of its parts, and what they are called here.
PARTS = {
    "import": "Keras imported",
    "prepare": "features of train and val",
    "head": "head in closed form",
    "evaluate": "val answered and judged",
}


def main() -> None:
    """Measures each step and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--engine", default="local", choices=("local", "ray"))
    parser.add_argument("--nodes", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    os.environ["TRANSFER_ENGINE"] = "ray" if args.nodes else args.engine
    with tempfile.TemporaryDirectory() as name:
        folder = (args.folder or Path(name)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["TRANSFER_HOME"] = str(folder / "workspace")
        shutil.rmtree(folder / "workspace", ignore_errors=True)
        with _nodes(args.nodes, folder):
            rows = whole(args, folder)
    facts = {name: getattr(args, name) for name in ("images", "backbone", "image_size")}
    engine = f"{args.nodes}-nodes" if args.nodes else args.engine
    bench.tell(f"whole-{engine}", rows, **facts, engine=engine)


@contextmanager
def _nodes(count: int, folder: Path) -> Iterator[None]:
    """So many nodes of one core; they count as ours, for they name the workspace."""
    if not count:
        yield
        return
    with ray_nodes.running(count, bench.environment(folder)) as nodes:
        os.environ["RAY_ADDRESS"] = nodes[0].address
        supervisor = Supervisor()  # a server hands jobs to the nodes
        supervisor.start()
        try:
            yield
        finally:
            supervisor.stop()


def whole(args: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """A row for each step."""
    with_ray = args.engine == "ray"
    if not (folder / "tiny").exists():
        gallery.write_images(folder / "tiny", args.images)

    def step(name: str, *words: str) -> tuple[Any, dict[str, Any]]:
        told, row = peaks.measure(lambda: bench.transfer(folder, *words), with_ray)
        rate = args.images / row["seconds"]
        return told, {"step": name, **row, "images/s": rate}

    _, imported = step("import", "import", str(folder / "tiny"), "--name", "tiny")
    settings = ["--dataset", "tiny", "--backbone", args.backbone, "--method", "instant"]
    settings += ["--image-size", str(args.image_size)]
    run, first = step("a run from nothing", "train", *settings)
    parts = [
        {"step": f"of it: {name}", "seconds": run["seconds"].get(part, 0.0)}
        for part, name in PARTS.items()
    ]
    _, again = step("a run, features kept", "train", *settings)
    judged, last = step("train judged", "evaluate", run["run"], "--split", "train")
    print(f"top-1: val {run['val_accuracy']:.4f}, train {judged['top_1']}")
    return [imported, first, *parts, again, last]


if __name__ == "__main__":
    main()
