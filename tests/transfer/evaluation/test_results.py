"""What is kept of evaluations."""

from pathlib import Path

import numpy as np
import pytest

from transfer.evaluation import metrics, results
from transfer.evaluation.intervals import Interval
from transfer.evaluation.results import Evaluation, Robustness
from transfer.store import files


@pytest.mark.parametrize(("kind", "is_kept"), [("hiss", False), ("white noise", True)])
def test_load__sounds_that_were_spoilt_as_pictures_are_tried_again(
    workspace: Path, kind: str, is_kept: bool
) -> None:
    files.of_run("run1").mkdir(parents=True)
    probabilities = np.array([[0.8, 0.2], [0.4, 0.6]], np.float32)
    labels = np.array([0, 1])
    made = Evaluation(
        run="run1",
        split="val",
        class_names=("high", "low"),
        sha256=np.array(["a" * 64, "b" * 64]),
        paths=np.array(["a.wav", "b.wav"]),
        labels=labels,
        probabilities=probabilities,
        temperature=1.0,
        figures=metrics.figures(probabilities, labels),
        robustness=Robustness(accuracy={kind: [(1.0, Interval(0.5, 0.4, 0.6))]}),
    )
    results.save(made)
    found = results.load("run1", "val")
    assert found and (found.robustness is not None) is is_kept
