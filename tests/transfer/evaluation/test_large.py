"""Large arrays lie in files: with the bound set low, all figures are what they were."""

from pathlib import Path

import numpy as np
import pytest

from transfer.datasets import scratch
from transfer.errors import StorageError
from transfer.evaluation import calibration, large, metrics, results
from transfer.evaluation.results import Evaluation
from transfer.store import files


@pytest.fixture
def small(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has a kilobyte is large, and few images are reckoned with at a time."""
    monkeypatch.setattr(large, "_LARGE", 1000)
    monkeypatch.setattr(large, "_PIECE", 7)


def answers(images: int = 60, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Answers that are too sure of themselves, and the right labels."""
    random = np.random.default_rng(0)
    labels = random.integers(0, classes, images)
    logits = random.normal(0, 3, (images, classes))
    logits[np.arange(images), labels] += 2
    powers = np.exp(logits)
    return (powers / powers.sum(1, keepdims=True)).astype(np.float32), labels


def evaluation() -> Evaluation:
    probabilities, labels = answers()
    return Evaluation(
        run="run1",
        split="val",
        class_names=tuple("abcde"),
        sha256=np.array([f"{at:064}" for at in range(60)]),
        paths=np.array([f"{at}.jpg" for at in range(60)]),
        labels=labels,
        probabilities=probabilities,
        temperature=2.0,
        figures=metrics.figures(probabilities, labels),
    )


def test_empty__a_large_array_leaves_no_file(small: None, workspace: Path) -> None:
    found = large.empty((100, 10), np.float32)
    found[:] = 1.0
    assert isinstance(found, np.memmap) and found.sum() == 1000
    assert not [path for path in workspace.rglob("*") if path.is_file()]
    assert not isinstance(large.empty((2, 2), np.float32), np.memmap)


def test_pieces__all_images_have_their_turn(small: None) -> None:
    assert [len(range(20)[one]) for one in large.pieces(20)] == [7, 7, 6]
    assert [len(range(0)[one]) for one in large.pieces(0)] == [0]


def test_by_image__never_more_than_a_piece_stays_in_memory(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[object] = []
    monkeypatch.setattr(scratch, "forget", forgotten.append)
    array = large.empty((20, 30), np.float64)
    array[:] = np.arange(30)
    column = large.by_image(lambda some: some[:, 7], array)
    assert column.tolist() == [7.0] * 20 and not isinstance(column, np.memmap)
    assert len(forgotten) == 3 and all(one is array for one in forgotten)


def test_fill__parts_lie_one_after_the_other_and_no_more(small: None) -> None:
    rows = np.arange(400, dtype=np.float32).reshape(100, 4)
    found = large.fill(90, (rows[at : at + 30] for at in range(0, 100, 30)))
    assert isinstance(found, np.memmap) and (found == rows[:90]).all()
    assert large.fill(0, iter(())).shape == (0, 0)


def test_texts__one_that_is_long_takes_no_memory_for_all(small: None) -> None:
    some = ["a", "b" * 300, "ü" * 7] * 9
    found = large.texts(some)
    assert isinstance(found, np.memmap) and found.tolist() == some
    assert large.texts([]).tolist() == []


def test_save__numpy_reads_what_was_written_whatever_its_order(
    small: None, tmp_path: Path
) -> None:
    arrays = {
        "about": np.array("what it is"),
        "rows": np.arange(60.0).reshape(20, 3),
        "columns": np.arange(60).reshape(3, 20).T,
        "none": np.empty((0, 2), np.float32),
        "names": np.array([f"{at}.jpg" for at in range(9)]),
    }
    with (tmp_path / "all.npz").open("wb") as file:
        large.save(file, arrays)
    with np.load(tmp_path / "all.npz", allow_pickle=False) as found:
        assert sorted(found) == sorted(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype and found[name].shape == array.shape
            assert (found[name] == array).all()


@pytest.mark.parametrize("what", ["figures", "temperature", "scaled", "honest"])
def test_figures__are_the_same_in_pieces(
    what: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probabilities, labels = answers()
    ask = {
        "figures": lambda: metrics.figures(probabilities, labels).to_json(),
        "temperature": lambda: calibration.fit(probabilities, labels),
        "scaled": lambda: calibration.scale(probabilities, 2.0).tolist(),
        "honest": lambda: calibration.scale_honestly(probabilities, labels).tolist(),
    }[what]
    before = ask()
    monkeypatch.setattr(large, "_LARGE", 1000)
    monkeypatch.setattr(large, "_PIECE", 7)
    monkeypatch.setattr(metrics, "_COUNTS", 50)
    assert ask() == before


def test_load__large_answers_stay_in_the_file(small: None) -> None:
    made = evaluation()
    files.evaluation("run1", "val").parent.mkdir(parents=True)
    results.save(made)
    found = results.load("run1", "val")
    assert found is not None
    for name in ("probabilities", "sha256", "paths"):
        own = getattr(found, name)
        assert isinstance(own, np.memmap) and (own == getattr(made, name)).all()
    assert (found.shown == made.shown).all()
    assert (found.scale_some(np.array([3, 1])) == made.shown[[3, 1]]).all()
    # What was opened before stays what it was when the file is written anew.
    results.save(made)
    assert (found.probabilities == made.probabilities).all()


def test_load__a_file_that_is_cut_off_is_as_good_as_none(small: None) -> None:
    files.evaluation("run1", "val").parent.mkdir(parents=True)
    results.save(evaluation())
    path = files.evaluation("run1", "val")
    path.write_bytes(path.read_bytes()[:-200])
    assert results.load("run1", "val") is None


def test_save__leaves_no_half_of_a_file(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    files.evaluation("run1", "val").parent.mkdir(parents=True)
    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", fill_up)
    with pytest.raises(StorageError, match="full"):
        results.save(evaluation())
    assert not [*files.evaluation("run1", "val").parent.iterdir()]
