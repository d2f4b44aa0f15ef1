"""Settings: limits, and errors that name every problem at once."""

import pytest

from transfer.config import TrainConfig, help_text
from transfer.errors import ConfigError


def test_of__defaults_are_valid() -> None:
    assert TrainConfig.of(dataset="flowers").backbone == "efficientnet_lite0"


def test_of__all_problems_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig.of(dataset="flowers", batch_size=0, learning_rate=-1.0)
    assert "batch_size is 0" in str(caught.value)
    assert "learning_rate is -1.0" in str(caught.value)
    assert caught.value.exit_status == 2


def test_of__an_unknown_setting_is_named() -> None:
    with pytest.raises(ConfigError, match="lr"):
        TrainConfig.of(dataset="flowers", lr=0.1)


def test_of__survives_json() -> None:
    config = TrainConfig.of(dataset="flowers", freeze="last:2", image_size=64)
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config


def test_fields__each_says_what_it_does() -> None:
    for name, field in TrainConfig.model_fields.items():
        assert field.description and len(field.description) > 20, name


def test_of__augmentations_come_in_one_order() -> None:
    config = TrainConfig.of(dataset="a", augmentation=" colour, flip")
    assert config.augmentation == "flip,colour"
    assert config.augmentations == ("flip", "colour")
    assert TrainConfig.of(dataset="a", augmentation="").augmentations == ()


def test_of__an_unknown_resizing_is_named() -> None:
    with pytest.raises(ConfigError, match="resizing is 'squeeze'.*'crop' or 'fit'"):
        TrainConfig.of(dataset="a", resizing="squeeze")


def test_of__an_unknown_augmentation_is_named() -> None:
    with pytest.raises(ConfigError, match="no augmentation swirl; expected `none` or"):
        TrainConfig.of(dataset="a", augmentation="flip,swirl")


def test_of__instant_trains_nothing_of_the_backbone() -> None:
    with pytest.raises(ConfigError, match="freeze is `last:1`.*choose freeze `all`"):
        TrainConfig.of(dataset="a", method="instant", freeze="last:1")
    with pytest.raises(ConfigError, match="head is `dense1024`"):
        TrainConfig.of(dataset="a", method="instant", head="dense1024")


def test_help_text__values_as_they_are_typed_or_as_the_screen_calls_them() -> None:
    typed = help_text("class_weights")
    assert "`balanced`: more where its class is rare" in typed
    shown = help_text("class_weights", {"balanced": "Balanced"})
    assert "Balanced: more where its class is rare" in shown
    assert "no more of one class" in typed and "no more of" not in shown
    assert help_text("seed") == TrainConfig.model_fields["seed"].description


def test_check_kind__sounds_are_never_flipped() -> None:
    flipped = TrainConfig.of(dataset="birds", augmentation="flip,noise")
    with pytest.raises(ConfigError, match='"birds" has sounds, but augmentation is fl'):
        flipped.check_kind("sounds")
    with pytest.raises(ConfigError, match='"birds" has images, but augmentation is no'):
        flipped.check_kind("images")
    TrainConfig.of(dataset="birds", augmentation="masks,gain").check_kind("sounds")


def test_check_kind__sounds_have_no_shape_to_keep() -> None:
    with pytest.raises(ConfigError, match="resizing is crop"):
        TrainConfig.of(dataset="birds", resizing="crop").check_kind("sounds")
