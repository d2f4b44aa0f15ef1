"""A run as a Keras program of one file, to read and to run without this package.

Two kinds of run need a second file beside the program: the weights of the starter, or
the model of the run that was started from.
"""

import json
import re
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from transfer.backbones import catalogue, weights
from transfer.backbones.freezing import Resolved
from transfer.config import TrainConfig
from transfer.datasets import kinds
from transfer.datasets.decoding import IMAGE_EXTENSIONS
from transfer.datasets.ingest import class_folders
from transfer.datasets.revision import Revision
from transfer.errors import RunError
from transfer.store import files, outcome
from transfer.store.record import Run

#: Digits of a SHA-256 that name an image; equal ones are not to be expected below
#: some hundred million images.
_DIGITS = 16
#: Names beside the program: the starter's weights, and the run that was started from.
_STARTER, _START = "starter.npz", "start.keras"
#: The same as in `transfer.training.optimizers`, which needs Keras.
_OF_OPTIMIZER: dict[str, dict[str, float]] = {"adam": {}, "sgd": {"momentum": 0.9}}
_PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "pi-heif")


def needs_structure(config: TrainConfig) -> bool:
    """Whether any layer of the backbone trains, so that its layers must be known."""
    return (
        config.method == "train"
        and config.freeze != "all"
        and config.fine_tune_epochs > 0
    )


def files_beside(config: TrainConfig) -> dict[str, Path]:
    """What must lie beside the program: names there, and the files.

    Nothing where Keras itself fetches the weights, or the run named a file of its own.

    Raises:
        RunError: The run that was started from is gone.
    """
    if config.start_from:
        path = files.model(config.start_from)
        if not path.is_file():
            raise RunError(
                f"The run started from run {config.start_from}, which was deleted, so "
                "no program can repeat it.",
                "Export the model itself.",
            )
        return {_START: path}
    if config.weights == catalogue.STARTER:
        return {_STARTER: weights.weights_file(catalogue.get(config.backbone))}
    return {}


def text(run: Run, revision: Revision, resolved: Resolved | None = None) -> str:
    """The program.

    Args:
        run: The run that it repeats.
        revision: The images of that run.
        resolved: Its freeze plan on its backbone; needed where `needs_structure` says
            so.

    Raises:
        RunError: The run took the source's own classification layer, so that there is
            no training to show.
    """
    config = run.config
    if config.method == "source":
        raise RunError(
            f"Run {run.id} trained nothing: it took the source's classification layer.",
            "Choose a run whose head was trained or computed in closed form.",
        )
    template = resources.files("transfer.export.bundled").joinpath("train.txt")
    trained = _trained(config, resolved) if needs_structure(config) else {}
    written = template.read_text("utf-8")
    written = written.replace('"""DOCSTRING."""', _docstring(run, revision), 1)
    written = _replaced(written, "settings", _settings(config, revision))
    written = _replaced(written, "split", _split(revision, trained))
    starter = config.backbone == catalogue.STARTER
    written = _replaced(written, "network", _network() if starter else "")
    for part, wanted in (
        ("starter", starter),
        ("applications", not starter),
        ("augmentation", bool(config.augmentations)),
        ("plain", not config.augmentations),
        ("start", bool(config.start_from)),
        ("ridge", config.head == "linear" and not config.start_from),
        ("fine_tune", bool(trained)),
        ("balanced", config.class_weights == "balanced"),
        ("alike", config.class_weights == "none"),
    ):
        written = _without(written, part, keep=wanted)
    return written


def _trained(config: TrainConfig, resolved: Resolved | None) -> dict[str, float]:
    """Layers that train, each with the factor on its learning rate."""
    if resolved is None:
        raise RunError("The layers of the backbone are needed to name what trains.")
    depths = {
        layer.name: depth
        for depth, layers in enumerate(reversed(resolved.structure.blocks.values()))
        for layer in layers
        if layer.name in resolved.trains
    }
    order = sorted(set(depths.values()))
    return {
        name: round(config.layer_decay ** order.index(depths[name]), 6)
        for name in resolved.trainable_layers
    }


def _docstring(run: Run, revision: Revision) -> str:
    pinned = " ".join(f"{name}=={metadata.version(name)}" for name in _PACKAGES[:4])
    heif = f"pi-heif=={metadata.version('pi-heif')}"
    value, by = outcome.headline(run), outcome.measure(run).replace("_", " ")
    reached = "" if value is None else f"It reached a val {by} of {value:.4f}.\n"
    needs = "".join(
        f" It starts\nfrom {name}, which must lie beside this file."
        for name in files_beside(run.config)
    )
    title = re.sub(r'["\\\n]', " ", run.name)
    return (
        f'"""Trains the classifier of run {run.id}, "{title}", with Keras.\n\n'
        f"Dataset {revision.dataset}, revision {revision.id}; freeze plan "
        f"`{run.config.freeze}`.\n{reached}\n"
        f"    python -m pip install {pinned}\n"
        "    python train.py FOLDER\n\n"
        "FOLDER has one folder of images per class. The trained model is written to\n"
        "model.keras: pixels in [0, 255] in, probabilities out. Images of HEIC need\n"
        f"{heif} and `pi_heif.register_heif_opener()` too."
        f"{needs}\n"
        '"""'
    )


def _network() -> str:
    """The starter's own source, without what names its place in our package."""
    package = resources.files("transfer.backbones.starter")
    source = package.joinpath("network.py").read_text("utf-8")
    body = source.partition("from keras import layers\n")[2].strip()
    return re.sub(r" +# noqa.*", "", body) + "\n\n"


def _settings(config: TrainConfig, revision: Revision) -> str:
    backbone = catalogue.get(config.backbone)
    fine_tunes = needs_structure(config)
    beside = [*files_beside(config)]
    values: dict[str, tuple[Any, str]] = {
        "CLASS_NAMES": (list(revision.class_names), ""),
        "IMAGE_SIZE": (config.image_size or backbone.native_size, "pixels"),
        "GREY": (revision.grey or (0, 65535), "black and white in deep grey"),
        "BUILDER": (backbone.builder, "of keras.applications"),
        "ARGUMENTS": (backbone.arguments, ""),
        "WEIGHTS": (
            beside[0] if beside else config.weights,
            "imagenet, random or a file",
        ),
        "PREPROCESSING": (backbone.preprocessing, "what its weights expect"),
        "HEAD": (config.head, ""),
        "METHOD": (config.method, "instant: the head in closed form alone"),
        "HEAD_EPOCHS": (config.head_epochs, "with the whole backbone frozen"),
        "FINE_TUNE_EPOCHS": (
            config.fine_tune_epochs,
            "with the layers of TRAINED unfrozen",
        ),
        "BATCH_SIZE": (config.batch_size, ""),
        "LEARNING_RATE": (config.learning_rate, ""),
        "FINE_TUNE_LEARNING_RATE": (config.fine_tune_learning_rate, ""),
        "OPTIMIZER": ({"adam": "Adam", "sgd": "SGD"}[config.optimizer], ""),
        "ARGUMENTS_OF_OPTIMIZER": (_OF_OPTIMIZER[config.optimizer], ""),
        "WEIGHT_DECAY": (config.weight_decay, "of kernels, times the learning rate"),
        "LABEL_SMOOTHING": (config.label_smoothing, ""),
        "BALANCED": (config.class_weights == "balanced", "classes weigh alike"),
        "MEASURE": (_measure(config), "of val, by which the best epoch is chosen"),
        "L2_SP": (config.l2_sp, "pull towards the pretrained values"),
        "PATIENCE": (config.patience, "epochs; 0 for never"),
        "AUGMENTATION": (config.augmentations, ""),
        "VIEWS": (_views(config), "of each training image in the head phase"),
        "SEED": (config.seed, ""),
    }
    unused = set() if fine_tunes else {n for n in values if n.startswith("FINE_TUNE")}
    if config.backbone == catalogue.STARTER:
        unused |= {"BUILDER", "ARGUMENTS"}
    if not fine_tunes:
        unused.add("L2_SP")
    if not config.augmentations:
        unused.add("AUGMENTATION")
    return "\n".join(
        f"{name} = {value!r}" + (f"  # {says}" if says else "")
        for name, (value, says) in values.items()
        if name not in unused
    )


def _measure(config: TrainConfig) -> str:
    return "accuracy" if config.class_weights == "none" else "balanced_accuracy"


def _views(config: TrainConfig) -> int:
    """Views whose features are kept; new ones in every epoch become one per epoch."""
    if not config.augmentations:
        return 1
    return config.views or config.head_epochs


def _split(revision: Revision, trained: dict[str, float]) -> str:
    """What is held back, and what trains: long lists, so they stand at the end."""
    parts = [
        "# --- The split: val and test images, by the beginning of their SHA-256 "
        + "-" * 14,
        _hashes("VAL", revision, "val"),
        _hashes("TEST", revision, "test"),
        f"ENDINGS = set({' '.join(sorted(IMAGE_EXTENSIONS))!r}.split())",
        "# How pictures of any other ending begin.",
        f"BEGINNINGS = {kinds.BEGINNINGS.encode('latin-1')!r}",
        f"LEFT_OUT = {_left_out(revision)}  # damaged, or there twice",
    ]
    if trained:
        listed = json.dumps(trained, indent=4)
        parts.append("# Layers that train, each with a factor on its learning rate.")
        parts.append(f"TRAINED = {listed}")
    return "\n".join(parts)


def _left_out(revision: Revision) -> str:
    """Images that the run passed over: the class's folder and the file's name."""
    names = {
        "/".join(one.path.split("/")[-2:])
        for one in revision.passed_over
        if one.reason != class_folders.NO_PICTURE
    }
    return repr(sorted(names))


def _hashes(name: str, revision: Revision, split: str) -> str:
    digits = [one.sha256[:_DIGITS] for one in revision.images if one.split == split]
    rows = [" ".join(digits[i : i + 5]) for i in range(0, len(digits), 5)]
    return (
        f'{name} = set(\n    """\n'
        + "".join(f"    {row}\n" for row in rows)
        + '    """.split()\n)'
    )


def _replaced(written: str, part: str, by: str) -> str:
    begin, end = f"# <<{part}\n", f"# >>{part}\n"
    before, _, rest = written.partition(begin)
    return before + by + "\n" + rest.partition(end)[2]


def _without(written: str, part: str, *, keep: bool) -> str:
    """The program with or without the lines of an optional part."""
    pattern = rf"^ *# <<{part}\n(.*?)^ *# >>{part}\n"
    return re.sub(
        pattern, r"\1" if keep else "", written, flags=re.DOTALL | re.MULTILINE
    )
