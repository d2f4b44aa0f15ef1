"""What a source model calls the images of a dataset, and what is made of that."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import tiny
from tests.pictures import make_pictures
from transfer.advice import ask_imagenet, imagenet_names
from transfer.advice.ask_imagenet import _Answers
from transfer.advice.imagenet_names import Name
from transfer.backbones import graph, imagenet, source_head
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import DatasetError

pytestmark = pytest.mark.usefixtures("workspace")


@pytest.fixture
def revision(workspace: Path, tmp_path: Path) -> Revision:
    """Two classes, of which ImageNet knows one; test has images too."""
    make_pictures(tmp_path / "pets", {"tabby": 8, "my dog": 8})
    return importer.import_path(tmp_path / "pets", "pets", val=0.25, test=0.25)


def answers() -> _Answers:
    """Of three images of class 0 and three of class 1, the last of each in val."""
    tabby, tench, vase = (imagenet.find(one) for one in ("tabby", "tench", "vase"))
    return _Answers(
        hashes=np.array(list("abcdef")),
        labels=np.array([0, 0, 0, 1, 1, 1]),
        in_val=np.array([False, False, True, False, False, True]),
        named=np.array([vase, vase, tench, tabby, tabby, tabby], np.int64),
        sure=np.array([0.6, 0.9, 0.2, 0.5, 0.4, 0.7], np.float32),
    )


def test_summarise__names_by_frequency_with_the_surest_image(
    revision: Revision,
) -> None:
    dog, tabby = ask_imagenet._summarise(revision, "tiny", answers()).classes
    sure = [float(one) for one in np.array([0.9, 0.2, 0.7], np.float32)]
    assert dog.class_name == "my dog" and (dog.own, dog.right) == ("", None)
    assert dog.names == (
        Name("vase", 2 / 3, "b", sure[0]),
        Name("tench", 1 / 3, "c", sure[1]),
    )
    assert dog.doubtful == dog.names[1]
    assert (dog.images, dog.different, dog.unsure) == (3, 2, 1 / 3)
    assert (tabby.own, tabby.right) == ("tabby", 1.0)
    assert tabby.names == (Name("tabby", 1.0, "f", sure[2]),)


def test_summarise__reads_each_name_as_the_class_that_gets_it_in_train(
    revision: Revision,
) -> None:
    said = ask_imagenet._summarise(revision, "tiny", answers())
    # Of the two in val one is a tabby; no training image was called a tench.
    assert (said.translated, said.guessed) == (0.5, 0.5)


def test_summarise__without_val_nothing_is_claimed(revision: Revision) -> None:
    no_val = answers()._replace(in_val=np.zeros(6, np.bool_))
    said = ask_imagenet._summarise(revision, "tiny", no_val)
    assert said.translated is said.guessed is None


@pytest.fixture
def source(tiny: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backbone at random, with a head for ImageNet's classes at random."""
    build, random = graph.build, np.random.default_rng(0)
    head = random.normal(size=(16, 1000)).astype(np.float32), np.zeros(1000)
    monkeypatch.setattr(
        graph, "build", lambda name, weights: build(name, image_size=(64, 64))
    )
    monkeypatch.setattr(source_head, "whole_layer", lambda backbone: head)


@pytest.mark.usefixtures("source")
def test_ask__keeps_features_and_answers_and_leaves_test_alone(
    revision: Revision,
) -> None:
    told: list[tuple[int, int]] = []

    def ask() -> imagenet_names.SourceNames:
        return ask_imagenet.ask(
            revision, tiny.NAME, lambda line: None, lambda *now: told.append(now)
        )

    said = ask()
    seen = len(revision.of_split("train")) + len(revision.of_split("val"))
    assert said.images == seen == sum(one.images for one in said.classes)
    assert told[-1] == (seen, seen)
    assert imagenet_names.kept_names(revision, tiny.NAME) == said
    told.clear()
    assert ask() == said and not told  # all features were kept


@pytest.mark.usefixtures("source")
def test_ask__without_training_images(revision: Revision) -> None:
    empty = replace(revision, images=())
    with pytest.raises(DatasetError, match="no training images"):
        ask_imagenet.ask(empty, tiny.NAME, lambda line: None, lambda *now: None)


def test_kept_names__what_is_damaged_counts_as_none(revision: Revision) -> None:
    path = imagenet_names._record(revision, tiny.NAME)
    path.parent.mkdir(parents=True)
    path.write_text('{"backbone": "tiny"}')
    assert imagenet_names.kept_names(revision, tiny.NAME) is None
