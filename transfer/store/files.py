"""The files of a run and of any other job: each is named here and nowhere else."""

from pathlib import Path

from transfer import workspace
from transfer.datasets import library

#: The folder of a run with its exports.
EXPORTS = "exports"

# No function here makes a folder: a page that looks for a file of a run which was
# deleted must not bring its folder back.


def of_run(run_id: str) -> Path:
    """The folder of a run; it may not be there yet."""
    return workspace.home() / "runs" / run_id


def of_job(kind: str, job_id: str) -> Path:
    """The folder of a job of any kind; it may not be there yet."""
    return of_run(job_id) if kind == "run" else all_jobs() / job_id


def all_jobs() -> Path:
    """The folder with a folder for each job that is no run."""
    return workspace.home() / "jobs"


def in_trash(kind: str, trash_id: str) -> Path:
    """Where what was deleted lies; of a run only while its files are removed."""
    return workspace.home() / "trash" / kind / trash_id


def log(kind: str, job_id: str) -> Path:
    """The file that takes all output of a job's process."""
    return of_job(kind, job_id) / "log.txt"


def last_word(kind: str, job_id: str) -> Path:
    """Where a process says why it ended, if it cannot write to the store."""
    return of_job(kind, job_id) / "last_word.json"


def events(run_id: str) -> Path:
    """The folder of the run's event files, which TensorBoard reads."""
    return of_run(run_id) / "tensorboard"


def checkpoint(run_id: str) -> Path:
    """What a run that is resumed goes on from."""
    return of_run(run_id) / "checkpoint.npz"


def model(run_id: str) -> Path:
    """The whole model that the run has made."""
    return of_run(run_id) / "model.keras"


def runner(run_id: str) -> Path:
    """What runs that model without Keras."""
    return of_run(run_id) / "runner.npz"


def watch_file(run_id: str) -> Path:
    """What a run shows while it learns."""
    return of_run(run_id) / "watched.json"


def evaluation(run_id: str, split: str) -> Path:
    """What the model said of every image of a split."""
    return of_run(run_id) / f"evaluation-{split}.npz"


def threshold(run_id: str) -> Path:
    """The confidence below which the model's answer is "I don't know"."""
    return of_run(run_id) / "threshold.json"


def neighbours(run_id: str) -> Path:
    """Where the training images lie as the model sees them."""
    return of_run(run_id) / "neighbours.npz"


def exports(run_id: str) -> Path:
    """The folder of all exports of a run."""
    return of_run(run_id) / EXPORTS


def export(run_id: str, name: str, quantize: str) -> Path:
    """The folder of one export of the run."""
    return exports(run_id) / f"{name}-{quantize}"


def manifest(run_id: str) -> Path:
    """The revision that it learnt from, for when its dataset is deleted."""
    return of_run(run_id) / "dataset.json.gz"


def kept_images(run_id: str) -> Path:
    """Hashes of the images that stay for the run when its dataset is deleted."""
    return of_run(run_id) / library.KEPT


def model_findings(run_id: str) -> list[Path]:
    """Files and folders that say something of the run's model, and of no other."""
    folder = of_run(run_id)
    # Not what it shows of its training, nor the images that it keeps.
    about = [neighbours, threshold, runner]
    names = ("evaluation-*.npz", EXPORTS, *(one(run_id).name for one in about))
    return [path for name in names for path in folder.glob(name)]
