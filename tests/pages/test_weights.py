"""The page Weights: what is here, and who may add to it."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.opened import opened
from transfer.errors import WeightsError
from transfer.prediction.client import InferenceProcess


@pytest.fixture(autouse=True)
def fresh(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace of this test's own, and no ImageNet weights at hand."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("TRANSFER_ADMIN", raising=False)
    st.cache_resource.clear()


def open_page() -> AppTest:
    return opened("7_weights.py")


def test_weights__the_starter_is_here_and_the_others_can_be_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetched = []
    monkeypatch.setattr(InferenceProcess, "fetch", lambda _, name: fetched.append(name))
    at = open_page()
    table = at.dataframe[0].value
    assert table[table["Weights"] == "here"]["Backbone"].tolist() == ["Starter"]
    at.multiselect[0].select("resnet50").run()
    at.button[0].click().run()
    assert fetched == ["resnet50"]


def test_weights__a_refused_file_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_: InferenceProcess, file: Path) -> str:
        raise WeightsError(f"{file.name} is damaged.", "Download it again.")

    monkeypatch.setattr(InferenceProcess, "add", refuse)
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path))
    (tmp_path / "resnet.h5").write_bytes(b"half")
    at = open_page()
    at.text_input[0].set_value(str(tmp_path / "resnet.h5")).run()
    at.button[1].click().run()
    assert "is damaged" in at.error[0].value


def test_weights__only_who_knows_the_word_adds_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSFER_ADMIN", "sesame")
    at = open_page()
    assert not at.button
    at.text_input[0].set_value("open").run()
    assert "not the word" in at.error[0].value
    assert not at.button
    at.text_input[0].set_value("sesame").run()
    assert [one.label for one in at.button] == ["Download", "Add"]
