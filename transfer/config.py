"""The settings of a run: each with its unit, its limits and what it does."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from transfer.errors import ConfigError

#: Random changes of `TrainConfig.augmentation`, in the order in which they are made.
AUGMENTATIONS = ("flip", "crop", "rotation", "colour")

#: The backbone that comes with the program, and the name of its weights.
STARTER = "starter"


def choices(**says: str) -> Any:
    """What each value of a setting does, to be kept with its field."""
    return {"choices": says}


class TrainConfig(BaseModel):
    """Everything that decides a run; the defaults are the recommendation.

    The description of each field says what it does, and its `choices` what each of its
    values does: the command line and the screen call these by names of their own, so
    the help text of both is `explained`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(min_length=1, description="Name of the dataset to learn from.")
    revision: str = Field(
        default="",
        description="Revision of the dataset; empty takes the newest when the run is "
        "created.",
    )
    backbone: str = Field(
        default="mobilenet_v2",
        description="The pretrained network whose features are reused.",
    )
    weights: str = Field(
        default="imagenet",
        description="Where the backbone's parameters come from.",
        json_schema_extra=choices(
            imagenet="learnt from ImageNet's photographs of 1,000 classes",
            starter="the starter's own, learnt from Tiny ImageNet; its default",
            random="no transfer, for comparison",
            PATH="a weights file",
        ),
    )
    method: Literal["train", "instant", "source"] = Field(
        default="train",
        description="How the head is made.",
        json_schema_extra=choices(
            train="learns the head, then the unfrozen layers, in small steps",
            instant="keeps every parameter of the backbone and computes the head in "
            "closed form, within a second",
            source="takes the source model as it is, its head included, where your "
            "classes are named as ImageNet's",
        ),
    )
    freeze: str = Field(
        default="all",
        description="What trains besides the head; the rest is frozen and stays as "
        "it was.",
        json_schema_extra={
            "choices": {
                "all": "everything is frozen",
                "none": "everything trains",
                "last:N": "the last N blocks train",
                "blocks:A,B": "these blocks train",
                "layers:A,B": "these layers train",
            }
        },
    )
    head: Literal["linear", "dense1024"] = Field(
        default="linear",
        description="Layers on top of the backbone.",
        json_schema_extra=choices(
            linear="global average pooling, dropout and one dense layer",
            dense1024="a dense layer of 1024 ReLU units in place of the dropout",
        ),
    )
    head_epochs: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Passes over the training images in the head phase, in which the "
        "whole backbone is frozen.",
    )
    fine_tune_epochs: int = Field(
        default=10,
        ge=0,
        le=1000,
        description="Passes in the fine-tuning phase, in which the unfrozen layers "
        "train too. Without unfrozen layers there is no such phase.",
    )
    batch_size: int = Field(
        default=32,
        ge=1,
        le=1024,
        description="Images per training step. Larger is steadier and needs more "
        "memory; smaller learns more per image seen.",
    )
    learning_rate: float = Field(
        default=1e-3,
        gt=0,
        le=1,
        description="Step size of the head phase. Too large jumps about, too small "
        "barely moves.",
    )
    fine_tune_learning_rate: float = Field(
        default=1e-3,
        gt=0,
        le=1,
        description="Step size of the fine-tuning phase, reached after a short "
        "warm-up. Smaller is safer and slower; ten times less was one point worse on "
        "flowers, three times more two points.",
    )
    optimizer: Literal["adam", "sgd"] = Field(
        default="adam",
        description="How a step is made of the gradients.",
        json_schema_extra=choices(
            adam="sizes it for each parameter",
            sgd="takes them as they are, with momentum 0.9, and needs other learning "
            "rates, which can be found beforehand",
        ),
    )
    weight_decay: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of each trained kernel that every step takes away, times "
        "the learning rate: keeps the parameters small. With Adam this is AdamW.",
    )
    layer_decay: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="Factor on the fine-tuning learning rate from each block to the "
        "one below it: early blocks are more general and should move less. 1 trains "
        "all alike.",
    )
    label_smoothing: float = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="Share of the target that is spread over all classes; keeps the "
        "model from becoming too sure of itself and softens wrong labels.",
    )
    l2_sp: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Pull of the unfrozen parameters towards their pretrained values "
        "in the fine-tuning phase; helps when images are few.",
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        description="How much an image counts in the loss.",
        json_schema_extra=choices(
            none="no more of one class than of another",
            balanced="more where its class is rare, so that all classes weigh the "
            "same; the best epoch is then chosen by balanced accuracy",
        ),
    )
    patience: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="Ends a phase after this many epochs without a better one on val; "
        "0 trains all epochs. The best epoch is kept either way.",
    )
    augmentation: str = Field(
        default="none",
        description="Random changes that give new views of each training image. "
        "Leave out what changes the class, such as flips of digits.",
        json_schema_extra={
            "choices": {
                "flip,crop,colour,rotation": "any of these",
                "none": "no change",
            }
        },
    )
    views: int = Field(
        default=4,
        ge=0,
        le=64,
        description="Views of each training image whose features are kept; the first "
        "is the image itself. 0 makes a new view in every epoch, which is slower. "
        "Without augmentation it has no effect.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="Numbers in which frozen features are computed.",
        json_schema_extra=choices(
            auto="bfloat16 where this machine is faster with it and a check on your "
            "images finds the same answers",
            float32="always exact",
            bfloat16="without that check",
        ),
    )
    image_size: int | None = Field(
        default=None,
        ge=32,
        le=1024,
        description="Height and width in pixels that every image is resized to; the "
        "backbone's own size unless another one is given.",
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="Seed of the head's first values and of the order of images; two "
        "runs with equal settings and seed are equal.",
    )

    start_from: str = Field(
        default="",
        description="Id of a finished run whose model is the start in place of the "
        "pretrained weights; its backbone, head, image size and classes must be the "
        "same. Empty starts from the pretrained weights.",
    )

    @field_validator("augmentation")
    @classmethod
    def _known_augmentations(cls, text: str) -> str:
        names = [name.strip() for name in text.split(",") if name.strip()]
        if names in ([], ["none"]):
            return "none"
        if unknown := [name for name in names if name not in AUGMENTATIONS]:
            raise ValueError(
                f"there is no augmentation {', '.join(unknown)}; expected `none` or "
                f"any of {', '.join(AUGMENTATIONS)}"
            )
        return ",".join(name for name in AUGMENTATIONS if name in names)

    @model_validator(mode="before")
    @classmethod
    def _starter_has_its_own(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("backbone") == STARTER:
            return {"weights": STARTER, **given}
        return given

    @model_validator(mode="after")
    def _weights_exist(self) -> "TrainConfig":
        is_starter = self.backbone == STARTER
        if self.weights == ("imagenet" if is_starter else STARTER):
            own = STARTER if is_starter else "imagenet"
            raise ValueError(
                f"{self.backbone} has no weights `{self.weights}`; choose `{own}`, "
                "`random` or a weights file"
            )
        if is_starter and self.method == "source":
            raise ValueError(
                "The starter comes without the classification layer that the source "
                "model as it is needs: train a head instead, instantly or in steps"
            )
        return self

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
        return tuple(name for name in AUGMENTATIONS if name in chosen)

    @classmethod
    def checked(cls, **settings: Any) -> "TrainConfig":
        """The configuration of these settings.

        Raises:
            ConfigError: One or more are out of their limits; all are named at once.
        """
        try:
            return cls(**settings)
        except ValidationError as error:
            problems = [_problem(detail) for detail in error.errors()]
            raise ConfigError("; ".join(problems) + ".") from error


def explained(name: str, labels: Mapping[str, str] | None = None) -> str:
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


def _problem(detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    message = str(detail["msg"])
    if detail["type"] == "value_error":  # raised here, and complete as it is
        return message.removeprefix("Value error, ")
    wanted = message[0].lower() + message[1:]
    return f"{name} is {detail['input']!r}, but {wanted}"
