"""The command line: `python -m transfer …`."""

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from transfer import errors, workspace
from transfer.backbones import catalogue, weights
from transfer.commands import evaluate, learning_rate, rank, settings, sweep
from transfer.commands import export as export_commands
from transfer.commands import weights as weights_command
from transfer.datasets import library
from transfer.datasets.ingest import (
    code_pages,
    importer,
    layouts,
    loose_pictures,
    samples,
)
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.revision import Revision
from transfer.errors import ConfigError, ImageError, RunError, TransferError
from transfer.evaluation import results
from transfer.prediction import answers
from transfer.prediction.answers import Answer
from transfer.prediction.client import InferenceProcess
from transfer.processes import Watch
from transfer.runs import continuing, queue
from transfer.store import outcome
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import RunStatus

#: Seconds between two looks at a run that is waited for.
_LOOK = 0.1

#: What stands before the name of a sample where a path is expected.
_SAMPLE = "sample:"


class _Parser(argparse.ArgumentParser):
    """Reports wrong use in the same way as every other error."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[0].upper()}{message[1:]}.", self.format_usage())


def parser() -> argparse.ArgumentParser:
    """The command line's words."""
    shared = _Parser(add_help=False)
    shared.add_argument(
        "--json", action="store_true", help="one JSON object on standard output"
    )
    top = _Parser(prog="python -m transfer", description="Fine-tunes image classifiers")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, does: Callable[..., Any], text: str) -> _Parser:
        one = commands.add_parser(name, parents=[shared], help=text, description=text)
        one.set_defaults(does=does)
        return one

    add = command("import", import_, "make a dataset of a folder or zip")
    add.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="folder or zip, or sample:NAME for one that comes with the program: "
        + ", ".join(samples.SAMPLES),
    )
    add.add_argument("--name", required=True, help="name of the dataset")
    add.add_argument("--val", type=float, default=0.2, help="share of val, 0 to 0.9")
    add.add_argument("--test", type=float, default=0.0, help="share of test, 0 to 0.9")
    add.add_argument("--seed", type=int, default=0, help="seed of the split")
    add.add_argument(
        "--layout",
        choices=layouts.LAYOUTS,
        help="what folders are: classes, splits, or classes with splits inside; found "
        "out if not given",
    )
    add.add_argument(
        "--splits",
        nargs="+",
        default=[],
        metavar="FOLDER=SPLIT",
        help="what folders that stand for splits are: train, val, test or 'left out'",
    )
    add.add_argument(
        "--encoding",
        default="",
        choices=[*code_pages.CODE_PAGES],
        help="code page of names in a zip that does not say it; guessed if not given",
    )
    command("datasets", datasets, "list the datasets")
    command("backbones", backbones, "list the backbones")
    command("runs", runs, "list the runs")
    about = "pretrained weights: what is here, download, add from a file"
    weights_command.add_arguments(
        commands.add_parser("weights", help=about, description=about)
    )
    train_ = command("train", train, "train a classifier")
    settings.add_to(train_)
    train_.add_argument("--name", default="", help="what to call the run")
    _add_detach(train_)
    again = command("resume", resume, "go on with a run from its last checkpoint")
    again.add_argument("run", metavar="RUN", help="id or name")
    _add_detach(again)
    words = command("tag", tag, "name a run, note something about it, tag it")
    words.add_argument("run", metavar="RUN", help="id or name")
    words.add_argument("--name", help="what to call it")
    words.add_argument("--note", help="what to remember about it")
    words.add_argument("--tags", help="words to find it by, with commas between")
    for name, does, text in (
        ("show", show, "show a run"),
        ("stop", stop, "stop a run and keep its best weights"),
        ("delete", delete, "delete a run and its files"),
    ):
        command(name, does, text).add_argument("run", metavar="RUN", help="id or name")
    predict_ = command("predict", predict, "classify pictures with a finished run")
    predict_.add_argument("run", metavar="RUN", help="id or name")
    predict_.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a picture, or a folder or zip of pictures",
    )
    predict_.add_argument("--csv", type=Path, metavar="PATH", help="write a table too")
    evaluate.add_to(command)
    rank.add_to(command)
    sweep.add_to(command)
    learning_rate.add_to(command)
    export_commands.add(command)
    return top


def _add_detach(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--detach", action="store_true", help="do not wait for the run's end"
    )


def import_(args: argparse.Namespace) -> dict[str, Any]:
    """A new dataset."""
    last = 0.0

    def progress(done: int, of: int) -> None:
        nonlocal last
        if done == of or time.monotonic() - last > _LOOK:
            last = time.monotonic()
            _tell(f"\rimported {done} of {of} images", end="")

    options: dict[str, Any] = {
        "val": args.val,
        "test": args.test,
        "seed": args.seed,
        "progress": progress,
    }
    if str(args.path).startswith(_SAMPLE):
        sample = str(args.path).removeprefix(_SAMPLE)
        revision = importer.import_sample(sample, args.name, **options)
    else:
        splits = dict(one.rpartition("=")[::2] for one in args.splits)
        reading = Reading(layout=args.layout, splits=splits, code_page=args.encoding)
        revision = importer.import_path(
            args.path, args.name, reading=reading, **options
        )
    _tell("")
    passed_over = [
        {"path": one.path, "reason": one.reason} for one in revision.passed_over
    ]
    said = {"notes": [*revision.notes], "passed_over": passed_over}
    return {**_summary(revision), **said, "nearly_constant": [*revision.flat]}


def _summary(revision: Revision) -> dict[str, Any]:
    return {
        "dataset": revision.dataset,
        "revision": revision.id,
        "images": len(revision.images),
        "classes": revision.counts(),
        "split": revision.split_source,
    }


def datasets(_: argparse.Namespace) -> dict[str, Any]:
    """All datasets."""
    return {"datasets": [_summary(one) for one in library.list_datasets()]}


def backbones(_: argparse.Namespace) -> dict[str, Any]:
    """The catalogue."""
    return {
        "backbones": [
            {
                "backbone": name,
                "parameters": one.parameters,
                "image_size": one.native_size,
                "imagenet_top_1": one.imagenet_top_1,
                "weights_at_hand": weights.is_at_hand(one),
                "licence": one.licence,
            }
            for name, one in catalogue.BACKBONES.items()
        ]
    }


def runs(_: argparse.Namespace) -> dict[str, Any]:
    """All runs, newest first."""
    store = Store()
    queue.sweep(store)
    return {
        "runs": [
            {
                **_outcome(run),
                "name": run.name,
                "dataset": run.dataset,
                "note": run.note,
                "tags": [*run.tags],
            }
            for run in store.runs()
        ]
    }


def train(args: argparse.Namespace) -> dict[str, Any]:
    """A new run, and what came of it."""
    config = settings.given(args)
    revision = library.load(config.dataset)
    config = config.model_copy(update={"revision": revision.id})
    store = Store()
    continuing.model(store, config, revision)
    return _followed(store, store.create(config, args.name), args.detach)


def resume(args: argparse.Namespace) -> dict[str, Any]:
    """A run that goes on from its last checkpoint, and what came of it."""
    store = Store()
    return _followed(store, queue.resume(store, args.run), args.detach)


def _followed(store: Store, run: Run, detach: bool) -> dict[str, Any]:
    """What came of a queued run, or how it stands if it is not to be waited for."""
    queue.dispatch(store)
    if detach:
        return _outcome(store.get(run.id))
    _tell(f"run {run.id}")
    try:
        ended = _waited(store, run.id)
    except KeyboardInterrupt:
        _tell("\nstopping; the best weights are kept")
        queue.stop(store, run.id)
        ended = _waited(store, run.id)
    if ended.error:
        kind = getattr(errors, ended.error["kind"], RunError)
        raise kind(ended.error["message"], ended.error["hint"])
    return _outcome(ended)


def _waited(store: Store, run_id: str) -> Run:
    """The run once it has ended; starts it when its turn has come."""
    last, watch = "", Watch()
    while not (run := store.get(run_id)).status.is_final:
        line = _progress_line(run)
        if line != last:
            _tell(f"\r{line:<78}", end="")
            last = line
        queue.sweep(store, watch=watch)
        queue.dispatch(store)
        time.sleep(_LOOK)
    _tell("")
    return run


def _progress_line(run: Run) -> str:
    now = run.progress
    parts = [str(run.status), now.get("phase", "")]
    if "epoch" in now:
        parts.append(f"epoch {now['epoch']} of {now['epochs']}")
    if "step" in now:
        parts.append(f"step {now['step']} of {now['steps']}")
    return "  ".join(part for part in parts if part)


def _outcome(run: Run) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "val_accuracy": None,
        "val_balanced_accuracy": None,
        "trainable_parameters": None,
        "frozen_parameters": None,
        "seconds": {},
        "peak_memory_mb": None,
    }
    words = [outcome.beside_headline(run), *outcome.remarks(run)]
    remarks = {"remarks": [one for one in words if one]}
    error = {"error": run.error} if run.error else {}
    status = {"run": run.id, "status": str(run.status)}
    return {**status, **empty, **run.result, **remarks, **error}


def show(args: argparse.Namespace) -> dict[str, Any]:
    """A run with its settings and the values of its epochs."""
    store = Store()
    queue.sweep(store)
    run = store.get(args.run)
    epochs: dict[tuple[str, int], dict[str, float]] = {}
    for metric in store.epoch_metrics(run.id):
        epochs.setdefault((metric.phase, metric.epoch), {})[metric.name] = metric.value
    return {
        **_outcome(run),
        "name": run.name,
        "config": run.config.model_dump(),
        "epochs": [
            {"phase": phase, "epoch": epoch, **values}
            for (phase, epoch), values in epochs.items()
        ],
    }


def tag(args: argparse.Namespace) -> dict[str, Any]:
    """A run with its new name, note and tags."""
    store = Store()
    tags = None if args.tags is None else args.tags.split(",")
    run = store.describe(store.get(args.run).id, args.name, args.note, tags)
    return {"run": run.id, "name": run.name, "note": run.note, "tags": [*run.tags]}


def stop(args: argparse.Namespace) -> dict[str, Any]:
    """A run after the request to stop it."""
    return _outcome(queue.stop(Store(), args.run))


def delete(args: argparse.Namespace) -> dict[str, Any]:
    """The run that was deleted."""
    return {"run": queue.delete(Store(), args.run).id, "status": "deleted"}


def predict(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The classes of pictures, best first."""
    run = Store().get(args.run)
    process = InferenceProcess()
    with tempfile.TemporaryDirectory() as folder:
        named = list(_pictures(args.paths, Path(folder)))
        try:
            said = process.predict_each(run.id, [path for _, path in named])
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
        threshold = results.threshold(run.id)
        table = answers.to_csv(found, threshold)
        workspace.write_atomically(args.csv, table)
    return answers.to_records(found)


def _pictures(paths: list[Path], folder: Path) -> Iterator[tuple[str, Path]]:
    """Names and files of the pictures; those of folders and zips one by one."""
    for number, path in enumerate(paths):
        if path.is_dir() or path.suffix.lower() == ".zip":
            inside = loose_pictures.found(path, folder / str(number))
            yield from ((str(path / name), file) for name, file in inside)
        else:
            yield str(path), path


def _tell(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


def _lines(value: Any, indent: str = "") -> Iterable[str]:
    """The answer as a person reads it."""
    if isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, (dict, list)) and one:
                yield f"{indent}{key}:"
                yield from _lines(one, indent + "  ")
            else:
                yield f"{indent}{key}: {'' if one in (None, {}, []) else one}"
    elif isinstance(value, list):
        for one in value:
            yield from _lines(one, indent)
            yield ""
    else:
        yield f"{indent}{value}"


def main(arguments: list[str]) -> int:
    """The exit status: 0 for success, 1 for a failure, 2 for wrong use."""
    as_json = "--json" in arguments
    workspace.close_to_others()
    try:
        args = parser().parse_args(arguments)
        with contextlib.redirect_stdout(sys.stderr):  # libraries print too
            answer = args.does(args)
    except TransferError as error:
        if as_json:
            record = {"message": error.message, "hint": error.hint}
            print(json.dumps({"error": {"kind": type(error).__name__, **record}}))
        _tell(f"error: {error}")
        return error.exit_status
    print(json.dumps(answer) if as_json else "\n".join(_lines(answer)))
    stopped = isinstance(answer, dict) and answer.get("status") == RunStatus.INTERRUPTED
    return 1 if stopped else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
