"""The Data page, empty and filled."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.opened import opened
from tests.pictures import make_pictures
from transfer.datasets import library
from transfer.datasets.ingest import importer


def _import_buttons(page: AppTest) -> list[Any]:
    """Those of the two forms: upload, folder on the server."""
    return [button for button in page.button if button.label == "Import"]


def _dataset(page: AppTest) -> Any:
    return next(one for one in page.selectbox if one.label == "Dataset")


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
    assert _dataset(page).value == "birds"


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
    assert _dataset(page).value == "Birds- 2024 -all-"


def test_data__nothing_to_import_is_said(workspace: Path) -> None:
    page = opened("1_data.py")
    _import_buttons(page)[0].click().run()
    assert "wait until it has arrived" in page.warning[0].value


def test_data__a_sample_becomes_a_dataset(workspace: Path) -> None:
    page = opened("1_data.py")
    next(b for b in page.button if b.label == "Use handwritten digits").click().run()
    assert not page.exception
    assert _dataset(page).value == "digits"
    again = next(b for b in page.button if b.label == "Use handwritten digits")
    again.click().run()
    assert _dataset(page).value == "digits 2"


def test_data__an_unknown_dataset_of_the_address_is_named(pets: Path) -> None:
    page = opened("1_data.py", dataset="gone")
    assert "no dataset gone" in page.warning[0].value
    assert _dataset(page).value == "pets"


def test_data__images_of_the_address_come_first(pets: Path) -> None:
    chosen = library.load("pets").images[5]
    page = opened("1_data.py", dataset="pets", images=chosen.sha256[:12])
    assert not page.exception
    assert page.dataframe[-1].value["file"].tolist() == [chosen.path]
    next(one for one in page.button if one.label == "Show them no longer").click().run()
    assert "images" not in page.query_params


def test_data__many_classes_come_page_by_page(workspace: Path, tmp_path: Path) -> None:
    names = {f"class {number:02}": 2 for number in range(12)}
    importer.import_path(make_pictures(tmp_path / "many", names), "many")
    page = opened("1_data.py")
    assert not page.exception
    shown = [one.value for one in page.markdown if "class" in one.value]
    assert len(shown) == 10
