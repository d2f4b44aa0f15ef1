"""`export` and `script`: a run as files, and as a program to read."""

import argparse
from pathlib import Path
from typing import Any

from transfer import workspace
from transfer.backbones import structures
from transfer.backbones.freezing import FreezePlan
from transfer.backbones.quick_import import quickly
from transfer.commands import options
from transfer.commands.options import Command
from transfer.commands.output import tell
from transfer.export import catalogue, keeping, orders
from transfer.export import script as writer
from transfer.runs.jobs import Reporter
from transfer.store.record import Run
from transfer.store.runs import Store

#: Loading Keras, and what `bundle.write` tells of.
_STEPS = 6


def add_to(command: Command) -> None:
    """Adds both words to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    one = command("export", export, "write a finished run as files that work alone")
    options.add_run(one)
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
    options.add_job(one)
    two = command("script", script, "write a run as a Keras program to read")
    options.add_run(two)
    two.add_argument("--output", required=True, type=Path, metavar="PATH")


def export(args: argparse.Namespace) -> dict[str, Any]:
    """Where the bundle lies, and how far it agrees with the app."""
    reporter, step = Reporter(args.job), 0

    def report(says: str) -> None:
        nonlocal step
        step += 1
        reporter.progress(step=step, steps=_STEPS, says=says)
        tell(says)

    with reporter.telling():
        chosen = catalogue.get(args.format, args.quantize)
        run = _run(args.run)
        report("loading Keras")
        with quickly():
            from transfer.export import bundle  # noqa: PLC0415  it loads Keras

        if args.job:  # in its place in the workspace an earlier one gives way
            orders.make_room(run.id, chosen.name, args.quantize)
        order = bundle.Order(run=run, chosen=chosen, quantize=args.quantize)
        made = bundle.write(order, args.output, zipped=args.zip, tell=report)
        reporter.finish(made)
        return made


def script(args: argparse.Namespace) -> dict[str, Any]:
    """Where the program was written."""
    run = _run(args.run)
    revision = keeping.revision(run)
    resolved = None
    if writer.needs_structure(run.config):
        structure = structures.read(run.config.backbone, run.config.image_size)
        resolved = FreezePlan.parse(run.config.freeze).resolve(structure)
    text = writer.text(run, revision, resolved)
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
