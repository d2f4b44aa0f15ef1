"""What long work can be asked for: its kind, what it is about, and the command.

`queue.ask` makes a job of a request. What the advice on settings and an export need to
know besides lies with them: `advice.candidates`, `advice.depths`, `advice.rates`,
`export.orders`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.revision import Kind
from transfer.store.record import Job

#: What stands before the name of a sample where a path is expected.
SAMPLE = "sample:"


class Request(NamedTuple):
    """A job that may be asked for.

    Attributes:
        kind: Of `kinds.KINDS`.
        subject: What it is about. Nobody does the same kind of work on the same
            subject twice at a time, and a page finds it again by both.
        words: Of our command line; `--job` and the id follow.
        dataset: That it is about: who may see it may see what comes of the job.
        run: The same of a run.
    """

    kind: str
    subject: str
    words: tuple[str, ...]
    dataset: str = ""
    run: str = ""

    @classmethod
    def of(cls, job: Job) -> "Request":
        """What was asked for, of a job that is no run."""
        words = tuple(job.settings.get("words", ()))
        return cls(job.kind, job.subject, words, job.dataset, job.run)


def evaluate(run_id: str, split: str, thorough: bool = False) -> Request:
    """How well a run does on a split; `evaluation.results` has what comes of it.

    Args:
        run_id: A run that has finished.
        split: The images.
        thorough: Try spoilt pictures however long it takes.
    """
    more = ("--thorough",) * thorough
    words = ("evaluate", run_id, "--split", split, *more)
    return Request("evaluate", f"{run_id}-{split}", words, run=run_id)


def neighbours(run_id: str) -> Request:
    """A look at all training images of a run, so that the nearest can be told."""
    return Request("neighbours", run_id, ("neighbours", run_id), run=run_id)


def measure(backbone: str, image_size: int | None = None) -> Request:
    """How fast each engine runs a backbone here; `features.speeds` has it then.

    Args:
        backbone: Name in the catalogue.
        image_size: Height and width in pixels; `None` is the backbone's own.
    """
    size = ("--image-size", str(image_size)) if image_size else ()
    subject = f"{backbone}-{image_size or 'native'}"
    return Request("measure", subject, ("measure", backbone, *size))


def import_(
    path: Path | str,
    name: str,
    *,
    val: float = 0.2,
    test: float = 0.0,
    seed: int = 0,
    reading: Reading = Reading(),  # noqa: B008
    upload: str = "",
    train: bool = False,
    kind: Kind = "images",
    window: float = 0.0,
    overlap: float = 0.0,
    preset: str = "",
) -> Request:
    """A new dataset.

    Args:
        path: A folder or zip, or `sample:NAME`.
        name: What the dataset is to be called.
        val: As in `importer.import_path`, like the next ones.
        upload: The upload that is let go once it is a dataset.
        train: Whether a run with the default settings is queued then.
        kind: What is brought.
        window: Of sounds: seconds of the windows that long recordings are cut into; 0
            cuts none.
        overlap: Of sounds: share of a window that the next one has too, 0 to 0.9.
        preset: Of sounds: one of `presets.PRESETS`; the one that fits if empty.
    """
    # With an equals sign, for names and folders may begin with a dash.
    shares = (f"--val={val}", f"--test={test}", f"--seed={seed}")
    words = ["import", str(path), f"--name={name}", *shares]
    if reading.layout:
        words.append(f"--layout={reading.layout}")
    words += [f"--splits={folder}={role}" for folder, role in reading.splits.items()]
    if reading.code_page:
        words.append(f"--encoding={reading.code_page}")
    if upload:
        words.append(f"--upload={upload}")
    if train:
        words.append("--train")
    if kind != "images":
        words += [f"--kind={kind}", f"--window={window:g}", f"--overlap={overlap:g}"]
    if preset:
        words.append(f"--preset={preset}")
    return Request("import", name, tuple(words))


def add(
    path: Path,
    dataset: str,
    class_name: str,
    by: str,
    upload: str,
    window: float | None = None,
) -> Request:
    """More images of a dataset; one job at a time.

    Args:
        path: A folder, a zip or a picture.
        dataset: Its name.
        class_name: Of all of them; empty where folders or a file of labels say it.
        by: Who asks for it.
        upload: The upload that is let go once they are in the dataset.
        window: Seconds of the windows that these recordings are cut into; 0 cuts none,
            None cuts them as those before.
    """
    cut = () if window is None else (f"--window={window:g}", "--once")
    words = ("add", dataset, str(path), f"--to={class_name}", f"--by={by}")
    return Request("add", dataset, (*words, *cut, f"--upload={upload}"), dataset)


def sort(
    dataset: str, path: Path | None = None, answers: str = "", upload: str = ""
) -> Request:
    """Pictures without labels put beside a dataset, and all of these grouped.

    Args:
        dataset: Its name.
        path: A folder, a zip or a picture; none where they were brought before.
        answers: A file of what a run said of them, see `pile.asked`; none if empty.
        upload: The upload that is let go once they are there.
    """
    words = ["sort", dataset, *([str(path)] if path else [])]
    words += [f"--answers={answers}"] * bool(answers)
    words += [f"--upload={upload}"] * bool(upload)
    return Request("sort", dataset, tuple(words), dataset)


def export_dataset(dataset: str, revision: str, form: str, output: Path) -> Request:
    """A dataset as a zip; one job for each of its revisions and forms.

    Args:
        dataset: Its name.
        revision: Id of the revision.
        form: Of `archive.FORMS`.
        output: Where it is written.
    """
    words = ("dataset-export", dataset, "--revision", revision, f"--form={form}")
    subject = f"{dataset}-{revision}-{form}"
    written = f"--output={output}"
    return Request("dataset-export", subject, (*words, written), dataset)


def download(backbones: Sequence[str]) -> Request:
    """Pretrained weights out of the internet; one job at a time."""
    return Request("download", "weights", ("weights", "fetch", *backbones))


def add_weights(file: Path) -> Request:
    """Pretrained weights out of a file; one job at a time."""
    return Request("download", "file", ("weights", "add", str(file)))
