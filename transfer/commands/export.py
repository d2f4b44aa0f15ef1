"""`export` and `script`: a run as files, and as a program to read."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transfer import workspace
from transfer.export import catalogue, keeping
from transfer.export import script as writer
from transfer.prediction.client import InferenceProcess
from transfer.runs.jobs import Reporter
from transfer.store.record import Run
from transfer.store.runs import Store

#: Loading Keras, and what `bundle.write` tells of.
_STEPS = 6

#: Adds a command: its name, what it does and its help text.
Add = Callable[[str, Callable[..., Any], str], argparse.ArgumentParser]


def add(command: Add) -> None:
    """Adds both commands and their options."""
    one = command("export", export, "write a finished run as files that work alone")
    one.add_argument("run", metavar="RUN", help="id or name")
    one.add_argument("--format", required=True, help=", ".join(catalogue.FORMATS))
    one.add_argument(
        "--quantize",
        default="none",
        help=f"{', '.join(catalogue.QUANTIZATIONS)}; other than none for litert only",
    )
    one.add_argument(
        "--output", required=True, type=Path, metavar="FOLDER", help="a new folder"
    )
    one.add_argument("--zip", action="store_true", help="write FOLDER.zip too")
    one.add_argument("--job", default="", help=argparse.SUPPRESS)
    two = command("script", script, "write a run as a Keras program to read")
    two.add_argument("run", metavar="RUN", help="id or name")
    two.add_argument("--output", required=True, type=Path, metavar="PATH")


def export(args: argparse.Namespace) -> dict[str, Any]:
    """Where the bundle lies, and how far it agrees with the app."""
    reporter, step = Reporter(args.job), 0

    def tell(says: str) -> None:
        nonlocal step
        step += 1
        reporter.progress(step=step, steps=_STEPS, says=says)
        print(says, file=sys.stderr, flush=True)

    with reporter.telling():
        chosen = catalogue.get(args.format, args.quantize)
        run = _run(args.run)
        tell("loading Keras")
        from transfer.export import bundle  # noqa: PLC0415  it loads Keras

        order = bundle.Order(run=run, chosen=chosen, quantize=args.quantize)
        made = bundle.write(order, args.output, zipped=args.zip, tell=tell)
        reporter.done(made)
        return made


def script(args: argparse.Namespace) -> dict[str, Any]:
    """Where the program was written."""
    run = _run(args.run)
    revision = keeping.revision(run)
    structure = None
    if writer.needs_structure(run.config):
        process = InferenceProcess()
        try:
            structure = process.structure(run.config.backbone, run.config.image_size)
        finally:
            process.close()
    text = writer.text(run, revision, structure)
    workspace.write_atomically(args.output, text.encode())
    beside = writer.files_beside(run.config)
    for name, source in beside.items():
        workspace.write_atomically(args.output.with_name(name), source.read_bytes())
    return {
        "run": run.id,
        "output": str(args.output),
        "beside": [str(args.output.with_name(name)) for name in beside],
        "lines": text.count("\n"),
    }


def _run(wanted: str) -> Run:
    store = Store()
    try:
        return store.get(wanted)
    finally:
        store.close()
