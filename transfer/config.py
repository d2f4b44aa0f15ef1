"""The settings of a run: each with its unit, its limits and what it does."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from transfer.errors import ConfigError


class TrainConfig(BaseModel):
    """Everything that decides a run; the defaults are the recommendation.

    The description of each field is the help text of its form field.
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
        description="Where the backbone's parameters come from: `imagenet`, `random` "
        "(no transfer, for comparison) or the path of a weights file.",
    )
    freeze: str = Field(
        default="all",
        description="What trains besides the head: `all` frozen, `none` frozen, "
        "`last:N` blocks train, `blocks:A,B` train or `layers:A,B` train.",
    )
    head: Literal["linear", "dense1024"] = Field(
        default="linear",
        description="Layers on top of the backbone: `linear` is global average "
        "pooling, dropout and one dense layer; `dense1024` adds a dense layer of "
        "1024 ReLU units in place of the dropout.",
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
        default=1e-4,
        gt=0,
        le=1,
        description="Step size of the fine-tuning phase, reached after a short "
        "warm-up; far below the head's, so that what was learnt is not undone.",
    )
    image_size: int | None = Field(
        default=None,
        ge=32,
        le=1024,
        description="Height and width in pixels that every image is resized to; empty "
        "takes the backbone's own size.",
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="Seed of the head's first values and of the order of images; two "
        "runs with equal settings and seed are equal.",
    )

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


def _problem(detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    message = str(detail["msg"])
    wanted = message[0].lower() + message[1:]
    return f"{name} is {detail['input']!r}, but {wanted}"
