"""What a worker does ahead of time, while no job waits for it."""

import json
import os
import sys
from contextlib import closing, suppress

from transfer.backbones.quick_import import quickly
from transfer.errors import TransferError
from transfer.store.runs import Store


def wait_for_job() -> list[str]:
    """What this spare worker is given: a module of ours, and what it is called with.

    What takes long is done meanwhile; from then on all output goes to the job's log.
    Empty if whoever started it is gone.
    """
    import_keras()
    build_ahead()
    if not (line := sys.stdin.readline()):
        return []
    path, own, *command = json.loads(line)
    os.environ.update(own)
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    # Native libraries write to these two as well, past Python's own streams.
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    return list(command)


def import_keras() -> None:
    """Imports all that a job needs and that takes seconds."""
    with quickly():
        from transfer.evaluation import evaluator  # noqa: F401, PLC0415
        from transfer.training import train  # noqa: F401, PLC0415


def build_ahead() -> None:
    """Builds the backbone of the newest run: the next one often has the same.

    Only weights that stay what they are: a file may be replaced until then.
    """
    from transfer.training import network  # noqa: PLC0415

    with suppress(TransferError), closing(Store()) as store:
        for run in store.runs(limit=1):
            if run.config.weights in ("imagenet", "random"):
                network.build_ahead(run.config)
