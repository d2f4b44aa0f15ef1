"""Plans as they are edited: shortest words, clicks, the last stage, and lessons."""

from dataclasses import replace

import pytest

from transfer.backbones import freeze_edits
from transfer.backbones.freezing import FreezePlan
from transfer.backbones.structure import Cut, Layer, Structure

#: (block, layer, kind, parameters, statistics, size of its output, whether a cut).
LAYERS = [
    ("stem", "pixels", "InputLayer", 0, 0, 32, True),
    ("stem", "conv", "Conv2D", 100, 0, 16, True),
    ("block_1", "one_conv", "Conv2D", 200, 0, 16, False),
    ("block_1", "one_bn", "BatchNormalization", 20, 20, 16, False),
    ("block_1", "one_add", "Add", 0, 0, 16, True),
    ("block_2", "two_shrink", "Conv2D", 300, 0, 8, True),
    ("block_2", "two_conv", "Conv2D", 300, 0, 8, True),
    ("top", "last_conv", "Conv2D", 400, 0, 8, True),
]


@pytest.fixture
def structure() -> Structure:
    return Structure(
        backbone="small",
        image_size=(32, 32),
        layers=tuple(
            Layer(name=name, kind=kind, block=block, parameters=p, statistics=s)
            for block, name, kind, p, s, _, _ in LAYERS
        ),
        cuts=tuple(
            Cut(layer=one[1], index=index, shape=(one[5], one[5], 4))
            for index, one in enumerate(LAYERS)
            if one[6]
        ),
    )


@pytest.mark.parametrize(
    "words", ["all", "none", "last:1", "last:2", "blocks:stem,block_2", "layers:one_bn"]
)
def test_shortest_plan__gives_the_words_back(structure: Structure, words: str) -> None:
    resolved = FreezePlan.parse(words).resolve(structure)
    assert (
        str(freeze_edits.shortest_plan(structure, resolved.trainable_layers)) == words
    )


def test_shortest_plan__layers_that_are_whole_blocks_are_blocks(
    structure: Structure,
) -> None:
    assert (
        str(freeze_edits.shortest_plan(structure, {"one_conv", "one_bn"}))
        == "blocks:block_1"
    )
    assert (
        str(freeze_edits.shortest_plan(structure, {"last_conv", "one_add"})) == "last:1"
    )


def test_last_block__is_told_in_its_shortest_words(structure: Structure) -> None:
    assert str(freeze_edits.last_block(structure)) == "last:1"
    layers = tuple(replace(layer, block="whole") for layer in structure.layers)
    one_block = replace(structure, layers=layers)
    assert str(freeze_edits.last_block(one_block)) == "none"


def test_last_stage__begins_where_the_output_became_small(structure: Structure) -> None:
    assert str(freeze_edits.last_stage(structure)) == "last:2"


@pytest.mark.parametrize(
    ("before", "block", "only", "after"),
    [
        ("all", "block_2", False, "last:2"),
        ("last:1", "block_1", False, "last:3"),
        ("none", "block_2", False, "last:2"),
        ("last:2", "block_2", False, "last:1"),
        ("last:1", "top", False, "all"),
        ("all", "stem", False, "none"),
        ("last:1", "stem", True, "blocks:stem,top"),
        ("last:2", "block_2", True, "last:1"),
        ("layers:one_bn", "block_1", True, "all"),
    ],
)
def test_after_click__turns_over(
    structure: Structure, before: str, block: str, only: bool, after: str
) -> None:
    resolved = FreezePlan.parse(before).resolve(structure)
    assert str(freeze_edits.after_click(resolved, block, only)) == after


def lessons(structure: Structure, words: str, images: int = 1000) -> str:
    resolved = FreezePlan.parse(words).resolve(structure)
    return " ".join(freeze_edits.lessons(resolved, images))


def test_lessons__a_wise_plan_has_none(structure: Structure) -> None:
    assert not lessons(structure, "all") and not lessons(structure, "last:2")


def test_lessons__a_block_cut_in_half_is_named_with_its_cut(
    structure: Structure,
) -> None:
    told = lessons(structure, "layers:one_bn,two_shrink,two_conv,last_conv")
    assert told.startswith("block_1: a block is cut in half") and "at conv." in told


def test_lessons__frozen_blocks_above_are_named_in_order(structure: Structure) -> None:
    assert lessons(structure, "blocks:stem").startswith("block_1, block_2, top: frozen")


def test_lessons__many_parameters_for_few_images(structure: Structure) -> None:
    assert "1,320 trainable parameters to each of 1 " in lessons(structure, "none", 1)
    assert "trainable parameters" not in lessons(structure, "none", 2)
    resolved = FreezePlan("all").resolve(structure)  # no backbone is spoilt by a head
    assert not freeze_edits.lessons(resolved, 1, head=9999)


def test_batch_norms__only_those_that_train_count(structure: Structure) -> None:
    for words, count in (("none", 1), ("last:2", 0)):
        resolved = FreezePlan.parse(words).resolve(structure)
        assert freeze_edits.batch_norms(resolved) == count
