"""The Data page, empty and filled."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.data import gallery
from pages.shared.uploader import Arrival
from tests import jobs_made
from tests.pages.opened import opened, unopened
from tests.pictures import make_pictures
from transfer.advice import imagenet_names
from transfer.advice.imagenet_names import ClassNames, Name, SourceNames
from transfer.config import TrainConfig
from transfer.datasets import chosen as choices
from transfer.datasets import editing, library
from transfer.datasets.ingest import importer, uploads
from transfer.datasets.revision import Revision
from transfer.doctor import report
from transfer.doctor.finding import Finding, Remedy, show
from transfer.gallery.view import Shown
from transfer.runs import requests
from transfer.runs.requests import Request
from transfer.store.runs import Store
from transfer.store.status import JobStatus


def _import_buttons(page: AppTest) -> list[Any]:
    """Those of the two forms: upload, folder on the server."""
    return [button for button in page.button if button.label == "Import"]


def _dataset(page: AppTest) -> Any:
    return next(one for one in page.selectbox if one.label == "Dataset")


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store of this test's own workspace."""
    st.cache_resource.clear()


@pytest.fixture
def pets(workspace: Path, tmp_path: Path) -> Path:
    """A folder of two classes, imported as `pets`."""
    make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    (tmp_path / "pets" / "cat" / "notes.txt").write_text("no picture")
    importer.import_path(tmp_path / "pets", "pets")
    return tmp_path / "pets"


def test_data__empty_says_what_to_bring(workspace: Path) -> None:
    page = opened("1_data.py")
    assert not page.exception
    assert "No dataset yet" in page.info[0].value


def test_data__a_dataset_shows_its_classes_and_split(pets: Path) -> None:
    page = opened("1_data.py")
    assert not page.exception
    assert "8 images · 2 classes" in page.caption[-1].value or any(
        "8 images · 2 classes" in one.value for one in page.caption
    )
    counts = page.dataframe[0].value
    assert list(counts["class"]) == ["cat", "dog"]
    assert counts.loc[0, "train"] + counts.loc[0, "val"] == 4
    assert any("1 file was passed over" in one.label for one in page.expander)


def test_data__a_folder_of_the_server_is_imported(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pictures(tmp_path / "birds", {"wren": 3, "crow": 3})
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path))
    page = opened("1_data.py")
    page.text_input[1].set_value(str(tmp_path / "birds")).run()
    page.text_input(key="name-server").set_value("birds")
    _import_buttons(page)[1].click().run()
    assert not page.exception
    assert page.query_params["import"] == "birds"
    assert any(
        "Import of birds: number 1 in the queue" in one.value for one in page.caption
    )
    assert jobs_made.carry_out("import", "birds") == 0
    page.run()
    assert _dataset(page).value == "birds" and "import" not in page.query_params


def test_data__what_is_imported_to_train_turns_to_its_run(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pictures(tmp_path / "birds", {"wren": 3, "crow": 3})
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path))
    page = opened("1_data.py")
    page.text_input[1].set_value(str(tmp_path / "birds")).run()
    trains = [one for one in page.button if one.label == "Import and train"]
    trains[1].click().run()
    assert jobs_made.carry_out("import", "birds") == 0
    (run,) = Store().runs()
    newest = library.load("birds").id
    assert run.config == TrainConfig(dataset="birds", revision=newest)
    page.run()
    assert not page.exception
    assert page.query_params["run"] == run.id and page.title[0].value == "Runs"


def _labelled(page: AppTest, label: str) -> Any:
    return next(one for one in page.selectbox if one.label == label)


def test_data__what_is_understood_can_be_changed_before_the_import(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pictures(tmp_path / "set/2023", {"cat": 3, "dog": 3}, seed=1)
    make_pictures(tmp_path / "set/2024", {"cat": 2, "dog": 2}, seed=2)
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path))
    page = opened("1_data.py")
    page.text_input[1].set_value(str(tmp_path / "set")).run()
    assert not page.exception
    assert not any("No dataset yet" in one.value for one in page.info)
    assert any("Every folder holds the same" in one.value for one in page.info)
    assert list(page.dataframe[0].value["class"]) == ["2023", "2024"]
    _labelled(page, "Understood as").set_value("splits").run()
    assert list(page.dataframe[0].value["class"]) == ["cat", "dog"]
    _labelled(page, "2024 is").set_value("test").run()
    assert page.dataframe[0].value["test"].tolist() == [2, 2]
    _import_buttons(page)[1].click().run()
    assert jobs_made.carry_out("import", "set") == 0
    page.run()
    assert not page.exception
    assert "set** came in: 10 images in 2 classes" in page.success[0].value
    assert library.load("set").counts()["cat"]["test"] == 2
    assert page.text_input[1].value == ""


def test_data__a_refusal_says_what_was_found(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set" / "cat").mkdir(parents=True)
    (tmp_path / "set" / "cat" / "1.txt").write_text("no picture")
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path))
    page = opened("1_data.py")
    page.text_input[1].set_value(str(tmp_path / "set")).run()
    assert "cat/1\\.txt" in page.error[0].value
    _import_buttons(page)[1].click().run()
    assert not page.exception and not library.list_datasets()


def test_data__a_folder_outside_the_roots_is_refused(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "allowed").mkdir()
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path / "allowed"))
    page = opened("1_data.py")
    page.text_input[1].set_value(str(tmp_path / "allowed" / ".." / "else")).run()
    assert "outside the folders" in page.error[0].value


def test_data__a_dataset_without_a_name_is_called_like_its_folder(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pictures(tmp_path / "Birds, 2024 (all)", {"wren": 3, "crow": 3})
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path))
    page = opened("1_data.py")
    page.text_input[1].set_value("Birds, 2024 (all)").run()
    assert page.text_input(key="name-server").placeholder == "Birds- 2024 -all-"
    _import_buttons(page)[1].click().run()
    assert jobs_made.carry_out("import", "Birds- 2024 -all-") == 0
    assert _dataset(page.run()).value == "Birds- 2024 -all-"


def test_data__nothing_to_import_is_said(workspace: Path) -> None:
    page = opened("1_data.py")
    _import_buttons(page)[0].click().run()
    assert "wait until it has arrived" in page.warning[0].value


def test_data__a_sample_is_imported_under_a_name_that_is_free(
    workspace: Path, tmp_path: Path
) -> None:
    for name in ("digits", "digits 2"):
        page = opened("1_data.py")
        if page.expander:
            page.session_state["import-fold"] = True
            page.run()
        use = next(b for b in page.button if b.label == "Use handwritten digits")
        use.click().run()
        assert not page.exception
        words = jobs_made.asked_for("import", name)
        assert words[:3] == ["import", "sample:digits", f"--name={name}"]
        importer.import_path(make_pictures(tmp_path / name, {"0": 2, "1": 2}), name)


def test_data__what_is_in_a_closed_fold_is_not_made(pets: Path) -> None:
    page = opened("1_data.py")
    assert not _import_buttons(page)
    for is_open in (True, False):  # once it was opened it stays: it may hold an upload
        page.session_state["import-fold"] = is_open
        page.run()
        assert _import_buttons(page)


def test_data__a_fold_that_was_closed_again_is_made_no_more(pets: Path) -> None:
    page = opened("1_data.py")
    for is_open in (False, True, False):
        page.session_state["revisions-of-pets"] = is_open
        page.run()
        told = [one.value for one in page.caption if "two to compare" in one.value]
        assert len(told) == is_open


def _import_of(name: str, source: Path) -> Request:
    return requests.import_(source, name, val=0.5)


def test_data__an_import_is_found_again_after_a_reload(
    workspace: Path, tmp_path: Path
) -> None:
    request = _import_of("birds", tmp_path / "birds")
    jobs_made.working(request, done=25, of=100)
    page = opened("1_data.py", **{"import": "birds"})
    assert not page.exception
    bar = page.get("progress")[0].proto
    assert bar.text == "Import of birds: checked 25 of 100 images" and bar.value == 25
    elsewhere = opened("1_data.py")  # somebody else sees it too
    assert elsewhere.get("progress")[0].proto.value == 25
    make_pictures(tmp_path / "birds", {"wren": 3, "crow": 3})
    importer.import_path(tmp_path / "birds", "birds")
    jobs_made.ended(request)
    page = opened("1_data.py", **{"import": "birds"})
    assert "birds** came in: 6 images" in page.success[0].value
    assert page.query_params.get("import") is None
    assert _dataset(page).value == "birds"


def test_data__an_import_that_failed_can_be_tried_again(
    workspace: Path, tmp_path: Path
) -> None:
    request = _import_of("birds", tmp_path / "birds")
    jobs_made.waiting(request)
    assert jobs_made.carry_out("import", "birds") == 1
    page = opened("1_data.py", **{"import": "birds"})
    assert "birds" in page.error[0].value
    make_pictures(tmp_path / "birds", {"wren": 3, "crow": 3})
    next(one for one in page.button if one.label == "Try again").click().run()
    assert jobs_made.carry_out("import", "birds") == 0
    assert _dataset(page.run()).value == "birds"


def _page_with_upload(upload: str) -> AppTest:
    """The page to which this upload has come."""
    page = unopened()
    source = uploads.source(upload)
    counts = {"chosen": 6, "arrived": 6, "failed": 0, "left_out": 0}
    arrival = Arrival(source=source, upload=upload, name="up", reasons=[], **counts)
    kept = {"upload": upload, "arrival": arrival}
    page.session_state["folder_uploads"] = kept
    page.run()
    _import_buttons(page)[0].click().run()
    assert not page.exception
    return page


def test_data__an_upload_is_let_go_once_it_is_a_dataset(workspace: Path) -> None:
    upload = uploads.start()
    make_pictures(workspace / "uploads" / upload / "files", {"cat": 3, "dog": 3})
    page = _page_with_upload(upload)
    assert page.session_state["folder_uploads"]["upload"] != upload
    assert jobs_made.carry_out("import", "up") == 0
    assert _dataset(page.run()).value == "up"
    assert not (workspace / "uploads" / upload).exists()


def test_data__an_upload_that_was_refused_can_be_read_in_another_way(
    workspace: Path,
) -> None:
    upload = uploads.start()
    folder = workspace / "uploads" / upload / "files"
    make_pictures(folder, {"cat": 3, "dog": 3})
    for picture in folder.glob("dog/*"):
        picture.write_bytes(b"broken")
    page = _page_with_upload(upload)
    assert jobs_made.carry_out("import", "up") == 1
    page.run()
    assert 'None of the 3 pictures of the class "dog"' in page.error[0].value
    assert page.session_state["folder_uploads"]["upload"] == upload
    assert "6 pictures in 2 classes" in page.info[0].value
    assert folder.exists()


def test_data__a_cancelled_import_says_that_nothing_is_kept(workspace: Path) -> None:
    jobs_made.ended(_import_of("birds", workspace), JobStatus.STOPPED)
    page = opened("1_data.py", **{"import": "birds"})
    said = "Import of birds was cancelled; nothing of it is kept."
    assert said in [one.value for one in page.caption]


def test_data__a_name_that_is_being_imported_is_taken(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pictures(tmp_path / "birds", {"wren": 3, "crow": 3})
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path))
    jobs_made.working(_import_of("birds", tmp_path / "other"), done=1, of=2)
    page = opened("1_data.py")
    page.text_input[1].set_value(str(tmp_path / "birds")).run()
    _import_buttons(page)[1].click().run()
    assert "being imported already" in page.error[0].value


def test_data__an_unknown_dataset_of_the_address_is_named(pets: Path) -> None:
    page = opened("1_data.py", dataset="gone")
    assert "no dataset gone" in page.warning[0].value
    assert _dataset(page).value == "pets"


def test_data__a_link_to_images_shows_and_mends_them(pets: Path) -> None:
    images = library.load("pets").images
    chosen = choices.keep([images[5].sha256, images[0].sha256, "0" * 64])
    page = opened("1_data.py", dataset="pets", chosen=chosen)
    assert any(
        "Only the 2 images of a link; 1 more" in one.value for one in page.caption
    )
    (view,) = [one for one in page.segmented_control if one.value == "All images"]
    assert not page.exception
    _press(page, "Show all images")
    assert "chosen" not in page.query_params
    assert page.segmented_control(key="pictures-").value == "All images"


def test_data__a_lost_link_says_what_to_do(pets: Path) -> None:
    page = opened("1_data.py", dataset="pets", chosen="0" * 16)
    assert "Choose them again" in page.error[0].value


def test_data__a_change_can_be_undone_and_gone_back_to(pets: Path) -> None:
    before = library.load("pets")
    after = editing.move("pets", [before.images[0].path], "dog")
    page = opened("1_data.py", dataset="pets")
    (undo,) = [one for one in page.button if one.label.startswith("Undo: Moved")]
    undo.click().run()
    assert library.load("pets") == before
    page = opened("1_data.py", dataset="pets", revision=after.id)
    assert any("as it was after: Moved" in one.value for one in page.markdown)
    _press(page, "Go back to it")
    assert library.load("pets") == after
    assert "revision" not in page.query_params


def test_data__a_class_is_renamed(pets: Path) -> None:
    page = opened("1_data.py", dataset="pets")
    (old,) = [one for one in page.selectbox if one.label == "Class"]
    old.select("cat").run()
    (new,) = [one for one in page.text_input if one.label == "New name"]
    new.input("tomcat").run()
    _press(page, "Rename")
    assert library.load("pets").class_names == ("dog", "tomcat")


def test_data__many_classes_come_page_by_page(workspace: Path, tmp_path: Path) -> None:
    names = {f"class {number:02}": 2 for number in range(12)}
    importer.import_path(make_pictures(tmp_path / "many", names), "many")
    page = opened("1_data.py")
    assert not page.exception
    shown = [one.value for one in page.markdown if "class" in one.value]
    assert len(shown) == 10


def _imagenet(page: AppTest) -> str:
    """All that the fold about ImageNet says."""
    fold = next(one for one in page.expander if "ImageNet" in one.label)
    return " ".join(one.value for one in (*fold.markdown, *fold.caption))


def test_data__imagenet_is_asked_what_it_calls_the_pictures(pets: Path) -> None:
    page = opened("1_data.py")
    next(one for one in page.button if one.label == "Ask it").click().run()
    request = imagenet_names.request(library.load("pets"))
    assert jobs_made.asked_for(request.kind, request.subject) == list(request.words)
    assert not [one for one in page.button if one.label == "Ask it"]


def test_data__imagenets_names_teach_what_a_new_head_is_for(pets: Path) -> None:
    revision = library.load("pets")
    cat, dog = (
        ClassNames(
            class_name=name,
            images=4,
            own="",
            right=None,
            unsure=0.25,
            different=2,
            names=(Name("<tabby>", 0.75, "a" * 64, 0.9),),
            doubtful=Name("vase", 0.25, "b" * 64, 0.2),
        )
        for name in ("cat", "dog")
    )
    known = replace(dog, own="dog", right=0.75)
    said = SourceNames(
        backbone="efficientnet_lite0",
        images=8,
        translated=0.7,
        guessed=0.5,
        classes=(cat, known),
    )
    imagenet_names.keep(revision, said)
    page = opened("1_data.py")
    text = _imagenet(page)
    assert "Of your 2 classes ImageNet has 1" in text and "transfer learning" in text
    assert "70% of val" in text and "called so: 75%" in text
    html = " ".join(str(one.proto.body) for one in page.get("html"))
    assert "&lt;tabby&gt;" in html and "75% of them" in html
    both = (replace(cat, own="cat", right=0.1), known)
    imagenet_names.keep(revision, replace(said, classes=both))
    assert "without any training" in _imagenet(page.run())


def _press(page: AppTest, label: str) -> None:
    next(one for one in page.button if one.label == label).click().run()


@pytest.fixture
def examined(pets: Path) -> Revision:
    """The pets, of which the doctor doubts two labels and says that cats are few."""
    made = library.load("pets")
    found = [
        Finding(
            kind="label",
            images=show(made, [image]),
            certainty=0.9,
            says=f"{image.path} may be a dog.",
            remedies=(
                Remedy(
                    does="move",
                    says="Move it to dog",
                    targets={"dog": (image.sha256,)},
                ),
            ),
        )
        for image in made.images[:2]
    ]
    few = Finding(kind="few", images=(), certainty=0.8, says="Few cats.")
    report.keep(made, [*found, few])
    return made


def _doctor(page: AppTest) -> str:
    """All that the doctor says, without the signs that keep Markdown from it."""
    fold = next(one for one in page.expander if "doctor" in one.label)
    said = " ".join(one.value for one in (*fold.markdown, *fold.caption))
    return said.replace("\\", "")


def test_data__the_doctor_is_asked(pets: Path) -> None:
    page = opened("1_data.py")
    page.button(key="ask-doctor").click().run()
    request = report.request(library.load("pets"))
    assert jobs_made.asked_for(request.kind, request.subject) == list(request.words)
    assert not [one for one in page.button if one.label == "Look"]


def test_data__the_doctor_takes_groups_from_a_table(pets: Path) -> None:
    page = opened("1_data.py")
    (place,) = [one for one in page.file_uploader if one.label == "CSV file"]
    place.set_value([("who.csv", b"file,who\nx,y\n", "text/csv")]).run()
    (column,) = [one for one in page.selectbox if "groups" in one.label]
    column.select("who").run()
    _press(page, "Look with it")
    request = report.request(library.load("pets"))
    assert jobs_made.asked_for(request.kind, request.subject)[-1] == "who"


def test_data__a_finding_is_mended_with_a_click_and_undone(examined: Revision) -> None:
    page = opened("1_data.py")
    assert "90% against it" in _doctor(page) and "Few cats." in _doctor(page)
    _press(page, "Move it to dog")
    first, second = (image.path for image in examined.images[:2])
    assert first not in _doctor(page) and second in _doctor(page)
    assert [one for one in page.button if one.label == "Look again"]
    (undo,) = [one for one in page.button if one.label.startswith("Undo: Doctor")]
    undo.click().run()
    assert library.load("pets") == examined
    assert first in _doctor(page)


def test_data__all_findings_are_mended_at_once(examined: Revision) -> None:
    page = opened("1_data.py")
    # Most labels in doubt are right: not where they are among all the rest.
    assert not [one for one in page.button if "first remedy" in one.label]
    (kind,) = [one for one in page.pills if one.label == "Kinds of findings"]
    kind.set_value("label").run()
    _press(page, "Do the first remedy of all 2")
    assert library.load("pets").parent == examined.id
    assert "may be a dog" not in _doctor(page)
    assert "Few cats." in _doctor(page)


def test_data__the_gallery_shows_the_images_of_findings(
    examined: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Shown] = []
    monkeypatch.setattr(gallery, "_grid", lambda _, shown: seen.append(shown) or [])
    page = opened("1_data.py", dataset="pets")
    next(one for one in page.segmented_control if "All images" in one.options).select(
        "All images"
    ).run()
    finding = next(one for one in page.selectbox if one.label == "Finding")
    assert finding.options == ["Labels in doubt"]
    finding.select("label").run()
    assert not page.exception
    assert [*seen[-1].images] == [*examined.images[:2]]


def test_data__the_images_of_a_finding_open_in_the_gallery(examined: Revision) -> None:
    page = opened("1_data.py")
    next(one for one in page.button if one.label == "Open").click().run()
    assert choices.load("".join(page.query_params["chosen"])) == [
        examined.images[0].sha256
    ]


def test_data__a_dataset_is_begun_without_images(workspace: Path) -> None:
    page = opened("1_data.py")
    _field(page, "Name of the new dataset").set_value("new")
    (wanted,) = [one for one in page.multiselect if one.label == "Its classes"]
    wanted.set_value(["cat", "dog"])
    next(one for one in page.button if one.label == "Begin").click().run()
    assert not page.exception
    assert "**new** is there" in page.success[0].value
    assert [one.value for one in page.caption].count("No image yet.") == 2


def _field(page: AppTest, label: str) -> Any:
    return next(one for one in page.text_input if one.label == label)
