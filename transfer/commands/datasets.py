"""`import`, `add`, `dataset-export` and `datasets`: how images come, stay and go."""

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from transfer.backbones import weights
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import LOOK, tell
from transfer.config import TrainConfig
from transfer.datasets import archive, library
from transfer.datasets.ingest import (
    adding,
    code_pages,
    importer,
    layouts,
    samples,
    sounds,
    uploads,
)
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.revision import Kind, Revision
from transfer.datasets.sounds import presets
from transfer.datasets.sounds.windows import Cutting
from transfer.errors import ConfigError, LimitError
from transfer.runs import queue
from transfer.runs.jobs import Reporter
from transfer.runs.requests import SAMPLE
from transfer.store.runs import Store

#: Files passed over that a job's result lists.
_LISTED = 200


def add_to(command: Command) -> None:
    """Adds the words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command("import", import_, "make a dataset of a folder or zip")
    one.add_argument(
        "path",
        metavar="PATH",
        help="folder or zip, or sample:NAME for one that comes with the program: "
        + ", ".join(samples.SAMPLES),
    )
    one.add_argument("--name", required=True, help="name of the dataset")
    one.add_argument("--val", type=float, default=0.2, help="share of val, 0 to 0.9")
    one.add_argument("--test", type=float, default=0.0, help="share of test, 0 to 0.9")
    one.add_argument("--seed", type=int, default=0, help="seed of the split")
    one.add_argument(
        "--layout",
        choices=layouts.LAYOUTS,
        help="what folders are: classes, splits, or classes with splits inside; or "
        "labels, if a file says the classes; found out if not given",
    )
    one.add_argument(
        "--splits",
        nargs="+",
        action="extend",
        default=[],
        metavar="FOLDER=SPLIT",
        help="what folders that stand for splits are: train, val, test or 'left out'",
    )
    one.add_argument(
        "--encoding",
        default="",
        choices=[*code_pages.CODE_PAGES],
        help="code page of names in a zip that does not say it; guessed if not given",
    )
    one.add_argument(
        "--kind",
        choices=get_args(Kind),
        default="images",
        help="what is brought: images, or sounds (WAV, FLAC, OGG, MP3)",
    )
    one.add_argument(
        "--window",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="of sounds: cut longer recordings into windows of this length",
    )
    one.add_argument(
        "--overlap",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of sounds: what a window shares with the next, 0 to 0.9",
    )
    one.add_argument(
        "--preset",
        default="",
        choices=[*presets.PRESETS],
        help="of sounds: how they are drawn; chosen by their length if not given",
    )
    one.add_argument("--upload", default="", help=argparse.SUPPRESS)
    one.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    options.add_job(one)
    more = command("add", add, "bring more images into a dataset")
    more.add_argument("name", metavar="NAME", help="the dataset")
    more.add_argument("path", type=Path, metavar="PATH", help="folder, zip or picture")
    more.add_argument(
        "--to", metavar="CLASS", default="", help="of all; else folders or a file say"
    )
    more.add_argument(
        "--window",
        type=float,
        metavar="SECONDS",
        help="of sounds: cut into windows of so long, 0 for not at all; if not given "
        "as those before",
    )
    more.add_argument(
        "--once",
        action="store_true",
        help="of sounds: cut what is added later as before all the same",
    )
    more.add_argument("--by", default=None, help=argparse.SUPPRESS)
    more.add_argument("--upload", default="", help=argparse.SUPPRESS)
    options.add_job(more)
    away = command("dataset-export", export, "take a dataset away as a zip")
    away.add_argument("name", metavar="NAME", help="the dataset")
    away.add_argument(
        "--output", type=Path, required=True, metavar="PATH", help="the zip"
    )
    away.add_argument(
        "--form",
        choices=archive.FORMS,
        default="folders",
        help="folders of splits with class folders inside, or one with a table",
    )
    options.add_revision(away)
    options.add_job(away)
    command("datasets", datasets, "list the datasets")


def import_(args: argparse.Namespace) -> dict[str, Any]:
    """A new dataset."""
    reporter = Reporter(args.job)
    with reporter.telling():
        revision = _import(args, reporter)
        _own(revision, reporter.owner)
        tell("")
        result = {
            **_summary(revision),
            "notes": [*revision.notes],
            "passed_over": [asdict(one) for one in revision.passed_over],
            "nearly_constant": [*revision.flat],
        }
        run = _queue_run(revision, reporter.owner) if args.train else {}
        # A job's result is read again and again; the manifest has the long lists.
        reporter.finish({**_summary(revision), **run})
        if args.upload:
            uploads.discard(args.upload)
        return result


def _own(revision: Revision, owner: str | None) -> None:
    """Notes whose it is; until then, and where nobody is, it is the administrators'."""
    with closing(Store()) as store:
        store.datasets.own(revision.dataset, owner)


def _queue_run(revision: Revision, owner: str | None) -> dict[str, str]:
    """The id of a run of a new dataset, as the page Model would start it."""
    of = {"dataset": revision.dataset, "revision": revision.id}
    config = TrainConfig.of(**of, backbone=weights.default_backbone(revision.kind))
    with closing(Store()) as store:
        try:
            return {"run": queue.submit(store, config, owner=owner).id}
        except LimitError as error:  # what was imported stays all the same
            return {"not_trained": str(error)}


def add(args: argparse.Namespace) -> dict[str, Any]:
    """What came of bringing more images."""
    reporter = Reporter(args.job)
    with reporter.telling():
        by = options.who() if args.by is None else args.by
        progress = _progress(reporter, "checked")
        found = adding.add_path(
            args.path,
            args.name,
            args.to,
            by=by,
            window=args.window,
            once=args.once,
            progress=progress,
            allow=options.allow(args),
        )
        tell("")
        result = {
            **_summary(found.revision),
            "says": found.revision.says if found.added else "Nothing new was in it.",
            "added": found.added,
            "notes": [*found.notes],
            "passed_over": [asdict(one) for one in found.passed_over],
        }
        reporter.finish({**result, "passed_over": result["passed_over"][:_LISTED]})
        if args.upload:
            uploads.discard(args.upload)
        return result


def export(args: argparse.Namespace) -> dict[str, Any]:
    """The zip that was written."""
    reporter = Reporter(args.job)
    with reporter.telling():
        revision = library.load(args.name, args.revision)
        progress = _progress(reporter, "packed")
        path = archive.write(revision, args.output, args.form, progress)
        tell("")
        result = {**_summary(revision), "path": str(path), "bytes": path.stat().st_size}
        reporter.finish(result)
        return result


def _progress(
    reporter: Reporter, did: str, of_what: str = "images"
) -> Callable[[int, int], None]:
    last = 0.0

    def progress(done: int, of: int) -> None:
        nonlocal last
        reporter.progress(done=done, of=of)
        if done == of or time.monotonic() - last > LOOK:
            last = time.monotonic()
            tell(f"\r{did} {done} of {of} {of_what}", end="")

    return progress


def _import(args: argparse.Namespace, reporter: Reporter) -> Revision:
    is_sample = args.path.startswith(SAMPLE)
    sample = args.path.removeprefix(SAMPLE)
    kind: Kind = samples.get(sample).kind if is_sample else args.kind
    how: dict[str, Any] = {
        "val": args.val,
        "test": args.test,
        "seed": args.seed,
        "progress": _progress(
            reporter, "imported", "images" if kind == "images" else "recordings"
        ),
        "allow": options.allow(args, reporter.owner),
    }
    if is_sample:
        of_sounds = kind == "sounds"
        take = sounds.import_sample if of_sounds else importer.import_sample
        return take(sample, args.name, **how)
    splits = dict(one.rpartition("=")[::2] for one in args.splits)
    reading = Reading(layout=args.layout, splits=splits, code_page=args.encoding)
    path = Path(args.path)
    if args.kind == "sounds":
        how |= {"cutting": Cutting(args.window, args.overlap), "preset": args.preset}
        return sounds.import_sounds(path, args.name, reading=reading, **how)
    if args.window or args.overlap or args.preset:
        raise ConfigError(
            "Only sounds have a window, an overlap or a preset.", "Add --kind sounds."
        )
    return importer.import_path(path, args.name, reading=reading, **how)


def datasets(_: argparse.Namespace) -> dict[str, Any]:
    """All datasets."""
    return {"datasets": [_summary(one) for one in library.list_datasets()]}


def _summary(revision: Revision) -> dict[str, Any]:
    sounds_of_it = {"kind": revision.kind} if revision.kind == "sounds" else {}
    return {
        "dataset": revision.dataset,
        "revision": revision.id,
        **sounds_of_it,
        "images": len(revision.images),
        "classes": revision.counts(),
        "split": revision.split_source,
    }
