"""The file of structures against the real graphs."""

import json
import zipfile

import pytest

from tests.transfer.backbones.conftest import built
from tests.transfer.backbones.test_graph import SMALL
from transfer.backbones import catalogue, graph, structures, survey
from transfer.errors import BackboneError


@pytest.mark.parametrize("name", SMALL)
def test_read__is_what_the_real_graph_is_made_of(name: str) -> None:
    model, structure = built(name)
    assert structures.read(name, model.input_shape[1]) == structure


@pytest.mark.parametrize("size", [97, 224])
def test_read__holds_for_every_size(size: int) -> None:
    model = graph.build("mobilenet_v2_035", image_size=(size, size))
    expected = graph.structure(model, "mobilenet_v2_035")
    assert structures.read("mobilenet_v2_035", size) == expected


def test_file__has_the_backbones_of_the_catalogue_and_no_others() -> None:
    with zipfile.ZipFile(structures.FILE) as file:
        assert file.namelist() == [f"{name}.json" for name in catalogue.BACKBONES]


def test_read__every_backbone_at_its_own_size() -> None:
    for name, backbone in catalogue.BACKBONES.items():
        structure = structures.read(name)
        counted = sum(one.parameters + one.statistics for one in structure.layers)
        assert counted == backbone.parameters
        assert structure.cuts[0].shape == (backbone.native_size,) * 2 + (3,)


def test_read__unknown_backbone_or_size() -> None:
    with pytest.raises(BackboneError, match="no backbone 'vgg61'"):
        structures.read("vgg61")
    with pytest.raises(BackboneError, match="70 x 70 pixels: the smallest"):
        structures.read("xception", 70)


def test_describe__is_what_the_file_has() -> None:
    described = json.dumps(survey.describe("mobilenet_v2_035"))
    assert json.loads(described) == structures.read_rules("mobilenet_v2_035")


@pytest.mark.slow
@pytest.mark.parametrize("name", list(catalogue.BACKBONES))
def test_read__is_what_each_real_graph_is_made_of(name: str) -> None:
    backbone = catalogue.get(name)
    # An odd size and the smallest: lengths end in all remainders there.
    for size in sorted({backbone.smallest_size, 97, backbone.native_size}):
        model = graph.build(name, image_size=(size, size))
        assert structures.read(name, size) == graph.structure(model, name)
