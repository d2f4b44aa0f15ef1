"""Whether there are images enough, in words and as it is kept."""

from pathlib import Path

import pytest

from tests.pictures import make_pictures
from transfer.advice import enough
from transfer.advice.growth import ClassGrowth, Growth, Point
from transfer.datasets.ingest import importer
from transfer.evaluation.intervals import Interval


def growth(gain: tuple[float, float] = (0.01, 0.029), more: float = 0.9) -> Growth:
    """What twice as many of ten images a class would bring; `dog` needs them most."""
    return Growth(
        images=20,
        points=(
            Point(5.0, Interval(0.8, 0.7, 0.9)),
            Point(8.0, Interval(0.87, 0.82, 0.93)),
        ),
        now=Interval(0.88, 0.83, 0.93),
        twice=Interval(0.9, 0.85, 0.95),
        gain=Interval(sum(gain) / 2, *gain),
        classes=(
            ClassGrowth("cat", 10, 0.9, Interval(0.005, 0.0, 0.015), 1 - more),
            ClassGrowth("dog", 10, 0.86, Interval(0.03, 0.015, 0.05), more),
        ),
    )


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        ((0.01, 0.029), "would bring 1.0 to 2.9 points"),
        ((0.01, 0.041), "would bring 1 to 4 points"),
        ((0.0, 0.02), "would bring up to 2.0 points"),
        ((0.0, 0.004), "Enough: twice as many images would bring less than half"),
    ],
)
def test_in_words__says_what_twice_as_many_bring(
    gain: tuple[float, float], said: str
) -> None:
    assert said in enough.in_words(growth(gain))


def test_in_words__names_classes_only_where_it_is_sure() -> None:
    assert enough.in_words(growth()).endswith("points; the class dog needs them most.")
    unsure = enough.in_words(growth(more=0.6))
    assert unsure.endswith("no class clearly needs them more than the others.")


def test_read__what_was_kept(workspace: Path, tmp_path: Path) -> None:
    make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    revision = importer.import_path(tmp_path / "pets", "pets")
    assert enough.read(revision) is None
    enough.keep(revision, growth())
    assert enough.read(revision) == growth()
    path = next((workspace / "datasets" / "pets" / "enough").iterdir())
    path.write_text('{"images": 3}')
    assert enough.read(revision) is None


def test_in_words__of_sounds() -> None:
    assert "twice as many recordings" in enough.in_words(growth(), "sounds").lower()
