"""Shards on a real Ray cluster: the same results to the bit, whatever is lost."""

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import ImageOps

from tests import ray_nodes
from tests.patience import PATIENCE, wait_for
from tests.pictures import make_pictures
from tests.ray_nodes import Node
from tests.transfer.doctor.photographs import photograph, small_grey
from tests.transfer.features.computing import extractor_of
from tests.transfer.features.conftest import hashes, model
from transfer import cluster, shards, workspace
from transfer.classifier import converting
from transfer.classifier import model as classifier
from transfer.datasets import library, scratch
from transfer.datasets.ingest import importer, staging
from transfer.doctor import copies, looks, similar
from transfer.errors import ImageError
from transfer.features import shard, speeds
from transfer.features.converted import BATCH
from transfer.features.extract import Extractor
from transfer.features.views import View
from transfer.prediction import models
from transfer.shards import Spread

#: The fixtures of features' own tests.
__all__ = ["hashes", "model"]

LAYERS = ("pixels", "pooling")


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[Node]]:
    with ray_nodes.running() as made:
        yield made


@pytest.fixture
def on_ray(
    nodes: list[Node], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Work goes to the cluster, in small pieces."""
    monkeypatch.setenv("TRANSFER_ENGINE", "ray")
    monkeypatch.setenv("RAY_ADDRESS", nodes[0].address)
    monkeypatch.setattr(shard, "_LEAST", BATCH)
    monkeypatch.setattr(looks, "_SHARD", 2)
    monkeypatch.setattr(models, "_PIECE", 2)
    monkeypatch.setattr(staging.shards, "TASK", 2)
    yield
    disconnect()


def views_of(hashes: list[str], numbers: int = 9) -> list[View]:
    return [View(one, at, ("flip",)) for at in range(numbers) for one in hashes]


def compute(extractor: Extractor, views: list[View]) -> list[int]:
    told: list[int] = []
    wanted = dict.fromkeys(LAYERS, views)
    extractor.compute(wanted, lambda done, of: told.append(done))
    return told


def rows_of(extractor: Extractor, views: list[View]) -> list[bytes]:
    return [extractor.read(layer, views).tobytes() for layer in LAYERS]


def forget(extractor: Extractor) -> None:
    """Removes what is kept of its layers."""
    for shelf in extractor.shelves.values():
        for segment in shelf.folder.glob("*.features"):
            segment.unlink()


@pytest.fixture
def from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each shard whether others did it; this machine waits for one of theirs.

    Of features only, which ask `shards.go_on`.
    """
    seen: list[bool] = []
    is_one_there = threading.Event()
    take = Spread._take

    def note(self: Any, number: int, future: Any, is_from_here: bool) -> None:
        take(self, number, future, is_from_here)
        seen.append(not is_from_here)
        if not is_from_here:
            is_one_there.set()

    monkeypatch.setattr(Spread, "_take", note)
    monkeypatch.setattr(shards, "go_on", lambda: is_one_there.wait(PATIENCE))
    return seen


def test_compute__on_a_cluster_gives_the_same_bits(
    model: keras.Model,
    hashes: list[str],
    on_ray: None,
    from_elsewhere: list[bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    views = views_of(hashes)
    rates = json.dumps({"keras": 1.0, "openvino": 2.0}).encode()
    workspace.write_atomically(speeds.rates_record("net", (32, 32)), rates)
    with monkeypatch.context() as patch:
        patch.setenv("TRANSFER_ENGINE", "local")
        alone = extractor_of(model, *LAYERS)
        compute(alone, views)
        expected = rows_of(alone, views)
        forget(alone)
    extractor = extractor_of(model, *LAYERS)
    assert compute(extractor, views) == [32, 64, 96, 128, 160, 180]
    assert len([*extractor.shelves["pooling"].folder.iterdir()]) == 6
    assert any(from_elsewhere)
    # Another process finds all of them on the shelf.
    assert not compute(extractor_of(model, *LAYERS), views)
    assert rows_of(extractor_of(model, *LAYERS), views) == expected


def test_pays__a_few_views_are_computed_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not shard.pays(10**6)
    monkeypatch.setenv("TRANSFER_ENGINE", "ray")
    assert shard.pays(10**6) and not shard.pays(734)


def test_compute__stopped_keeps_what_is_there(
    model: keras.Model, hashes: list[str], on_ray: None
) -> None:
    def stop(done: int, of: int) -> None:
        if done >= 64:
            raise InterruptedError

    views = views_of(hashes, 60)
    extractor = extractor_of(model)
    with pytest.raises(InterruptedError):
        extractor.compute({"pooling": views}, stop)
    left = extractor_of(model)._missing({"pooling": views})
    assert not {view for view in left if view in views[:64]}
    assert left


def test_import_path__on_a_cluster_is_the_same_dataset(
    on_ray: None, from_elsewhere: list[bool], tmp_path: Path
) -> None:
    folder = make_pictures(tmp_path / "pets", {"cat": 12, "dog": 12})
    (folder / "cat" / "broken.png").write_bytes(b"no picture")
    spread = importer.import_path(folder, "spread")
    assert any(from_elsewhere)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_ENGINE", "local")
        alone = importer.import_path(folder, "alone")
    assert spread.images == alone.images and len(spread.images) == 24
    assert spread.passed_over == alone.passed_over
    assert all(library.image_path(one.sha256).exists() for one in spread.images)


def test_import_path__others_do_not_have_the_folder(
    on_ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_pictures(tmp_path / "pets", {"cat": 6, "dog": 6})
    hidden = partial(staging._open_on_disk, str(tmp_path / "elsewhere"))
    send = cluster.Cores.send

    def send_without(self: cluster.Cores, work: Any) -> Any:
        piece = [replace(coming, open=hidden) for coming in work.args[1]]
        return send(self, partial(work.func, work.args[0], piece))

    monkeypatch.setattr(cluster.Cores, "send", send_without)
    found = importer.import_path(folder, "pets")
    assert len(found.images) == 12 and not found.passed_over


def test_look__on_a_cluster_is_the_same_look(
    hashes: list[str], on_ray: None, from_elsewhere: list[bool], tmp_path: Path
) -> None:
    library.image_path(hashes[3]).write_bytes(b"no picture")
    counts: list[int] = []
    (tmp_path / "spread").mkdir()
    (tmp_path / "alone").mkdir()
    spread = looks.look(
        hashes, None, tmp_path / "spread", lambda done, of: counts.append(done)
    )
    assert counts == [*range(0, len(hashes) + 1, 2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_ENGINE", "local")
        for segment in looks.shelf_of(None).folder.glob("*.features"):
            segment.unlink()
        alone = looks.look(hashes, None, tmp_path / "alone")
    np.testing.assert_array_equal(spread.rows, alone.rows)
    assert spread.unreadable == alone.unreadable and list(alone.unreadable) == [3]


def test_find_copies__on_a_cluster_are_the_same_copies(
    on_ray: None, from_elsewhere: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "_PIECE", 8)
    pictures = [photograph(seed) for seed in range(24)]
    pictures += [ImageOps.mirror(one) for one in pictures[:8]]
    seen = np.stack([small_grey(one) for one in pictures])
    near = similar.project(seen.reshape(len(seen), -1).astype(np.float32))
    labels = np.zeros(len(seen), np.int32)
    with scratch.folder() as folder:
        greys = scratch.array(folder, "greys", np.uint8, seen.shape)
        greys[:] = seen
        spread = copies.find(near, greys, labels)
    assert any(from_elsewhere)
    alone = copies.find(near, seen, labels)
    assert {*zip(spread.first, spread.second, strict=True)} >= {(0, 24), (7, 31)}
    for one, other in zip(spread, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_answer_each__on_a_cluster_are_the_same_answers(
    model: keras.Model, hashes: list[str], on_ray: None, from_elsewhere: list[bool]
) -> None:
    record = workspace.folder("records") / "runner.npz"
    whole = classifier.assemble(model, classifier.head("linear", 16, 3, seed=0))
    runner = converting.make(whole, "net", record, print)
    one = models.Classifier(runner, "abc", 0.5, record)
    library.image_path(hashes[3]).write_bytes(b"no picture")
    paths = [library.image_path(sha256) for sha256 in hashes]
    spread = one.answer_each(paths)
    assert any(from_elsewhere)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_ENGINE", "local")
        alone = one.answer_each(paths)
    assert isinstance(spread.pop(3), ImageError)
    assert isinstance(alone.pop(3), ImageError)
    np.testing.assert_array_equal(spread, alone)


def test_compute__a_node_is_killed_meanwhile(
    model: keras.Model, hashes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    views = views_of(hashes, 400)
    monkeypatch.setenv("TRANSFER_ENGINE", "ray")
    monkeypatch.setattr(shard, "_LEAST", BATCH)
    with ray_nodes.running(3) as nodes:
        monkeypatch.setenv("RAY_ADDRESS", nodes[0].address)
        extractor = extractor_of(model)
        told: list[int] = []

        def kill_one(done: int, of: int) -> None:
            told.append(done)
            if len(told) == 60:
                nodes[2].kill()

        extractor.compute({"pooling": views}, kill_one)
        disconnect()
    assert told == [*range(BATCH, len(views) + 1, BATCH)]
    spread = extractor.read("pooling", views)
    forget(extractor)
    recipe = extractor._recipe(("pooling",))
    assert recipe
    shard.keep(recipe, views)
    alone, lost = extractor_of(model).shelves["pooling"].read([v.key for v in views])
    assert not lost
    np.testing.assert_array_equal(spread, alone)


def test_each__a_job_that_has_the_only_core_comes_to_an_end(
    nodes: list[Node], on_ray: None
) -> None:
    ray, address, numbers = cluster.connect(), nodes[0].address, [*range(30)]

    def job() -> list[int]:
        os.environ["TRANSFER_ENGINE"], os.environ["RAY_ADDRESS"] = "ray", address
        return ray_nodes.squares(numbers)

    found = ray.get(ray.remote(num_cpus=1)(job).remote(), timeout=PATIENCE)
    assert found == [number**2 for number in numbers]


def test_send__a_shard_keeps_no_job_from_its_cores(on_ray: None) -> None:
    ray, cores = cluster.connect(), cluster.cores()
    assert wait_for(cores.count) == 1
    shard_at_work = cores.send(partial(time.sleep, PATIENCE))
    job = ray.remote(num_cpus=1)(lambda: "done")
    assert ray.get(job.remote(), timeout=PATIENCE) == "done"
    cores.take_back(shard_at_work)


def disconnect() -> None:
    """Leaves the cluster, so that this process can join another one."""
    cluster.cores.cache_clear()
    cluster.connect().shutdown()
