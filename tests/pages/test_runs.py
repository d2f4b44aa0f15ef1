"""The page Runs, empty and filled."""

from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.runs import curves, live, table
from tests.jobs_made import measure
from tests.pages.opened import opened
from transfer import workspace
from transfer.config import TrainConfig
from transfer.errors import StorageError
from transfer.store import files
from transfer.store.metrics import Metrics
from transfer.store.record import Metric, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.store.summaries import Summary

RESULT: dict[str, Any] = {
    "val_accuracy": 0.875,
    "val_loss": 0.4,
    "best_epoch": 2,
    "best_phase": "fine_tune",
    "trainable_parameters": 6405,
    "frozen_parameters": 2257984,
    "class_names": ["daisy", "rose"],
    "seconds": {"import": 6.0, "prepare": 13.0, "head": 5.0, "total": 75.0},
    "peak_memory_mb": 1234.5,
}


BEST = {"best_phase": "head", "best_epoch": 1}
#: What always naming the largest class would give.
LARGEST = {"class": "*ok*", "accuracy": 0.927, "balanced_accuracy": 0.5}


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store of this test's own workspace."""
    st.cache_resource.clear()


@pytest.fixture
def running() -> Run:
    """A run that this very process claims to do, in its second epoch."""
    store = Store()
    run = store.create(TrainConfig(dataset="flowers"), "my *run*")
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    rows = [
        Metric(phase="head", epoch=1, name=name, value=0.5)
        for name in ("loss", "accuracy", "val_loss", "val_accuracy")
    ]
    rows.append(Metric(phase="head", epoch=2, step=1, name="loss", value=0.4))
    measure(store, run.id, rows)
    progress = {"phase": "head", "epoch": 2, "epochs": 10, "step": 1, "steps": 92}
    speed = {"images_per_second": 1500.0, "seconds_left": 75.0}
    store.heartbeat(run.id, progress | speed)
    return store.get(run.id)


def open_page(run: str = "") -> AppTest:
    """The page Runs, of this run if given, after its first run."""
    return opened("3_runs.py", run=run)


def metrics(at: AppTest) -> dict[str, str]:
    """The tiles of the page by their labels."""
    return {one.label: one.value for one in at.metric}


def news(run: Run) -> dict[str, Any]:
    """What a browser that watches the run gets now."""
    return live.news(Store().get(run.id))


def badges(at: AppTest) -> str:
    """All Markdown of the page, which the badges are of too."""
    return " ".join(one.value for one in at.markdown)


def button(at: AppTest, label: str) -> Any:
    """The button of this label."""
    return next(one for one in at.button if one.label == label)


def test_runs__empty_says_what_a_run_is() -> None:
    at = open_page()
    assert not at.exception
    assert "No run yet" in at.info[0].value


def listed(at: AppTest) -> list[str]:
    """What the links to runs say, from top to bottom."""
    links = [one.proto for one in at.get("page_link")]
    return [one.label for one in links if "run=" in one.query_string]


def facts(at: AppTest) -> str:
    """What stands below the names."""
    return " ".join(one.value for one in at.caption).replace("\\", "")


def test_runs__lists_newest_first(running: Run) -> None:
    Store().create(TrainConfig(dataset="flowers"), "later")
    at = open_page()
    assert not at.exception
    assert listed(at) == ["later", "my \\*run\\*"]
    assert "Queued" in badges(at) and "Running" in badges(at)


def test_runs__depths_are_told_apart() -> None:
    for freeze in ("all", "last:6", "none"):
        Store().create(TrainConfig(dataset="flowers", freeze=freeze))
    shown = [one.rpartition(" · ")[2] for one in listed(open_page())]
    assert shown == ["everything", "last 6 blocks", "head only"]


def test_runs__below_the_name_stands_what_trains_and_how_far_it_is(
    running: Run,
) -> None:
    said = "Head phase, epoch 2 of 10 · flowers · EfficientNet-Lite0 · head only"
    assert said in facts(open_page())


def test_runs__a_link_opens_and_the_address_keeps_the_run(running: Run) -> None:
    link = next(one.proto for one in open_page().get("page_link"))
    assert (link.page, link.query_string) == ("runs", f"run={running.id}")
    at = open_page(running.id)
    assert running.id in at.query_params["run"]
    assert at.header[0].value == "my \\*run\\*"


def test_runs__queued_tells_its_place(running: Run) -> None:
    waiting = Store().create(TrainConfig(dataset="flowers"), "later")
    assert "Number 1 in the queue, starts when those" in news(waiting)["phase"]
    assert "number 1 in the queue" in facts(open_page())


def test_runs__filters_by_text_and_tag(running: Run) -> None:
    store = Store()
    for name in ("one", "two", "three"):
        made = store.create(TrainConfig(dataset="flowers"), name)
        store.describe(made.id, note=f"about {name}", tags=[name[0]])
    at = open_page()
    assert len(listed(at)) == 4
    at.multiselect[2].set_value(["t"]).run()
    assert listed(at) == ["three", "two"]
    at.text_input(key="find").set_value("ABOUT tw").run()
    assert not at.exception
    assert listed(at) == ["two"]


def test_runs__order_is_chosen(running: Run) -> None:
    for name in ("two", "three", "one"):
        Store().create(TrainConfig(dataset="flowers"), name)
    at = open_page()
    at.selectbox[0].set_value("By name").run()
    assert listed(at)[1:] == ["one", "three", "two"]


def test_runs__many_are_shown_a_page_at_a_time(workspace: Path) -> None:
    for number in range(table.ROWS + 1):
        Store().create(TrainConfig(dataset="flowers"), f"run {number}")
    at = open_page()
    assert len(listed(at)) == table.ROWS and "run 0" not in listed(at)
    button(at, "Tick all").click().run()
    at.run()
    assert button(at, f"Untick {table.ROWS + 1}")


def test_runs__only_the_rows_of_a_page_are_read_anew(
    running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(table.ROWS):
        Store().create(TrainConfig(dataset="flowers"), f"run {number}")
    asked: list[dict[str, Any]] = []
    read = Store.summaries

    def note(store: Store, **asks: Any) -> list[Summary]:
        asked.append(asks)
        return read(store, **asks)

    monkeypatch.setattr(Store, "summaries", note)
    open_page()
    all_once, newest, of_page = asked
    assert (all_once, newest) == ({}, {"limit": 1})
    assert len(of_page["ids"]) == table.ROWS and running.id not in of_page["ids"]


@pytest.mark.parametrize("what", ["another run is there", "a run has ended"])
def test_runs__the_list_is_made_anew_where(
    what: str, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class MadeAnewError(Exception):
        pass

    def rerun() -> None:
        raise MadeAnewError

    monkeypatch.setattr(st, "rerun", rerun)
    newest, seen = running.id, ((running.id, running.status),)
    table.show_rows([running.id], newest, seen)
    if what == "a run has ended":
        Store().finish(running.id, JobStatus.COMPLETED, {})
    else:
        Store().create(TrainConfig(dataset="flowers"))
    with pytest.raises(MadeAnewError):
        table.show_rows([running.id], newest, seen)


def test_runs__ticked_ones_can_be_compared_and_deleted(running: Run) -> None:
    store = Store()
    other = store.create(TrainConfig(dataset="flowers"), "later")
    at = open_page()
    assert at.button(key="compare").disabled and at.button(key="delete").disabled
    button(at, "Tick all").click().run()
    assert at.checkbox[0].label == "Tick later" and at.checkbox[0].value
    assert button(at, "Untick 2") and not at.button(key="delete").disabled
    at.button(key="compare").click().run()
    assert not at.exception
    assert at.query_params["compare"] == f"{other.id},{running.id}"


def test_runs__name_note_and_tags_are_shown_and_asked_for(running: Run) -> None:
    Store().describe(running.id, note="a *note*", tags=["paper"])
    at = open_page(running.id)
    assert "paper" in badges(at)
    assert "a \\*note\\*" in [one.value for one in at.caption]
    button(at, "Name, note, tags").click().run()
    assert not at.exception
    assert at.text_input[0].value == "my *run*"


def test_runs__unknown_run_is_named() -> None:
    at = open_page("nonsense")
    assert not at.exception
    assert "There is no run 'nonsense'" in at.error[0].value


def test_runs__running_shows_where_it_is(running: Run) -> None:
    at = open_page(running.id)
    assert not at.exception
    assert "Running" in badges(at)
    assert len(at.get("bidi_component")) == 1
    assert news(running)["tiles"] == {
        "Epoch": "2 of 10",
        "Step": "1 of 92",
        "Images per second": "1,500",
        "Time left in this phase": "1 min 15 s",
    }
    assert news(running)["part"] == pytest.approx((1 + 1 / 92) / 10)


def test_runs__stop_asks_the_worker_to_end(running: Run) -> None:
    at = open_page(running.id)
    button(at, "Stop").click().run()
    assert not at.exception
    assert Store().get(running.id).status is JobStatus.STOPPING
    assert "Stopping" in badges(at)


def losses(run: Run) -> list[float]:
    """Loss on train, as it is drawn."""
    return list(news(run)["curves"][0][0]["y"])


def test_live__new_values_come_with_the_next_heartbeat(running: Run) -> None:
    assert 0.3 not in losses(running)
    row = Metric(phase="head", epoch=2, name="loss", value=0.3)
    measure(Store(), running.id, [row])
    Store().heartbeat(running.id)
    assert losses(running) == [0.5, 0.3]


def test_runs__curves_of_a_resumed_run_begin_at_its_checkpoint(running: Run) -> None:
    store = Store()
    row = Metric(phase="head", epoch=7, name="loss", value=0.3)
    measure(store, running.id, [row])
    store.heartbeat(running.id)
    assert 0.3 in losses(running)
    store.finish(running.id, JobStatus.INTERRUPTED)
    store.resume(running.id)
    store.claim_next("here", {("run",): 9})
    store.metrics.drop(running.id, "head", 1)
    assert 0.3 not in losses(running)


def test_runs__curves_come_after_a_database_that_was_locked(
    running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise StorageError("The database is locked.")

    with monkeypatch.context() as patched:
        patched.setattr(Metrics, "of_epochs", locked)
        with pytest.raises(StorageError):
            curves.draw(Store(), running)
    assert curves.draw(Store(), running).points["loss"]


def test_runs__completed_shows_its_results(running: Run) -> None:
    Store().finish(running.id, JobStatus.COMPLETED, RESULT)
    at = open_page(running.id)
    assert not at.exception
    tiles = metrics(at)
    assert tiles["Val top-1 accuracy"] == "87.5%"
    assert tiles["Best epoch"] == "2 (fine-tuning)"
    assert tiles["Frozen parameters"] == "2,257,984"
    assert tiles["Duration"] == "1 min 15 s"
    assert "Stop" not in [one.label for one in at.button]


def ended(result: dict[str, Any], **settings: Any) -> Run:
    """A completed run of these settings."""
    store = Store()
    run = store.create(TrainConfig(dataset="flowers", **settings))
    store.claim_next("here", {("run",): 9})
    return store.finish(run.id, JobStatus.COMPLETED, {**RESULT, **result})


def test_runs__weighted_classes_are_judged_by_balanced_accuracy() -> None:
    came = {"val_balanced_accuracy": 0.961, "val_largest_class": LARGEST}
    run = ended(came, class_weights="balanced")
    at = open_page(run.id)
    assert metrics(at)["Val balanced accuracy"] == "96.1%"
    assert at.metric[0].delta == "largest class alone 50.0%"
    assert "Top-1 accuracy 87.5%. Always naming “*ok*”" in facts(at)
    assert "would give 92.7% and 50.0% balanced." in facts(at)
    queued = Store().create(run.config)
    titles = [one["layout"]["title"]["text"] for one in live.layouts(queued)]
    assert titles == ["Loss", "Balanced accuracy"]
    said = facts(open_page())
    assert "val 96.1% balanced (top-1 87.5%, largest class alone 92.7%)" in said


def test_runs__the_largest_class_stands_beside_a_skewed_headline() -> None:
    at = open_page(ended({"val_largest_class": LARGEST}).id)
    assert metrics(at)["Val top-1 accuracy"] == "87.5%"
    assert at.metric[0].delta == "largest class alone 92.7%"
    assert "“*ok*”, the largest class, would give 92.7%." in facts(at)
    assert "val 87.5% (largest class alone 92.7%)" in facts(open_page())


def test_runs__fine_tuning_that_gained_nothing_is_told_in_words() -> None:
    run = ended({"best_phase": "head", "best_epoch": 0}, freeze="last:1")
    said = open_page(run.id).info[0].value.replace("\\", "")
    assert "fine-tuning no more than luck may: the head in closed" in said
    assert "no more than luck may" in facts(open_page())


def test_runs__how_little_is_known_stands_above_the_figure() -> None:
    at = open_page(ended({"val_images": 3, "val_accuracy": 1.0}).id)
    assert "on 3 images of val" in at.warning[0].value
    assert "on 3 images of val" not in facts(at)


def test_runs__an_early_end_is_told_with_its_reason() -> None:
    run = ended({"ended_early": "The loss became nan. Kept is the best until then."})
    said = open_page(run.id).warning[0].value.replace("\\", "")
    assert "Ended early: The loss became nan." in said
    assert "Ended early: The loss became nan." in facts(open_page())


def test_runs__interrupted_says_what_is_kept(running: Run) -> None:
    error = {"kind": "RunError", "message": "The worker vanished.", "hint": ""}
    Store().finish(running.id, JobStatus.INTERRUPTED, error=error)
    said = open_page(running.id).error[0].value
    assert "The worker vanished" in said
    assert "Kept are its settings" in said and "Resume" in said


@pytest.mark.parametrize("status", ["interrupted", "failed", "stopped"])
def test_runs__resume_queues_it_again(running: Run, status: str) -> None:
    Store().finish(running.id, JobStatus(status), error={"message": "Gone."})
    at = open_page(running.id)
    button(at, "Resume").click().run()
    assert not at.exception
    assert Store().get(running.id).status is JobStatus.QUEUED
    assert "Queued" in badges(at)
    assert "Resume" not in [one.label for one in at.button]


def test_runs__a_completed_run_has_nothing_to_resume(running: Run) -> None:
    Store().finish(running.id, JobStatus.COMPLETED, RESULT)
    labels = [one.label for one in open_page(running.id).button]
    assert "Resume" not in labels and "Continue from here" in labels


@pytest.mark.parametrize(
    ("halved_for", "why"),
    [
        ("memory", "enough memory"),
        ("time", "Steps took so long"),
        ("images", "no more training images"),
    ],
)
def test_runs__a_smaller_batch_is_told(running: Run, halved_for: str, why: str) -> None:
    told = {"batch_size": 8, "halved_for": halved_for}
    Store().heartbeat(running.id, {**running.progress, **told})
    said = open_page(running.id).info[0].value
    assert "went on with 8" in said and why in said


def test_runs__start_again_opens_a_new_run(running: Run) -> None:
    Store().finish(running.id, JobStatus.INTERRUPTED, error={"message": "Gone."})
    at = open_page(running.id)
    button(at, "Start again").click().run()
    assert not at.exception
    again = str(at.query_params["run"])
    assert again != running.id
    new = Store().get(again)
    assert (new.name, new.config) == (running.name, running.config)
    assert "Queued" in badges(at)


@pytest.mark.parametrize("wanted", ["Resume", "Start again"])
def test_runs__a_backbone_of_earlier_versions_trains_no_more(
    workspace: Path, wanted: str
) -> None:
    store = Store()
    gone = TrainConfig(dataset="pets", backbone="starter", weights="starter")
    run = store.create(gone)
    store.request_stop(run.id)
    at = open_page(run.id)
    button(at, wanted).click().run()
    assert not at.exception and "one of earlier versions" in at.toast[0].value
    assert [one.id for one in store.runs()] == [run.id]
    assert store.get(run.id).status is JobStatus.STOPPED


def test_runs__worker_is_getting_ready_before_there_are_numbers(running: Run) -> None:
    Store().heartbeat(running.id, {"phase": "prepare"})
    assert news(running)["tiles"] == {"Worker": "getting ready"}


def test_runs__instant_has_no_curves() -> None:
    store = Store()
    run = store.create(TrainConfig(dataset="flowers", method="instant"))
    store.claim_next("here", {("run",): 9})
    store.finish(run.id, JobStatus.COMPLETED, RESULT)
    at = open_page(run.id)
    assert not at.exception
    assert live.layouts(run) == [] and news(run)["curves"] == []
    assert metrics(at)["Head"] == "in closed form"


def test_curves__running_epoch_grows_out_of_the_one_before() -> None:
    read = curves.Curves()
    values = [(1, None, 0.5), (2, 1, 0.9), (2, 2, 0.7)]
    read.add(
        Metric(phase="head", epoch=epoch, step=step, name="loss", value=value)
        for epoch, step, value in values
    )
    points = read.points("loss", head_epochs=5, steps=4)
    assert [one.position for one in points] == [1.0, 1.25, 1.5]
    assert [one.value for one in points] == pytest.approx([0.5, 0.6, 0.65])


def test_curves__the_best_epoch_is_marked() -> None:
    read = curves.Curves()
    for epoch, accuracy, loss in ((1, 0.5, 1.0), (2, 0.9, 0.6), (3, 0.9, 0.4)):
        values = {"loss": 1.0, "val_accuracy": accuracy, "val_loss": loss}
        read.add(
            Metric(phase="head", epoch=epoch, name=name, value=value)
            for name, value in values.items()
        )
    points = read.points("loss", head_epochs=5, best=("head", 3))
    best = [(one.position, one.split) for one in points if one.is_best]
    assert best == [(3.0, "val")]
    ring = live.traces("loss", points, 10)[2]
    assert (ring["x"], ring["y"], ring["text"]) == ([3.0], [0.4], ["best"])


def test_runs__curves_mark_what_the_training_says_to_be_best(running: Run) -> None:
    Store().heartbeat(running.id, {**running.progress, **BEST})
    assert news(running)["curves"][0][2]["x"] == [1.0]
    assert news(running)["tiles"]["Best epoch"] == "1 (head)"


def test_curves__first_epoch_is_the_mean_until_now() -> None:
    read = curves.Curves()
    read.add(
        Metric(phase="head", epoch=1, step=step, name="loss", value=value)
        for step, value in ((1, 2.0), (2, 1.0))
    )
    assert [one.value for one in read.points("loss", 5, steps=4)] == [2.0, 1.5]


def test_runs__failed_shows_message_and_hint(running: Run) -> None:
    error = {"kind": "RunError", "message": "No memory.", "hint": "Take 8 images."}
    Store().finish(running.id, JobStatus.FAILED, error=error)
    said = open_page(running.id).error[0].value
    assert "No memory" in said and "Take 8 images" in said


def test_runs__log_is_shown(running: Run) -> None:
    workspace.folder("runs", running.id)
    files.log("run", running.id).write_text("old\n" * 300 + "the last line\n")
    at = open_page(running.id)
    assert not at.code
    at.session_state[f"Log of the worker-{running.id}"] = True
    shown = at.run().code[0].value
    assert shown.endswith("the last line")
    assert len(shown.splitlines()) == 200


def test_runs__tensorboard_is_told_where_to_look(running: Run) -> None:
    assert not any("--logdir" in one.value for one in open_page(running.id).code)
    files.events(running.id).mkdir(parents=True)
    shown = [one.value for one in open_page(running.id).code]
    assert f"tensorboard --logdir {files.events(running.id)}" in shown


def test_runs__delete_asks_first(running: Run) -> None:
    Store().finish(running.id, JobStatus.COMPLETED, RESULT)
    at = open_page(running.id)
    button(at, "Delete run").click().run()
    assert not at.exception
    assert "Delete" in [one.label for one in at.button]
    assert Store().get(running.id)
