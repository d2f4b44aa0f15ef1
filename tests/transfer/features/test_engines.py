"""Both engines give what the Keras model gives, whatever the model and the batch."""

import errno
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from transfer.features import engines, speeds
from transfer.features.engines import BATCH, KerasEngine, OpenVINOEngine


@pytest.fixture
def prefix() -> keras.Model:
    """Two outputs, and activations of which the conversion makes further ones."""
    pixels = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 255)(pixels)
    low = layers.Conv2D(4, 3, activation="silu")(x)
    high = layers.Conv2D(8, 3, activation="silu")(low)
    return keras.Model(pixels, [layers.GlobalAveragePooling2D()(high), low])


def _pixels(count: int) -> NDArray[np.uint8]:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, 16, 16, 3)).astype(np.uint8)


@pytest.mark.parametrize("count", [BATCH, 5])
def test_run__every_output_as_keras_computes_it(
    workspace: Path, prefix: keras.Model, count: int
) -> None:
    pixels = _pixels(count)
    expected = [np.asarray(one) for one in prefix(pixels.astype(np.float32))]
    for engine in (KerasEngine(prefix), OpenVINOEngine(prefix, "net")):
        outputs = engine.run(pixels)
        assert [one.shape for one in outputs] == [one.shape for one in expected]
        for output, wanted in zip(outputs, expected, strict=True):
            np.testing.assert_allclose(output, wanted, atol=1e-5)


def test_choose__measures_once_and_takes_the_fastest(
    workspace: Path, prefix: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    engines.choose(prefix, "net", "net-1", lines.append)
    rates = speeds.kept_rates("net", (16, 16))
    assert {"keras", "openvino"} <= set(rates)
    assert f"{rates}" in lines[-1]
    monkeypatch.setattr(engines, "measure", None)  # not asked for again
    assert engines.choose(prefix, "net", "net-1", lines.append)


class _Clocked:
    """An engine that takes so many seconds a call, by a clock that all of them share;
    tenfold while another program works.
    """

    now, busy_until = 0.0, 0.0

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def run(self, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        is_busy = _Clocked.now < _Clocked.busy_until
        _Clocked.now += self.seconds * (10 if is_busy else 1) * (len(pixels) == BATCH)
        return []


@pytest.mark.parametrize("busy", [0.0, 0.5, 2.0, 5.0])
def test_measure__another_program_does_not_turn_the_order(
    prefix: keras.Model, monkeypatch: pytest.MonkeyPatch, busy: float
) -> None:
    monkeypatch.setattr(_Clocked, "now", 0.0)
    monkeypatch.setattr(_Clocked, "busy_until", busy)
    monkeypatch.setattr(engines.time, "perf_counter", lambda: _Clocked.now)
    rates = engines._images_per_second(
        {"keras": _Clocked(0.2), "openvino": _Clocked(0.3)}, prefix
    )
    assert rates["keras"] > rates["openvino"]


def test_choose__keras_where_the_model_cannot_be_converted(
    workspace: Path, prefix: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(engines, "convert", refuse)
    lines: list[str] = []
    chosen = engines.choose(prefix, "net", "net-1", lines.append)
    assert isinstance(chosen, KerasEngine)
    assert "no such operation" in lines[0]


def test_choose__a_full_disk_is_no_verdict(
    workspace: Path, prefix: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(engines.openvino, "save_model", full)
        engines.choose(prefix, "net", "full", lambda _: None)
    assert not speeds.kept_rates("net", prefix.input_shape[1:3])


def test_prepare__measure_tries_what_was_made_ready(
    workspace: Path, prefix: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines.prepare(prefix, "net", "net-1")
    assert not speeds.kept_rates("net", (16, 16))
    monkeypatch.setattr(engines, "_all", None)  # nothing is made ready again
    rates = engines.measure(prefix, "net", "net-1", lambda _: None)
    assert {"keras", "openvino"} <= set(rates)


def test_run__a_gpu_would_not_round_what_is_called_float32(
    workspace: Path, prefix: keras.Model
) -> None:
    may_round = tf.config.experimental.tensor_float_32_execution_enabled
    engine = KerasEngine(prefix)
    seen: list[bool] = []
    function = engine.function
    engine.function = lambda pixels: (seen.append(may_round()), function(pixels))[1]
    engine.run(_pixels(2))
    assert seen == [False]
    assert may_round()  # training is as it was


def test_kept_rates__those_of_a_gpu_are_none_of_other_machines(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = speeds.rates_record("net", (16, 16))
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text('{"keras": 9.0}')
    assert speeds.kept_rates("net", (16, 16)) == {"keras": 9.0}
    monkeypatch.setattr(speeds, "_has_gpu", lambda: True)
    assert not speeds.kept_rates("net", (16, 16))
    # For a guess of what a run takes they are better than nothing.
    assert speeds.told_rates("net", (16, 16)) == {"keras": 9.0}
