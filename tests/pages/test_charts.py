"""The curves of a run, as rows of a chart."""

import pytest

from pages.shared.charts import Curves
from transfer.runs.record import Metric


def _metrics(values: list[tuple[int, int | None, str, float]]) -> list[Metric]:
    return [
        Metric(id=i, phase="head", epoch=epoch, step=step, name=name, value=value)
        for i, (epoch, step, name, value) in enumerate(values, 1)
    ]


def test_frame__an_epoch_that_goes_on_continues_the_curve() -> None:
    curves = Curves()
    steps = [(2, step, "loss", 0.4) for step in (1, 2)]
    curves.add(_metrics([(1, None, "loss", 1.0), *steps]))
    rows = curves.frame("loss", head_epochs=10, steps=4)
    assert list(rows["position"]) == [1.0, 1.25, 1.5]
    # One step in four, then two, are of this epoch; the others are of the last.
    assert list(rows["value"]) == pytest.approx([1.0, 0.85, 0.7])


def test_frame__in_the_first_epoch_it_is_the_mean_until_now() -> None:
    curves = Curves()
    curves.add(_metrics([(1, 1, "loss", 1.0), (1, 2, "loss", 0.5)]))
    rows = curves.frame("loss", head_epochs=10, steps=4)
    assert list(rows["value"]) == pytest.approx([1.0, 0.75])


def test_frame__the_epochs_own_mean_replaces_its_steps() -> None:
    curves = Curves()
    curves.add(_metrics([(1, 1, "loss", 1.0), (1, None, "loss", 0.8)]))
    curves.add(_metrics([(1, None, "val_loss", 0.9)]))
    rows = curves.frame("loss", head_epochs=10, steps=4)
    assert list(zip(rows["split"], rows["value"], strict=True)) == [
        ("train", 0.8),
        ("val", 0.9),
    ]
