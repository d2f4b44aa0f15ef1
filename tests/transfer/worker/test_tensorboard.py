"""Event files, read back as TensorBoard reads them."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from transfer.worker.tensorboard import EventWriter


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values by tag."""
    found: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for one in event.summary.value:
                assert one.metadata.plugin_data.plugin_name == "scalars"
                value = float(tf.make_ndarray(one.tensor))
                found.setdefault(one.tag, []).append((event.step, value))
    return found


def test_event_writer__is_read_back(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path)
    ones = np.ones(3, np.float32)
    writer.steps(np.array([3, 2, 1], np.float32), ones / 2)
    writer.epoch({"loss": 2.0, "val_loss": 1.5, "learning_rate": 1e-3})
    writer.steps(ones, ones)
    writer.close()
    found = read(tmp_path)
    assert found["train/loss"] == [(3, 2.0), (6, 1.0)]
    assert found["train/accuracy"] == [(3, 0.5), (6, 1.0)]
    assert found["epoch/val_loss"] == [(1, 1.5)]
    assert found["epoch/learning_rate"] == [(1, pytest.approx(1e-3))]


def test_event_writer__goes_on_where_a_resumed_run_was(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path, steps=40, epochs=4)
    writer.steps(np.ones(2, np.float32), np.ones(2, np.float32))
    writer.epoch({"loss": 1.0})
    writer.close()
    found = read(tmp_path)
    assert found["train/loss"] == [(42, 1.0)]
    assert found["epoch/loss"] == [(5, 1.0)]


def test_event_writer__a_folder_that_cannot_be_made_ends_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    writer = EventWriter(tmp_path / "file" / "below")
    writer.steps(np.ones(2, np.float32), np.ones(2, np.float32))
    writer.epoch({"loss": 1.0})
    writer.close()
