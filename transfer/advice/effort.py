"""One dial for the settings of a run: quick, balanced or thorough."""

import json
from collections.abc import Mapping
from typing import Any

from transfer.backbones import weights
from transfer.config import TrainConfig
from transfer.errors import ConfigError

#: What the dial turns.
_TURNED = ("head_epochs", "fine_tune_epochs", "patience", "views")

#: The settings of each position; those of `balanced` are the defaults.
EFFORTS: dict[str, dict[str, Any]] = {
    "quick": {"head_epochs": 3, "fine_tune_epochs": 3, "patience": 0, "views": 2},
    "balanced": {n: TrainConfig.model_fields[n].default for n in _TURNED},
    # While the learning rate is high, val lies below what the head had: in 30 epochs of
    # three sets it rose above that in the 7th or 10th, where a patience of 6 had ended.
    "thorough": {"head_epochs": 30, "fine_tune_epochs": 30, "patience": 12, "views": 8},
}

#: What a file of settings leaves out: it is for other datasets too.
_OF_A_DATASET = ("dataset", "revision")


def position(settings: Mapping[str, Any]) -> str | None:
    """Where the dial stands with these settings; `None` if they are of one's own.

    Settings that are not given have their defaults.
    """
    now = {name: settings.get(name, EFFORTS["balanced"][name]) for name in _TURNED}
    return next((name for name, values in EFFORTS.items() if values == now), None)


def to_file(config: TrainConfig) -> str:
    """The settings as JSON that `from_file` reads, without the dataset."""
    settings = config.model_dump(mode="json", exclude=set(_OF_A_DATASET))
    return json.dumps(settings, indent=2) + "\n"


def from_file(content: bytes) -> TrainConfig:
    """The settings of a file; its dataset is named `-`.

    Settings that it does not name have their defaults; that of the backbone depends on
    which weights are here.

    Raises:
        ConfigError: It is no file of settings, or some are out of their limits.
    """
    try:
        settings = json.loads(content)
    except ValueError as error:
        raise ConfigError(
            f"The file of settings is not JSON: {error}.",
            "Choose a file that was saved with “Save settings”.",
        ) from error
    if not isinstance(settings, dict):
        raise ConfigError("The file of settings is not one object of names and values.")
    return of_any_dataset(settings)


def of_any_dataset(settings: Mapping[str, Any]) -> TrainConfig:
    """The settings, with a dataset named `-`; the others have their defaults.

    Raises:
        ConfigError: Some are out of their limits.
    """
    given = {k: v for k, v in settings.items() if k not in _OF_A_DATASET}
    given.setdefault("backbone", weights.default_backbone())
    return TrainConfig.of(dataset="-", **given)
