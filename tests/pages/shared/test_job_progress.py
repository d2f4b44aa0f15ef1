"""The fold of a job: one look for all kinds, from its place in the queue to its end."""

from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import job_progress
from tests import jobs_made
from tests.patience import PATIENCE
from transfer.runs import requests
from transfer.store.runs import Store
from transfer.store.status import JobStatus

REQUEST = requests.measure("vgg16")
ERROR = {"kind": "RunError", "message": "No memory is left.", "hint": "Close others."}


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store of this test's own workspace."""
    st.cache_resource.clear()


def script() -> None:
    """A page with nothing but a job."""
    import streamlit as st  # noqa: PLC0415  AppTest takes no more than the function

    from pages.shared import job_progress  # noqa: PLC0415
    from transfer.runs import requests  # noqa: PLC0415

    request = requests.measure("vgg16")
    job = job_progress.find(request)
    if st.button("Start", disabled=job_progress.goes_on(job)):
        job_progress.ask(request)
    job_progress.show(job, lambda now: (now["share"], "On the *way*"))
    st.markdown(f"found {len(job_progress.findings(job))}")


def open_page() -> AppTest:
    at = AppTest.from_function(script, default_timeout=PATIENCE).run()
    assert not at.exception
    return at


def said(at: AppTest) -> str:
    """All that the page says of the job."""
    return " ".join(one.value for one in (*at.caption, *at.error))


def press(at: AppTest, label: str) -> AppTest:
    """The page after a click."""
    next(one for one in at.button if one.label == label).click().run()
    assert not at.exception
    return at


def labels(at: AppTest) -> list[str]:
    return [one.label for one in at.button]


def test_show__of_a_job_that_was_never_asked_for_nothing() -> None:
    at = open_page()
    assert (labels(at), said(at)) == (["Start"], "")


def test_ask__the_job_has_a_place_in_the_line_after_a_reload_too() -> None:
    jobs_made.waiting(requests.neighbours("0123abcd"))
    for at in (press(open_page(), "Start"), open_page()):
        assert "Measuring of a backbone: number 2 in the queue" in said(at)
        assert labels(at) == ["Start", "Cancel"]
        assert at.button[0].disabled


def test_show__progress_is_found_again_after_a_reload() -> None:
    jobs_made.working(REQUEST, share=0.42, found=[{}, {}])
    at = open_page()
    bar = at.get("progress")[0].proto
    assert (bar.text, bar.value) == ("On the *way*", 42)
    assert at.markdown[0].value == "found 2"
    assert labels(at) == ["Start", "Cancel"]


def test_show__before_it_has_told_anything() -> None:
    jobs_made.working(REQUEST)
    assert open_page().get("progress")[0].proto.text.endswith("backbone: starting …")


def test_cancel__of_one_that_waits_ends_it() -> None:
    jobs_made.waiting(REQUEST)
    at = press(open_page(), "Cancel")
    assert said(at) == job_progress.KEPT
    assert labels(at) == ["Start", "Try again"]


def test_cancel__of_one_that_works_asks_its_process() -> None:
    job = jobs_made.working(REQUEST, share=0.5)
    at = press(open_page(), "Cancel")
    assert at.get("progress")[0].proto.text.endswith("backbone: cancelling …")
    assert Store().get_job(job.id).status is JobStatus.STOPPING
    assert labels(at) == ["Start"]


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.INTERRUPTED])
def test_show__what_ended_it_how_to_mend_it_and_another_try(status: JobStatus) -> None:
    first = jobs_made.ended(REQUEST, status, error=ERROR)
    at = open_page()
    assert said(at) == "No memory is left\\.\n\nClose others\\."
    press(at, "Try again")
    again = Store().find(REQUEST.kind, REQUEST.subject)
    assert again and again.id != first.id and again.status is JobStatus.QUEUED
    assert again.settings["words"] == list(REQUEST.words)


def test_show__of_one_that_is_done_nothing_but_what_it_found() -> None:
    jobs_made.ended(REQUEST, share=1.0, found=[{}])
    at = open_page()
    assert (labels(at), said(at)) == (["Start"], "")
    assert at.markdown[0].value == "found 1"


def test_read__visitors_who_look_again_and_again_share_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = jobs_made.working(REQUEST, share=0.5)
    monkeypatch.setattr(job_progress, "LOOK", 2.0 * PATIENCE)
    read: list[str] = []
    get_job = Store.get_job

    def count(self: Store, job_id: str) -> Any:
        read.append(job_id)
        return get_job(self, job_id)

    monkeypatch.setattr(Store, "get_job", count)
    seen = [job_progress._read(job.id) for _ in range(20)]
    assert seen[0] and seen[0].progress == {"share": 0.5} and read == [job.id]
