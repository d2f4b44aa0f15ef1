"""What the screen calls settings."""

from typing import Literal, get_args, get_origin

import pytest

from pages.shared import words
from transfer.config import TrainConfig


def test_values__all_are_named() -> None:
    for name, field in TrainConfig.model_fields.items():
        if get_origin(field.annotation) is Literal:
            assert list(words.VALUES[name]) == list(get_args(field.annotation))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("freeze", "last:1", ("What trains", "last block")),
        ("freeze", "blocks:stem,top", ("What trains", "stem, top")),
        ("optimizer", "sgd", ("Optimizer", "SGD")),
        (
            "resizing",
            "fit",
            ("Resizing of pictures that are not square", "Fit with a border"),
        ),
        ("image_size", 96, ("Image size", "96")),
        ("l2_sp", 0.1, ("Pull to the pretrained values (L2-SP)", "0.1")),
    ],
)
def test_of_setting__speaks_the_screens(
    name: str, value: object, said: tuple[str, str]
) -> None:
    assert words.of_setting(name, value) == said
