"""A run as a Keras program of one file, to read and to run without this package.

One that was started from another run needs that one's model beside the program.
"""

import os
import re
import string
import textwrap
from collections import Counter
from importlib import metadata, resources
from pathlib import Path

from transfer.backbones import catalogue
from transfer.backbones.freezing import Resolved
from transfer.config import TrainConfig
from transfer.datasets.ingest import class_folders
from transfer.datasets.pixels import resize
from transfer.datasets.revision import SPLITS, Revision
from transfer.errors import RunError
from transfer.export import own_networks
from transfer.store import files, outcome
from transfer.store.record import Run

#: Digits of a SHA-256 that name an image; equal ones are not to be expected below
#: some hundred million images.
_DIGITS = 16
#: Name beside the program of the model of the run that was started from.
_START = "start.keras"
_PACKAGES = ("tensorflow", "keras", "numpy", "pillow")
#: Endings of pictures that have neither deep grey nor transparency, and of those that
#: Pillow cannot read by itself.
_JPEG, _HEIC = {".jpg", ".jpeg", ".jpe", ".jfif"}, {".heic", ".heif"}
#: What a line of the template needs, or all lines down to `#]` after a colon.
_NEEDS = re.compile(r"\s*#\[(?P<needed>[^\]:]+)(\]|(?P<block>:))$")


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
    return {}


def text(run: Run, revision: Revision, resolved: Resolved | None = None) -> str:
    """The program.

    Args:
        run: The run that it repeats.
        revision: The images of that run.
        resolved: Its freeze plan on its backbone; needed where `needs_structure` says
            so.

    Raises:
        BackboneError: The run's backbone was one of earlier versions.
        RunError: The run took the source's own classification layer, so that there is
            no training to show.
    """
    if revision.kind == "sounds":
        raise RunError(f"Run {run.id} learnt from sounds.", "Export the model itself.")
    config = run.config
    if config.method == "source":
        raise RunError(
            f"Run {run.id} trained nothing: it took the source's classification layer.",
            "Choose a run whose head was trained or computed in closed form.",
        )
    factors = _factors(config, resolved) if needs_structure(config) else {}
    facts = _facts(config, revision, factors)
    template = resources.files("transfer.export.bundled").joinpath("train.txt")
    program = string.Template(_keep_lines(template.read_text("utf-8"), facts))
    return program.substitute(
        _settings(config, revision, facts),
        docstring=_docstring(run, revision, facts),
        network=own_networks.source(facts),
        lists=_lists(revision, factors, facts),
    )


def _keep_lines(template: str, facts: set[str]) -> str:
    """The template's lines of which all that they name is a fact of this run.

    A line ends in what it needs, as in `#[views, not crop]`; so does a block's first
    line, after a colon, and `#]` ends it.
    """
    lines: list[str] = []
    blocks: list[bool] = []  # whether each that the line stands in is wanted
    for line in template.splitlines():
        if line.strip() == "#]":
            blocks.pop()
            continue
        found = _NEEDS.search(line)
        needed = found["needed"].split(", ") if found else []
        is_wanted = all(
            (one.removeprefix("not ") in facts) != one.startswith("not ")
            for one in needed
        )
        if found and found["block"]:
            blocks.append(is_wanted)
        elif is_wanted and all(blocks):
            lines.append(_NEEDS.sub("", line))
    return "\n".join(lines) + "\n"


def _facts(
    config: TrainConfig, revision: Revision, factors: dict[str, float]
) -> set[str]:
    """What is so in this run, by the names that the template uses."""
    endings = {os.path.splitext(one.path)[1].lower() for one in revision.images}
    in_train = Counter(one.label for one in revision.of_split("train"))
    backbone, trains = catalogue.get(config.backbone), config.method == "train"
    is_lite = backbone.family == "EfficientNetLite"
    has_val = bool(revision.of_split("val"))
    decays, differ = trains and config.weight_decay > 0, set(factors.values()) != {1.0}
    started = bool(config.start_from)
    told = {
        "jpeg": endings <= _JPEG,
        "heic": bool(endings & _HEIC),
        "val": has_val,
        "test": bool(revision.of_split("test")),
        "left_out": bool(_files_to_skip(revision)),
        "moved": bool(_corrected_classes(revision)),
        # `crop` is an augmentation too.
        f"resizing {config.resizing}": True,
        "views": bool(config.augmentations),
        "window": bool({"crop", "rotation"} & set(config.augmentations)),
        **dict.fromkeys(config.augmentations, True),
        "lite": is_lite,
        "package": is_lite and config.weights == "imagenet" and not started,
        "own weights": not started and config.weights.endswith((".h5", ".keras")),
        "started from a run": started,
        f"scaling {backbone.preprocessing}": True,
        "linear": config.head == "linear",
        "ridge": config.head == "linear" and not started,
        # Leaving images out in turn tells nothing where no two classes have a second.
        "many": sum(count > 1 for count in in_train.values()) > 1,
        "balanced": config.class_weights == "balanced",
        "train": trains,
        "fine_tune": bool(factors),
        "factors": bool(factors) and differ,
        "decay": decays,
        "own step": decays or (bool(factors) and differ),
        "blend": bool(factors) and has_val and config.blend == "val",
        "l2_sp": bool(factors) and config.l2_sp > 0,
        "patience": trains and config.patience > 0,
    }
    return {name for name, is_so in told.items() if is_so}


def _factors(config: TrainConfig, resolved: Resolved | None) -> dict[str, float]:
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


def _docstring(run: Run, revision: Revision, facts: set[str]) -> str:
    packages = (*_PACKAGES, "pi-heif") if "heic" in facts else _PACKAGES
    pinned = " ".join(f"{name}=={metadata.version(name)}" for name in packages)
    if "package" in facts:
        pinned += f" \\\n        {catalogue.get(run.config.backbone).weights_package}"
    value, by = outcome.headline(run), outcome.measure(run).replace("_", " ")
    reached = "" if value is None else f"It reached a val {by} of {value:.4f}.\n"
    needs = "".join(
        f" It starts from\n{name}, which must lie beside this file."
        for name in files_beside(run.config)
    )
    title = re.sub(r'["\\\n]', " ", run.name)
    return (
        f'Trains the classifier of run {run.id}, "{title}", with Keras.\n\n'
        f"Dataset {revision.title}, revision {revision.id}; freeze plan "
        f"`{run.config.freeze}`.\n{reached}\n"
        f"    python -m pip install {pinned}\n"
        "    python train.py FOLDER\n\n"
        "FOLDER has one folder of images per class. The trained model is written to\n"
        f"model.keras: pixels in [0, 255] in, probabilities out.{needs}\n"
    )


def _settings(
    config: TrainConfig, revision: Revision, facts: set[str]
) -> dict[str, str]:
    """What the template names, as it is written in Python."""
    backbone = catalogue.get(config.backbone)
    kind = {"adam": "Adam", "sgd": "SGD"}[config.optimizer]
    is_fetched = config.weights == "imagenet" and not config.start_from
    values = config.model_dump() | {
        "class_names": list(revision.class_names),
        "image_size": catalogue.image_size(config)[0],
        "grey": revision.grey or (0, 65535),
        "border": resize.BORDER,
        # New views in every epoch become one for each epoch.
        "views": config.views or config.head_epochs,
        "digits": _DIGITS,
        "splits": [one for one in SPLITS if revision.of_split(one)],
        "weights": "imagenet" if is_fetched else None,
        "file": next(iter(files_beside(config)), config.weights),
    }
    smoothing = f", label_smoothing={config.label_smoothing}"
    return {name: repr(value) for name, value in values.items()} | {
        "builder": backbone.builder,
        "module": repr(backbone.weights_module),
        "package": repr(backbone.weights_package),
        "weights_file": repr(backbone.weights_file),
        "weights_hash": repr(backbone.weights_hash),
        "arguments": "".join(f", {k}={v!r}" for k, v in backbone.arguments.items()),
        "optimizer": kind,
        "made": "Optimizer" if "own step" in facts else f"keras.optimizers.{kind}",
        # The same as in `transfer.training.optimizers`, which needs Keras.
        "momentum": ", momentum=0.9" if kind == "SGD" else "",
        "smoothing": smoothing if config.label_smoothing else "",
        "measure": "balanced_accuracy" if "balanced" in facts else "accuracy",
    }


def _lists(revision: Revision, factors: dict[str, float], facts: set[str]) -> str:
    """What is held back, and what trains: long, so it stands at the end."""
    parts = []
    for split in [one for one in SPLITS[1:] if one in facts]:
        names = [one.sha256[:_DIGITS] for one in revision.of_split(split)]
        parts.append(f"# Images of {split}, by the beginning of their SHA-256.")
        parts.append(f"{split.upper()} = set({_quote(names)}.split())")
    if "left_out" in facts:
        parts.append(
            f"LEFT_OUT = {_files_to_skip(revision)}  # damaged, there twice, not wanted"
        )
    if "moved" in facts:
        parts.append("# Images whose class is another than their folder's.")
        parts.append(f"MOVED = {_corrected_classes(revision)}")
    if factors:
        parts.append("# Layers that train, each with a factor on its learning rate.")
        parts.append("TRAINED = {}")
    for factor in sorted(set(factors.values()), reverse=True):
        names = [name for name, own in factors.items() if own == factor]
        parts.append(f"TRAINED |= dict.fromkeys({_quote(names)}.split(), {factor})")
    return "\n".join(parts)


def _quote(names: list[str]) -> str:
    """The names as one text of short lines."""
    indent = 4 * " "
    lines = textwrap.wrap(" ".join(names), 88 - len(indent), break_on_hyphens=False)
    return '"""\n' + "".join(f"{indent}{line}\n" for line in lines) + '"""'


def _files_to_skip(revision: Revision) -> list[str]:
    """Images that the run passed over: the class's folder and the file's name."""
    passed_over = [
        one.path
        for one in revision.passed_over
        if one.reason not in class_folders.NO_PICTURE.values()
    ]
    paths = passed_over + [one.path for one in revision.left_out]
    return sorted({"/".join(path.split("/")[-2:]) for path in paths})


def _corrected_classes(revision: Revision) -> dict[str, str]:
    """The class of each image that lies in no folder of its class's name."""
    names = revision.class_names
    folders = {
        image: [part for part in image.path.split("/")[:-1] if part in names]
        for image in revision.images
    }
    return {
        image.sha256[:_DIGITS]: names[image.label]
        for image, classes in folders.items()
        if not classes or classes[-1] != names[image.label]
    }
