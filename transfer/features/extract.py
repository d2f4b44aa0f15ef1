"""Features of a dataset's images: from the cache, or computed and then kept."""

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.backbones import graph
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering
from transfer.features import cache, engines, keys, shard, speeds
from transfer.features.ahead import ahead
from transfer.features.converted import Engine
from transfer.features.shard import Recipe, Tensor
from transfer.features.views import Reading, View

#: Raise this when decoding or resizing changes what the model sees: old features are
#: then no longer used. Crops and fits have it too, and a word of their own beside it.
_GEOMETRY = "stretch-1"

Rows = NDArray[np.generic]
Progress = Callable[[int, int], None]


class Extractor:
    """Computes the output of some layers of a frozen backbone, and keeps it.

    Args:
        model: The backbone, from pixels to features.
        layers: Names of the layers whose output is wanted; each a cut of the model.
        name: What to call the backbone in keys.
        log: Takes lines for the run's log.
        rendering: The dataset's rendering, see `Revision.rendering`.
        resizing: As in `TrainConfig`.

    Attributes:
        reading: How its pictures are read.
        bfloat16: Whether engines may compute in bfloat16, see `in_bfloat16`.
    """

    def __init__(
        self,
        model: keras.Model,
        layers: Sequence[str],
        name: str,
        log: Callable[[str], None],
        rendering: Rendering | None = None,
        resizing: Resizing = "stretch",
    ) -> None:
        height, width = model.input_shape[1:3]
        self.image_size, self.bfloat16 = (height, width), False
        self.reading = Reading(self.image_size, rendering, resizing)
        self._model, self._name, self._log = model, name, log
        self._engines: dict[tuple[str, ...], Engine] = {}
        self.tensors = {one: _tensor(model, one, name, self.reading) for one in layers}
        self.shelves = {name: one.shelf() for name, one in self.tensors.items()}

    def in_bfloat16(self) -> "Extractor":
        """The same, whose engines may compute in bfloat16; what it keeps is its own."""
        twin = copy.copy(self)
        twin.bfloat16, twin._engines = True, {}
        # By what is known of them: weights take long to be hashed once more.
        twin.tensors = {name: self._halve(one) for name, one in self.tensors.items()}
        twin.shelves = {name: one.shelf() for name, one in twin.tensors.items()}
        return twin

    def _halve(self, one: Tensor) -> Tensor:
        key = keys.of_shelf(one.engine, True, *self.reading[1:])
        return one if one.is_pixels else one._replace(key=key)

    def compute(self, wanted: Mapping[str, Sequence[View]], progress: Progress) -> None:
        """Computes and keeps what the cache lacks, in one pass over the images.

        A tensor that is too large for the disk is not kept at all; `read` then
        computes it from the pictures whenever it is asked for.

        Args:
            wanted: Views of images by the layer whose output is wanted.
            progress: Called with the number of views done and the number to do.

        Raises:
            StorageError: The disk is full; `read` works all the same.
        """
        missing = self._missing(wanted)
        # Views that lack the same layers go through one engine with all of these as
        # outputs, so that each picture is decoded once.
        together: dict[tuple[str, ...], list[View]] = {}
        for view, layers in missing.items():
            together.setdefault(tuple(layers), []).append(view)
        done = 0

        def count_done(count: int) -> None:
            nonlocal done
            done += count
            progress(done, len(missing))

        for names, views in together.items():
            self._keep(names, views, count_done)

    def _missing(self, wanted: Mapping[str, Sequence[View]]) -> dict[View, list[str]]:
        """The views that are to be computed, each with the layers that lack it."""
        missing: dict[View, list[str]] = {}
        # What is kept of these layers stays; other features may make room for theirs.
        room = cache.room([self.shelves[layer].folder for layer in wanted])
        for layer, views in wanted.items():
            shelf = self.shelves[layer]
            lacking = [view for view in views if view.key not in shelf]
            needed = len(lacking) * shelf.row_bytes
            if needed > room:
                self._log(
                    f"Training from the input: the features at {layer} would take "
                    f"{workspace.amount(needed)}, and there is room for "
                    f"{workspace.amount(room)}."
                )
                continue
            room -= needed
            for view in lacking:
                missing.setdefault(view, []).append(layer)
        return missing

    def _keep(
        self,
        layers: tuple[str, ...],
        views: Sequence[View],
        tell: Callable[[int], None],
    ) -> None:
        """Computes these layers' outputs; tells how many views each batch held."""
        shelves = [self.shelves[layer] for layer in layers]
        if shard.pays(len(views)) and (recipe := self._recipe(layers)):
            shard.keep_all(recipe, shelves, views, tell)
            return
        with cache.writers(shelves) as writers:
            for start, outputs in self._compute_batches(layers, views):
                keys = [v.key for v in views[start : start + len(outputs[0])]]
                for writer, rows in zip(writers, outputs, strict=True):
                    writer.add(keys, rows)
                tell(len(keys))

    def _recipe(self, layers: tuple[str, ...]) -> Recipe | None:
        """What other machines need to know; None where they cannot help."""
        tensors = tuple(self.tensors[layer] for layer in layers)
        if not (by_engine := self._by_engine(layers)):
            return Recipe(tensors, self.reading)
        model, name, key = self._joint(by_engine)
        hint = engines.hint_for_shards(model, name, key, self._log, self.bfloat16)
        return Recipe(tensors, self.reading, key, hint) if hint else None

    def read(self, layer: str, views: Sequence[View]) -> Rows:
        """A layer's output for these views, `(len(views), *shape)`.

        What is missing from the cache, or damaged in it, is computed.
        """
        rows, lost = self.shelves[layer].read([view.key for view in views])
        again = [views[i] for i in lost]
        for start, (computed,) in self._compute_batches((layer,), again):
            rows[lost[start : start + len(computed)]] = computed
        return rows

    def _compute_batches(
        self, layers: tuple[str, ...], views: Sequence[View]
    ) -> Iterator[tuple[int, list[Rows]]]:
        """Start and each layer's rows of each batch, while the next are decoded."""
        if not views:
            return
        # First, for beside threads that decode it takes half as long again.
        if by_engine := self._by_engine(layers):
            self._engine(by_engine)
        for start, pixels in ahead(views, self.reading.pixels):
            yield start, self._run(layers, np.stack(pixels))

    def run(self, layer: str, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A layer's output for pixels `(at most BATCH, height, width, 3)`; not kept."""
        return self._run((layer,), pixels)[0].astype(np.float32, copy=False)

    def _run(self, layers: tuple[str, ...], pixels: NDArray[np.uint8]) -> list[Rows]:
        by_engine = self._by_engine(layers)
        outputs: dict[str, Rows] = {name: pixels for name in layers}
        if by_engine:
            computed = self._engine(by_engine).run(pixels)
            outputs |= zip(by_engine, computed, strict=True)
        return [outputs[name] for name in layers]

    def _by_engine(self, layers: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(n for n in layers if not self.tensors[n].is_pixels)

    def _engine(self, layers: tuple[str, ...]) -> Engine:
        if layers not in self._engines:
            self._engines[layers] = engines.choose(
                *self._joint(layers), self._log, self.bfloat16
            )
        return self._engines[layers]

    def release(self) -> None:
        """Frees the engines' memory; they are loaded again where they are needed."""
        self._engines.clear()

    def _joint(self, layers: tuple[str, ...]) -> tuple[keras.Model, str, str]:
        """One model with all these outputs; names of the backbone and of the model."""
        prefixes = [graph.prefix(self._model, layer) for layer in layers]
        joint = keras.Model(self._model.inputs[0], [p.outputs[0] for p in prefixes])
        names = "+".join(self.tensors[layer].engine for layer in layers)
        if len(layers) > 1:  # as a folder's name six of them would be too long
            names = f"{self._name}-{hashlib.sha256(names.encode()).hexdigest()[:16]}"
        return joint, self._name, names

    def prepare(self, layer: str) -> None:
        """Does ahead what computing a layer's output begins with; see `engines`."""
        engines.prepare(*self._joint((layer,)))

    def is_faster_in_bfloat16(self) -> bool:
        """Whether bfloat16 is the fastest way on this machine; measured if need be."""
        rates = speeds.kept_rates(self._name, self.image_size)
        if not rates:
            layers = self._by_engine(tuple(self.tensors))
            rates = engines.measure(*self._joint(layers), self._log)
        return max(rates, key=lambda one: rates[one]) == "openvino-bfloat16"


def _tensor(model: keras.Model, layer: str, name: str, reading: Reading) -> Tensor:
    """What a layer of a model gives in float32, called by all that it depends on."""
    prefix = graph.prefix(model, layer)
    (height, width), shape = reading.image_size, prefix.output_shape[1:]
    if not prefix.weights:
        # The same for every backbone, and a quarter of the size as bytes.
        read = keys.of_reading(*reading[1:])
        return Tensor(f"pixels-{height}x{width}-{_GEOMETRY}{read}", "", shape, "uint8")
    content = f"{height}x{width} {_GEOMETRY} {graph.fingerprint(prefix)}"
    # By the weights and not by their name: whoever trains other weights of the same
    # backbone gets other features.
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    engine = f"{name}-{layer}-{digest}"
    return Tensor(keys.of_shelf(engine, False, *reading[1:]), engine, shape, "float32")
