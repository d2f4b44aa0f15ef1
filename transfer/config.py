"""The settings of a run: what they may be together, in words and on a command line."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError, field_validator, model_validator

from transfer.errors import ConfigError
from transfer.settings import Settings

#: Random changes of `TrainConfig.augmentation`, in the order in which they are made.
AUGMENTATIONS = ("flip", "crop", "rotation", "colour")
#: The same of sounds, of which a flip would make another sound.
SOUND_AUGMENTATIONS = ("voice", "shift", "noise", "gain", "masks")


class TrainConfig(Settings):
    """Everything that decides a run, checked; see `Settings` for the fields."""

    @field_validator("augmentation")
    @classmethod
    def _known_augmentations(cls, text: str) -> str:
        names = [name.strip() for name in text.split(",") if name.strip()]
        if names in ([], ["none"]):
            return "none"
        known = AUGMENTATIONS + SOUND_AUGMENTATIONS
        if unknown := [name for name in names if name not in known]:
            raise ValueError(
                f"there is no augmentation {', '.join(unknown)}; expected `none` or "
                f"any of {', '.join(AUGMENTATIONS)}, of sounds any of "
                f"{', '.join(SOUND_AUGMENTATIONS)}"
            )
        return ",".join(name for name in known if name in names)

    @model_validator(mode="after")
    def _one_step_is_linear(self) -> "TrainConfig":
        if self.method != "train" and (self.freeze, self.head) != ("all", "linear"):
            raise ValueError(
                f"the method `{self.method}` keeps the whole backbone and has a linear "
                f"head, but freeze is `{self.freeze}` and head is `{self.head}`; "
                "choose freeze `all` and head `linear`, or the method `train`"
            )
        return self

    @model_validator(mode="after")
    def _only_training_starts_from_a_run(self) -> "TrainConfig":
        if self.start_from and self.method != "train":
            raise ValueError(
                f"the method `{self.method}` makes a head of its own, so it cannot "
                f"start from the run `{self.start_from}`; choose the method `train`"
            )
        return self

    @property
    def augmentations(self) -> tuple[str, ...]:
        """Names of the random changes, in the order in which they are made."""
        chosen = self.augmentation.split(",")
        known = AUGMENTATIONS + SOUND_AUGMENTATIONS
        return tuple(name for name in known if name in chosen)

    def check_kind(self, kind: Literal["images", "sounds"]) -> None:
        """Returns quietly where a dataset of this kind can be learnt with it.

        Raises:
            ConfigError: An augmentation or the resizing is of the other kind.
        """
        fitting = SOUND_AUGMENTATIONS if kind == "sounds" else AUGMENTATIONS
        problems = [
            f"augmentation is {x}" for x in self.augmentations if x not in fitting
        ]
        if kind == "sounds" and self.resizing != "stretch":
            problems.append(f"resizing is {self.resizing}")
        if problems:
            raise ConfigError(
                f'The dataset "{self.dataset}" has {kind}, but {", ".join(problems)}.',
                f"Augmentations of {kind}: {', '.join(fitting)}.",
            )

    @classmethod
    def of(cls, **settings: Any) -> "TrainConfig":
        """The configuration of these settings.

        Raises:
            ConfigError: One or more are out of their limits; all are named at once.
        """
        try:
            return cls(**settings)
        except ValidationError as error:
            problems = [problem(detail) for detail in error.errors()]
            raise ConfigError("; ".join(problems) + ".") from error


def help_text(name: str, labels: Mapping[str, str] | None = None) -> str:
    """What a setting does, and each of its values, as a help text.

    Args:
        name: Of the setting.
        labels: What the screen calls the values; those that have no label there are
            left out. Without labels each is called as it is typed.
    """
    field = TrainConfig.model_fields[name]
    extra = field.json_schema_extra
    says: Any = extra["choices"] if isinstance(extra, dict) else {}
    called = {value: f"`{value}`" for value in says} if labels is None else labels
    values = [f"{called[value]}: {says[value]}" for value in says if value in called]
    return " ".join([field.description or "", *(f"{one}." for one in values)])


def differing(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the settings that are not the defaults, which go without saying."""
    # Which backbone is the default depends on the weights that are here.
    return {
        name: value
        for name, value in settings.items()
        if name in ("dataset", "backbone")
        or value != TrainConfig.model_fields[name].default
    }


def options(settings: Mapping[str, Any]) -> list[str]:
    """Words of the command line that say these settings."""
    words: list[str] = []
    for name, value in differing(settings).items():
        words += ["--" + name.replace("_", "-"), str(value)]
    return words


def problem(detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    message = str(detail["msg"])
    if detail["type"] == "value_error":  # raised here, and complete as it is
        return message.removeprefix("Value error, ")
    wanted = message[0].lower() + message[1:]
    return f"{name} is {detail['input']!r}, but {wanted}"
