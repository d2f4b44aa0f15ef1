"""`predict`: the classes of pictures, by a finished run."""

import argparse
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from transfer import workspace
from transfer.commands.options import Command, add_run
from transfer.datasets import kinds
from transfer.datasets.ingest import loose_pictures
from transfer.datasets.revision import Kind
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import ImageError
from transfer.evaluation import results
from transfer.prediction import answers, recordings
from transfer.prediction.answers import Answer
from transfer.prediction.client import InferenceProcess
from transfer.store.record import Run
from transfer.store.runs import Store


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command(
        "predict", predict, "classify pictures or recordings with a finished run"
    )
    add_run(one)
    one.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a picture or a recording, or a folder or zip of them",
    )
    one.add_argument("--csv", type=Path, metavar="PATH", help="write a table too")


def predict(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The classes of pictures, best first."""
    process = InferenceProcess()
    process.start()  # while this one opens the store and looks for the pictures
    try:
        run = Store().get(args.run)
        if isinstance(run.rendering, Spectrogram):
            return _hear(process, run, run.rendering, args)
        with tempfile.TemporaryDirectory() as folder:
            named = list(_pictures(args.paths, Path(folder)))
            paths = [path for _, path in named]
            said = [*chain(*process.predict_in_pieces(run.id, paths))]
    finally:
        process.close()
    found = []
    for (name, path), one in zip(named, said, strict=True):
        if not isinstance(one, ImageError):
            found.append(Answer(path=name, ranking=one))
        elif path in args.paths:  # asked for by name, so it is no mere leftover
            raise one
        else:
            found.append(Answer(path=name, ranking=[], error=str(one)))
    if args.csv:
        table = answers.to_csv(found, results.threshold(run.id))
        workspace.write_atomically(args.csv, table)
    return answers.to_records(found)


def _hear(
    process: InferenceProcess, run: Run, how: Spectrogram, args: argparse.Namespace
) -> list[dict[str, Any]]:
    """The classes of recordings, and of long ones what is heard when."""
    found: list[dict[str, Any]] = []
    ask = partial(process.predict_each, run.id)
    with tempfile.TemporaryDirectory() as folder:
        for name, path in _pictures(args.paths, Path(folder), "sounds"):
            try:
                heard = recordings.hear(ask, path, how)
            except ImageError as error:
                if path in args.paths:  # asked for by name, so it is no mere leftover
                    raise
                found.append({"path": name, "error": str(error)})
            else:
                found.append(answers.of_recording(name, heard))
    if args.csv:
        workspace.write_atomically(args.csv, answers.segments_to_csv(found))
    return found


def _pictures(
    paths: list[Path], folder: Path, kind: Kind = "images"
) -> Iterator[tuple[str, Path]]:
    """Names and files of the pictures; those of folders and zips one by one."""
    for number, path in enumerate(paths):
        if path.is_dir() or kinds.is_zip(path.name):
            inside = loose_pictures.list_pictures(path, folder / str(number), kind)
            yield from ((str(path / name), file) for name, file in inside)
        else:
            yield str(path), path
