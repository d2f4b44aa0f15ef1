"""The fold of the page Data in which pictures without labels are sorted."""

from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests import jobs_made, piles_made
from tests.pages.opened import opened
from tests.pictures import make_pictures
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.pile import waiting


@pytest.fixture
def pile(tmp_path: Path, workspace: Path) -> list[str]:
    """Twelve pictures in two groups, of which nothing is known yet."""
    st.cache_resource.clear()
    importer.import_path(make_pictures(tmp_path / "p", {"cat": 2, "dog": 2}), "pets")
    loose = make_pictures(tmp_path / "loose", {"some": 12}, seed=9)
    piles_made.grouped("pets", loose, [(0, 1)] * 7 + [(1, 0)] * 5)
    return [one.sha256 for one in waiting.read("pets").pictures]


def button(at: AppTest, label: str) -> Any:
    return next(one for one in at.button if one.label.startswith(label))


def their_class(at: AppTest) -> Any:
    return [one for one in at.selectbox if one.label == "Their class"][-1]


def test_pile__a_group_is_confirmed_in_one_go_and_comes_in(pile: list[str]) -> None:
    at = opened("1_data.py", dataset="pets")
    assert not at.exception
    assert button(at, "Confirm 7 pictures").disabled
    their_class(at).set_value("cat").run()
    button(at, "Confirm 7 pictures as cat").click().run()
    assert waiting.read("pets").decided == dict.fromkeys(pile[:7], "cat")
    their_class(at).set_value("dog").run()
    button(at, "Confirm 5 pictures as dog").click().run()
    button(at, "Take the last back").click().run()
    # As after a reload: all of it is kept.
    at = opened("1_data.py", dataset="pets")
    button(at, "Bring the 7 into the dataset").click().run()
    assert not at.exception
    assert library.load("pets").says == "Added 7 to cat."
    assert waiting.read("pets").open == pile[7:]


def test_pile__one_that_somebody_else_has_cleared_is_gone(
    pile: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, looks = waiting.read, iter([1])

    def clear_after_a_look(dataset: str) -> waiting.Pile:
        found = read(dataset)
        if next(looks, 0):
            monkeypatch.setattr(waiting, "read", read)
            waiting.clear(dataset)
        return found

    monkeypatch.setattr(waiting, "read", clear_after_a_look)
    at = opened("1_data.py", dataset="pets")
    assert not at.exception and not read("pets").pictures
    assert "Clear it" not in [one.label for one in at.button]


def test_pile__the_least_certain_are_asked_one_by_one(pile: list[str]) -> None:
    waiting.decide("pets", {pile[0]: "cat", pile[7]: "dog"})
    at = opened("1_data.py", dataset="pets")
    at.segmented_control(key="pile-view-pets").set_value("Least certain").run()
    asked = [one for one in at.selectbox if one.key and "pile-single" in one.key]
    assert len(asked) == 8 and {one.value for one in asked} == {"cat", "dog"}
    asked[0].set_value("None of the classes").run()
    button(at, "Confirm these 8").click().run()
    assert not at.exception
    decided = waiting.read("pets").decided
    assert len(decided) == 10 and "" in decided.values()


def test_pile__pictures_of_the_server_are_asked_for(
    pile: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path))
    at = opened("1_data.py", dataset="pets")
    at.text_input(key="pile-path").set_value(str(tmp_path / "loose")).run()
    button(at, "Group them").click().run()
    assert not at.exception
    assert jobs_made.asked_for("sort", "pets") == [
        *("sort", "pets", str(tmp_path / "loose"))
    ]
