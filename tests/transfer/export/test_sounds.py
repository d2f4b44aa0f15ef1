"""A run on sounds leaves as a folder that takes sound files to the answer by itself."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.sounds_made import encode, make_sounds, tone
from tests.transfer.export.conftest import SIZE, alone, tiny_model
from transfer import workspace
from transfer.config import TrainConfig
from transfer.datasets import editing, library
from transfer.datasets.ingest.sounds import import_sounds
from transfer.datasets.revision import Revision
from transfer.datasets.sounds import drawing
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import RunError
from transfer.export import bundle, catalogue, parity, programs, script
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

HOW = Spectrogram(8000, 1.0, 0.025, 0.01, 40, 50.0, 4000.0, 50.0)


@pytest.fixture(scope="module")
def heard(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Revision]:
    """A completed run on three classes of notes, with random weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(home))
        folder = make_sounds(
            tmp_path_factory.mktemp("notes"), {"a": 12, "b": 12, "c": 12}
        )
        # So long that it is gone through, and among those that are compared.
        (folder / "a" / "long.wav").write_bytes(encode(tone(230, 2.0)))
        revision = import_sounds(folder, "notes", val=0.5)
        long = next(x for x in revision.images if x.path.endswith("long.wav"))
        revision = editing.move_to_split("notes", [long.sha256], "val")
        assert revision.sound is not None and revision.sound.seconds < 1.0
        store = Store()
        config = TrainConfig(
            dataset="notes",
            revision=revision.id,
            backbone="mobilenet_v2_035",
            weights="random",
            image_size=SIZE,
        )
        run = store.create(config, "my notes")
        store.claim_next("here", {("run",): 9})
        store.begin(run.id)
        tiny_model(cells=(5, 3)).save(workspace.folder("runs", run.id) / "model.keras")
        result = {"class_names": ["a", "b", "c"], "sound": revision.sound}
        ended = store.finish(run.id, JobStatus.COMPLETED, result)
        store.close()
    return ended, revision


@pytest.fixture(scope="module")
def exported(
    home: Path, heard: tuple[Run, Revision], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Its folder in ONNX."""
    folder = tmp_path_factory.mktemp("exported") / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(home))
        chosen = catalogue.get("onnx", "none")
        bundle.write(bundle.Order(run=heard[0], chosen=chosen), folder)
    return folder


def test_hearing__needs_numpy_and_soundfile_alone(tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    for name, text in programs.hearing().items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "note.wav").write_bytes(encode(tone(400, rate=11025), 11025))
    code = (
        "import sys; sys.path.insert(0, '.'); import pathlib\n"
        "from sounds import drawing, segments, windows\n"
        "from sounds.spectrogram import Spectrogram\n"
        f"how = Spectrogram(*{tuple(HOW)})\n"
        "print(int(drawing.draw(pathlib.Path('note.wav'), (32, 32), how).sum()))\n"
        "other = ('transfer', 'PIL', 'scipy', 'sklearn', 'librosa')\n"
        "assert not [one for one in sys.modules if one.split('.')[0] in other]"
    )
    done = alone("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    own = drawing.draw(tmp_path / "note.wav", (32, 32), HOW)
    assert int(done.stdout) == int(own.sum())


def test_write__a_run_on_sounds_is_certified_on_sounds(exported: Path) -> None:
    certificate = json.loads((exported / "parity.json").read_text())
    assert certificate["agrees"] and certificate["largest_difference"] < 1e-4
    golden = sorted((exported / "golden").glob("*.wav"))
    assert golden
    assert "soundfile" in (exported / "requirements.txt").read_text()
    assert "pillow" not in (exported / "requirements.txt").read_text()
    assert not (exported / "pixels").exists()
    done = alone(str(exported / "verify.py"), cwd=exported)
    assert done.returncode == 0, done.stdout + done.stderr


def test_write__the_card_has_the_parameters_and_no_picture(
    exported: Path, heard: tuple[Run, Revision]
) -> None:
    card = (exported / "MODEL_CARD.md").read_text("utf-8")
    assert "log-mel spectrograms" in card and "at 8,000 Hz" in card
    for word in ("picture", "image", "photograph", "Light, camera"):
        assert word not in card.lower(), word
    described = json.loads((exported / "model.json").read_text())
    known = heard[1].sound
    assert known is not None
    assert described["preprocessing"]["spectrogram"] == known._asdict()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "quantize"),
    [
        (one.name, quantize)
        for one in catalogue.FORMATS.values()
        for quantize in one.quantizations
    ],
)
def test_write__every_format_answers_on_real_sounds(
    name: str,
    quantize: str,
    home: Path,
    heard: tuple[Run, Revision],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSFER_HOME", str(home))
    chosen = catalogue.get(name, quantize)
    folder = tmp_path / "bundle"
    bundle.write(bundle.Order(run=heard[0], chosen=chosen), folder)
    certificate = json.loads((folder / "parity.json").read_text())
    assert certificate["agrees"], certificate
    if quantize == "none":
        assert certificate["largest_difference"] < 1e-4
    done = alone(str(folder / "verify.py"), cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_predict__a_long_recording_has_segments(exported: Path, tmp_path: Path) -> None:
    notes = [tone(hertz, 2.0) for hertz in (200, 800)]
    (tmp_path / "long.wav").write_bytes(encode(np.concatenate(notes)))
    done = alone(str(exported / "predict.py"), "--json", "long.wav", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout.splitlines()[-1])["predictions"]
    assert answer["segments"][0]["start"] == 0.0
    assert answer["segments"][-1]["end"] == pytest.approx(4.0, abs=0.3)
    missing = alone(str(exported / "predict.py"), "none.wav", cwd=tmp_path)
    assert missing.returncode == 1 and "none.wav does not exist" in missing.stderr


def test_text__a_run_on_sounds_has_no_program(heard: tuple[Run, Revision]) -> None:
    with pytest.raises(RunError, match="learnt from sounds"):
        script.text(*heard)


def test_exported_answers__are_the_apps_on_other_rates(
    exported: Path, heard: tuple[Run, Revision], tmp_path: Path
) -> None:
    from transfer.prediction import models  # noqa: PLC0415

    paths = []
    for rate in (11025, 44100):
        paths.append(tmp_path / f"{rate}.flac")
        paths[-1].write_bytes(encode(tone(500, rate=rate), rate, "FLAC"))
    own = models.load(heard[0].id).probabilities(list(paths))
    got, _ = parity.exported_answers(exported, paths)
    np.testing.assert_allclose(got, own, atol=1e-4)
    assert library.load("notes").kind == "sounds"
