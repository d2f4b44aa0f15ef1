"""`predict`: the classes of pictures, by a finished run."""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO

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
    one.add_argument(
        "--top",
        type=int,
        metavar="N",
        help="tell this many classes of each picture; all if not given, and in the "
        "table always",
    )


def predict(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The classes of pictures, best first."""
    process = InferenceProcess()
    process.start()  # while this one opens the store and looks for the pictures
    try:
        run = Store().get(args.run)
        how = run.rendering
        # Told at the end, for a picture may be broken; until then in a file, a line
        # each: all classes of a million pictures are 18 GB in memory.
        told = tempfile.TemporaryFile("w+", dir=workspace.folder())
        if isinstance(how, Spectrogram):
            records = _hear(process, run, how, args)
        else:
            records = _look(process, run, args)
        for record in records:
            with workspace.writing(workspace.folder()):
                print(json.dumps(record), file=told)
    finally:
        process.close()
    if args.csv and isinstance(how, Spectrogram):
        table = answers.segments_to_csv(_read(told))
        workspace.write_atomically(args.csv, table)
    return _read(told)


def _read(told: TextIO) -> Iterator[dict[str, Any]]:
    """The records that were written, a line each."""
    with workspace.writing(workspace.folder()):
        told.seek(0)  # what was not yet written is now
    return map(json.loads, told)


def _look(
    process: InferenceProcess, run: Run, args: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """The classes of pictures, which go into the table too."""
    with tempfile.TemporaryDirectory() as folder, _table(args.csv, run) as add:
        named = list(_pictures(args.paths, Path(folder)))
        for some in _answers(process, run.id, named, args.paths):
            add(some)
            yield from answers.to_records(some, args.top)


@contextmanager
def _table(path: Path | None, run: Run) -> Iterator[Callable[[Sequence[Answer]], None]]:
    """What takes the answers into the table that is wanted, if one is."""
    if path is None:
        yield lambda some: None
        return
    classes = sorted(run.result.get("class_names", ()))
    with (
        workspace.new_file(path) as file,
        answers.table(file, classes, results.threshold(run.id)) as add,
    ):
        yield add


def _answers(
    process: InferenceProcess,
    run: str,
    named: Sequence[tuple[str, Path]],
    asked: Sequence[Path],
) -> Iterator[list[Answer]]:
    """The answers to pictures, some at a time.

    Raises:
        ImageError: One that was asked for by name, so is no mere leftover, is broken.
    """
    waiting = iter(named)
    for said in process.predict_in_pieces(run, [path for _, path in named]):
        some = []
        for one in said:
            name, path = next(waiting)
            if not isinstance(one, ImageError):
                some.append(Answer(path=name, ranking=one))
            elif path in asked:
                raise one
            else:
                some.append(Answer(path=name, ranking=[], error=str(one)))
        yield some


def _hear(
    process: InferenceProcess, run: Run, how: Spectrogram, args: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """The classes of recordings, and of long ones what is heard when."""
    ask = partial(process.predict_each, run.id)
    with tempfile.TemporaryDirectory() as folder:
        for name, path in _pictures(args.paths, Path(folder), "sounds"):
            try:
                heard = recordings.hear(ask, path, how)
            except ImageError as error:
                if path in args.paths:  # asked for by name, so it is no mere leftover
                    raise
                yield {"path": name, "error": str(error)}
            else:
                yield answers.of_recording(name, heard)


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
