"""The classes that a source model knows, by their names."""

import hashlib

import pytest

from transfer.backbones import imagenet
from transfer.errors import BackboneError


def test_classes__are_the_list_that_keras_publishes() -> None:
    published = "c2c37ea517e94d9795004a39431a14cb"  # in keras' imagenet_utils.py
    content = imagenet._CLASSES.read_bytes()
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == published


def test_titles__are_words_and_no_two_the_same() -> None:
    titles = imagenet.titles()
    assert len(set(titles)) == len(titles) == 1000
    assert titles[2] == "great white shark"
    assert [one for one in titles if one.startswith("crane")] == [
        "crane (n02012849)",
        "crane (n03126707)",
    ]


@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("n02123045", 281),
        (" Great white-shark", 2),
        ("rose", None),
        ("crane", None),  # two classes are called so
    ],
)
def test_find__by_label_or_synset(name: str, position: int | None) -> None:
    assert imagenet.find(name) == position


def test_positions__names_strange_classes() -> None:
    with pytest.raises(BackboneError, match="none of ImageNet's 1,000: rose"):
        imagenet.positions(["tabby", "rose"])
