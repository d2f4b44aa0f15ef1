"""`python -m transfer neighbours`, as the page Predict asks for it."""

from pathlib import Path

import pytest

from tests import jobs_made
from tests.transfer.runs_made import finished_run
from transfer.datasets import library
from transfer.prediction import models, neighbours
from transfer.runs import requests
from transfer.store.runs import Store
from transfer.store.status import JobStatus


@pytest.mark.usefixtures("tiny", "workspace")
def test_neighbours__a_job_after_which_the_nearest_can_be_told(tmp_path: Path) -> None:
    run, _ = finished_run(tmp_path)
    assert neighbours.at_hand(run, models.load(run.id).runner) is None
    request = requests.neighbours(run.id)
    jobs_made.waiting(request)
    assert jobs_made.carry_out(request.kind, request.subject) == 0
    store = Store()
    job = store.find(request.kind, request.subject)
    images = len(library.load("pets").of_split("train"))
    assert job and job.status is JobStatus.COMPLETED
    assert job.result == {"run": run.id, "images": images}
    assert job.progress == {"doing": "look", "done": 0, "of": images}
    assert neighbours.at_hand(run, models.load(run.id).runner) is not None
