"""Choosers and lists of runs: they read only what they show."""

from pathlib import Path

import pytest
import streamlit as st

from tests.pages.opened import opened
from transfer.config import TrainConfig
from transfer.store.runs import Store
from transfer.store.status import JobStatus


@pytest.mark.parametrize("file", ["3_runs.py", "4_evaluate.py", "6_export.py"])
def test_pages__read_no_run_whole_but_the_chosen_one(
    file: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    st.cache_resource.clear()
    store = Store()
    store.create(TrainConfig(dataset="flowers"), "first")
    store.create(TrainConfig(dataset="flowers"), "second")
    for _ in range(2):
        run = store.claim_next("here", {("run",): 9})
        assert run
        store.finish(run.id, JobStatus.COMPLETED, {"class_names": ["daisy", "rose"]})

    def read_all(*_: object) -> None:
        raise AssertionError("all of every run is read")

    monkeypatch.setattr(Store, "runs", read_all)
    at = opened(file)
    assert not at.exception and not at.error
    said = [*(at.selectbox[0].options if at.selectbox else [])]
    said += [one.proto.label for one in at.get("page_link")]
    assert {"first", "second"} <= {one.partition(" · ")[0] for one in said}
