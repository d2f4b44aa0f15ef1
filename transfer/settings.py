"""The fields of a run's settings: each with its unit, its limits and what it does.

What they may be together is in `transfer.config`.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def choices(**says: str) -> Any:
    """What each value of a setting does, to be kept with its field."""
    return {"choices": says}


class Settings(BaseModel):
    """Everything that decides a run; the defaults are the recommendation.

    The description of each field says what it does, and its `choices` what each of its
    values does, see `config.help_text`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(min_length=1, description="Name of the dataset to learn from.")
    revision: str = Field(
        default="",
        description="Revision of the dataset; empty takes the newest when the run is "
        "created.",
    )
    backbone: str = Field(
        default="efficientnet_lite0",
        description="The pretrained network whose features are reused.",
    )
    weights: str = Field(
        default="imagenet",
        description="Where the backbone's parameters come from.",
        json_schema_extra=choices(
            imagenet="learnt from ImageNet's photographs of 1,000 classes",
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
        description="Passes over all of train in the head phase, in which the "
        "whole backbone is frozen.",
    )
    fine_tune_epochs: int = Field(
        default=10,
        ge=0,
        le=1000,
        description="Passes in the fine-tuning phase, in which the unfrozen layers "
        "train too. Without unfrozen layers there is no such phase. It ends "
        "early where all of train is known by heart and the "
        "head alone is better on val.",
    )
    batch_size: int = Field(
        default=32,
        ge=1,
        le=1024,
        description="Examples per training step. Larger is steadier and needs more "
        "memory; smaller learns more per example seen.",
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
        "warm-up. Smaller is safer and gains less, most of all where the data is "
        "unlike photographs.",
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
        "in the fine-tuning phase; helps when examples are few.",
    )
    blend: Literal["val", "none"] = Field(
        default="val",
        description="Whether weights between the head phase's and the fine-tuned ones "
        "are tried in the end.",
        json_schema_extra=choices(
            val="tries a quarter, half and three quarters of the way to the last epoch "
            "and to the mean of all, and that mean; what is best on val is kept",
            none="keeps the weights of the best epoch as they are",
        ),
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        description="How much an example counts in the loss.",
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
        description="Random changes that give new views of each training example. "
        "Leave out what changes the class, such as flips of digits.",
        json_schema_extra={
            "choices": {
                "flip,crop,colour,rotation": "any of these",
                "voice,shift,noise,gain,masks": "of sounds any of these",
                "none": "no change",
            }
        },
    )
    views: int = Field(
        default=4,
        ge=0,
        le=64,
        description="Views of each training example whose features are kept; the first "
        "is the example itself. 0 makes a new view in every epoch, which is slower. "
        "Without augmentation it has no effect.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="Numbers in which frozen features are computed.",
        json_schema_extra=choices(
            auto="bfloat16 where this machine is faster with it and a check on your "
            "data finds the same answers",
            float32="always exact",
            bfloat16="without that check",
        ),
    )
    image_size: int | None = Field(
        default=None,
        ge=32,
        le=1024,
        description="Height and width of what the backbone is given; the "
        "backbone's own size unless another one is given.",
    )
    resizing: Literal["stretch", "crop", "fit"] = Field(
        default="stretch",
        description="How a picture that is not square becomes one.",
        json_schema_extra=choices(
            stretch="fills it: all is seen, and shapes change",
            crop="takes the middle: shapes stay, and what lies at the ends is not seen",
            fit="makes it smaller and fills the rest with a grey border: all is seen "
            "and shapes stay, with fewer pixels for them",
        ),
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="Seed of the head's first values and of the order of examples; two "
        "runs with equal settings and seed are equal.",
    )
    start_from: str = Field(
        default="",
        description="Id of a finished run whose model is the start in place of the "
        "pretrained weights; its backbone, head, input size and classes must be the "
        "same. Empty starts from the pretrained weights.",
    )
