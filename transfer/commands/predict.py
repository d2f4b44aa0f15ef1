"""`predict`: the classes of pictures, by a finished run."""

import argparse
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from transfer import workspace
from transfer.commands.options import Command, add_run
from transfer.datasets import kinds
from transfer.datasets.ingest import loose_pictures
from transfer.errors import ImageError
from transfer.evaluation import results
from transfer.prediction import answers
from transfer.prediction.answers import Answer
from transfer.prediction.client import InferenceProcess
from transfer.store.runs import Store


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command("predict", predict, "classify pictures with a finished run")
    add_run(one)
    one.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a picture, or a folder or zip of pictures",
    )
    one.add_argument("--csv", type=Path, metavar="PATH", help="write a table too")


def predict(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The classes of pictures, best first."""
    process = InferenceProcess()
    process.start()  # while this one opens the store and looks for the pictures
    try:
        run = Store().get(args.run)
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


def _pictures(paths: list[Path], folder: Path) -> Iterator[tuple[str, Path]]:
    """Names and files of the pictures; those of folders and zips one by one."""
    for number, path in enumerate(paths):
        if path.is_dir() or kinds.is_zip(path.name):
            inside = loose_pictures.list_pictures(path, folder / str(number))
            yield from ((str(path / name), file) for name, file in inside)
        else:
            yield str(path), path
