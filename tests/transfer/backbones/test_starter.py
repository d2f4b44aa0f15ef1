"""The starter: what ships loads and is what its card says; making it works."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from transfer.backbones import catalogue, graph, weights
from transfer.backbones.starter import network
from transfer.config import TrainConfig
from transfer.errors import ConfigError, WeightsError

STARTER = catalogue.get(catalogue.STARTER)


def test_weights__ship_with_their_hash_and_few_bytes() -> None:
    content = weights.weights_file(STARTER).read_bytes()
    assert hashlib.sha256(content).hexdigest() == STARTER.weights_hash
    assert len(content) < 12e6


def test_weights__load_without_a_network_into_the_network(tmp_path: Path) -> None:
    model = graph.build("starter", weights="starter", image_size=(64, 64))
    assert model.count_params() == STARTER.parameters
    stored = np.load(weights.weights_file(STARTER))
    kernel = model.get_layer("block4_2_conv").kernel
    np.testing.assert_array_equal(kernel, stored["block4_2_conv/kernel"])
    assert stored["block4_2_conv/kernel"].dtype == np.float16


def test_weights__damaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    damaged = tmp_path / "weights.npz"
    damaged.write_bytes(b"nothing")
    monkeypatch.setattr(weights, "weights_file", lambda backbone: damaged)
    with pytest.raises(WeightsError, match="damaged.*own repository"):
        graph.build("starter", weights="starter", image_size=(64, 64))


def test_structure__a_block_for_each_residual_block() -> None:
    model = graph.build("starter", image_size=(64, 64))
    read = graph.structure(model, "starter")
    assert list(read.blocks) == ["stem", "block1", "block2", "block3", "block4"]
    assert {"block1_relu", "block2_relu", "block3_relu"} <= {c.layer for c in read.cuts}
    assert model.output_shape == (None, 4, 4, network.CHANNELS)


def test_config__the_starter_has_weights_of_its_own() -> None:
    def weights_of(**settings: str) -> str:
        return TrainConfig.of(dataset="pets", **settings).weights

    assert weights_of(backbone="starter") == "starter"
    assert weights_of(backbone="starter", weights="random") == "random"
    assert weights_of(backbone="mobilenet_v2") == "imagenet"
    with pytest.raises(ConfigError, match="starter has no weights `imagenet`"):
        weights_of(backbone="starter", weights="imagenet")
    with pytest.raises(ConfigError, match="resnet50 has no weights `starter`"):
        weights_of(backbone="resnet50", weights="starter")
    with pytest.raises(ConfigError, match="without the classification layer"):
        weights_of(backbone="starter", method="source")
