"""The command line: `python -m transfer …`."""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from transfer import workspace
from transfer.commands import (
    backbones,
    backup,
    clean,
    datasets,
    doctor,
    edit,
    enough,
    evaluate,
    export,
    imagenet,
    learning_rate,
    neighbours,
    people,
    predict,
    queue,
    rank,
    runs,
    sort,
    sweep,
    train,
    trash,
    weights,
    worker,
)
from transfer.commands.output import show, tell
from transfer.errors import ConfigError, TransferError
from transfer.store.status import JobStatus

#: Each adds its words; the order is that of the help.
_COMMANDS = (
    *(datasets, sort, edit, doctor, enough, imagenet, backbones, weights, train, runs),
    *(predict, evaluate, rank, sweep, learning_rate, neighbours, export, backup, clean),
    *(trash, people, worker),
    queue,
)


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
    words = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, does: Callable[..., Any] | None, text: str) -> _Parser:
        one = words.add_parser(name, parents=[shared], help=text, description=text)
        one.set_defaults(does=does)
        return one

    for each in _COMMANDS:
        each.add_to(command)
    return top


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
        tell(f"error: {error}")
        return error.exit_status
    show(answer, as_json)
    stopped = isinstance(answer, dict) and answer.get("status") == JobStatus.INTERRUPTED
    return 1 if stopped else 0


if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # who reads it has seen enough, such as `head`
        # Python writes what is left when it ends, and would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)
