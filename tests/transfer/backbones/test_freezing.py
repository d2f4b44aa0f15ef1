"""Freeze plans: their words, and what they come to."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from transfer.backbones import graph
from transfer.backbones.freezing import FreezePlan, head_parameters, trainable_blocks
from transfer.backbones.structure import Cut, Layer, Structure
from transfer.classifier import model as classifier
from transfer.errors import FreezeError

#: (block, layer, parameters, statistics, whether its output is a cut)
LAYERS = [
    ("stem", "pixels", 0, 0, True),
    ("stem", "scaling", 0, 0, True),
    ("stem", "conv", 10, 0, True),
    ("block_1", "expand", 20, 0, False),
    ("block_1", "bn", 4, 4, False),
    ("block_1", "add", 0, 0, True),
    ("block_2", "pool", 0, 0, True),
    ("top", "conv_1", 40, 0, True),
    ("top", "relu", 0, 0, True),
]

STRUCTURE = Structure(
    backbone="tiny",
    image_size=(8, 8),
    layers=tuple(
        Layer(name=name, kind="Layer", block=block, parameters=p, statistics=s)
        for block, name, p, s, _ in LAYERS
    ),
    cuts=tuple(
        Cut(layer=one[1], index=i, shape=(1,)) for i, one in enumerate(LAYERS) if one[4]
    ),
)


@pytest.mark.parametrize(
    "text", ["all", "none", "last:3", "blocks:top,block_1", "layers:bn,expand"]
)
def test_parse__round_trip_keeps_the_order_given(text: str) -> None:
    assert str(FreezePlan.parse(text)) == text


def test_parse__spaces_and_repetitions() -> None:
    assert str(FreezePlan.parse(" blocks: top, stem,top ")) == "blocks:top,stem"


@pytest.mark.parametrize("text", ["", "some", "blocks:", "layers: ,", "all:1", "top"])
def test_parse__anything_else_lists_the_forms(text: str) -> None:
    with pytest.raises(FreezeError, match="last:N"):
        FreezePlan.parse(text)


@pytest.mark.parametrize("count", ["0", "-1", "two", "", "1.5"])
def test_parse__last_needs_a_number(count: str) -> None:
    with pytest.raises(FreezeError, match="use `all`"):
        FreezePlan.parse(f"last:{count}")


@pytest.mark.parametrize(
    ("text", "layers", "cut"),
    [
        ("all", (), "relu"),
        ("none", ("conv", "expand", "bn", "conv_1"), "pixels"),
        ("last:1", ("conv_1",), "pool"),
        ("last:2", ("expand", "bn", "conv_1"), "conv"),
        ("last:3", ("conv", "expand", "bn", "conv_1"), "pixels"),
        ("blocks:top,block_1", ("expand", "bn", "conv_1"), "conv"),
        ("blocks:block_1", ("expand", "bn"), "conv"),
        ("layers:bn", ("bn",), "conv"),
        ("layers:conv_1,conv", ("conv", "conv_1"), "pixels"),
    ],
)
def test_resolve__layers_and_cut(text: str, layers: tuple[str, ...], cut: str) -> None:
    resolved = FreezePlan.parse(text).resolve(STRUCTURE)
    assert (resolved.trainable_layers, resolved.cut.layer) == (layers, cut)


def test_resolve__what_it_gives_knows_its_plan_and_backbone() -> None:
    plan = FreezePlan.parse("layers:bn,conv_1")
    resolved = plan.resolve(STRUCTURE)
    assert resolved.plan is plan and resolved.structure is STRUCTURE
    assert resolved.trains == {"bn", "conv_1"}
    assert resolved.training_blocks == ("block_1", "top")


def test_resolve__statistics_stay_frozen() -> None:
    resolved = FreezePlan.parse("none").resolve(STRUCTURE)
    assert (resolved.trainable_parameters, resolved.frozen_parameters) == (74, 4)


def test_resolve__unknown_block_names_similar_ones_and_their_number() -> None:
    with pytest.raises(FreezeError, match="no block 'block_9'.* 4 .*block_1"):
        FreezePlan.parse("blocks:top,block_9").resolve(STRUCTURE)


def test_resolve__unknown_layer_names_similar_ones() -> None:
    with pytest.raises(FreezeError, match="no layer 'con_1'.*conv_1"):
        FreezePlan.parse("layers:con_1").resolve(STRUCTURE)


@pytest.mark.parametrize("text", ["blocks:top,block_2", "layers:conv,relu"])
def test_resolve__nothing_to_train_in_it(text: str) -> None:
    name = text.rpartition(",")[2]
    with pytest.raises(FreezeError, match=f"nothing to train in {name}"):
        FreezePlan.parse(text).resolve(STRUCTURE)


def test_resolve__more_blocks_than_there_are() -> None:
    with pytest.raises(FreezeError, match="last:4 is more than the 3 blocks"):
        FreezePlan.parse("last:4").resolve(STRUCTURE)


def test_trainable_blocks__without_those_that_have_no_parameters() -> None:
    assert trainable_blocks(STRUCTURE) == ("stem", "block_1", "top")


@pytest.mark.parametrize("text", ["all", "none", "last:4", "blocks:block_3,top"])
def test_resolve__counts_what_keras_counts(text: str) -> None:
    model = graph.build("mobilenet_v2_035", image_size=(32, 32))
    structure = graph.structure(model, "mobilenet_v2_035")
    resolved = FreezePlan.parse(text).resolve(structure)
    for layer in model.layers:
        layer.trainable = layer.name in resolved.trainable_layers
    trains = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert resolved.trainable_parameters == trains
    assert resolved.frozen_parameters == model.count_params() - trains


@pytest.mark.parametrize("kind", ["linear", "dense1024"])
def test_head_parameters__as_many_as_the_head_has(kind: Any) -> None:
    channels = replace(STRUCTURE.cuts[-1], shape=(1, 1, 12))
    structure = replace(STRUCTURE, cuts=(channels,))
    head = classifier.head(kind, 12, 5, seed=0)
    assert head_parameters(kind, structure, 5) == head.count_params()
