"""Makes of a Keras classifier one that runs without Keras, kept for the next time."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers

from transfer.classifier import runner
from transfer.classifier.numpy_head import NumPyHead
from transfer.classifier.runner import Runner
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering
from transfer.features import converted, engines
from transfer.features.converted import Converted
from transfer.features.engines import KerasEngine
from transfer.features.extract import Extractor


def make(
    model: keras.Model,
    backbone: str,
    record: Path,
    log: Callable[[str], None],
    rendering: Rendering | None = None,
    resizing: Resizing = "stretch",
) -> Runner:
    """The classifier without Keras; with it where OpenVINO cannot run its backbone.

    Args:
        model: As `classifier.assemble` makes it.
        backbone: Name in the catalogue.
        record: Where `runner.read` finds it from now on.
        log: Takes lines that say what is done.
        rendering: The rendering of the dataset that the model learnt from.
        resizing: How the pictures were resized that it learnt from.
    """
    pooled = model.get_layer("pooled_backbone")
    head = _head(model.get_layer("head"))
    extractor = Extractor(pooled, ["pooling"], backbone, log)
    key, size = extractor.tensors["pooling"].engine, extractor.image_size
    try:
        engine = Converted(engines.convert(pooled, key), pools=True)
        runner.write(record, head, key)
        return Runner(engine, head, size, key, rendering, resizing)
    except Exception as error:  # noqa: BLE001  whatever OpenVINO raises, or a full disk
        log(f"Keras runs this model, for it was not converted: {error}")
        converted.file(key).unlink(missing_ok=True)
    outputs = [pooled.output, pooled.get_layer("pooling").input]
    engine_by_keras = KerasEngine(keras.Model(pooled.inputs, outputs))
    return Runner(engine_by_keras, head, size, key, rendering, resizing)


def _head(head: keras.Model) -> NumPyHead:
    dense = [one for one in head.layers if isinstance(one, layers.Dense)]
    weights = [one.get_weights() for one in dense]
    return NumPyHead(
        tuple((kernel, np.asarray(bias)) for kernel, bias in weights),
    )
