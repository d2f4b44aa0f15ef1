"""What a worker does ahead of time, while no run waits for it."""

import gc
import os
import sys
from contextlib import closing, suppress

from transfer import workspace
from transfer.errors import TransferError
from transfer.store import files
from transfer.store.runs import Store


def wait_for_run() -> str:
    """The run that this spare worker is given; empty if whoever started it is gone.

    What takes long is done meanwhile; from then on all output goes to the log.
    """
    import_keras()
    build_ahead()
    if run_id := sys.stdin.readline().strip():
        workspace.folder("runs", run_id)
        log = os.open(files.log("run", run_id), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        # Native libraries write to these two as well, past Python's own streams.
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
    return run_id


def import_keras() -> None:
    """Imports all that a run needs and that takes seconds, and sets it apart.

    The garbage collector would look through it again and again: a fifth of the time of
    the import, and 0.2 s in each run.
    """
    if "keras" in sys.modules:
        return
    gc.disable()
    from transfer.evaluation import evaluator  # noqa: F401, PLC0415
    from transfer.training import train  # noqa: F401, PLC0415

    gc.freeze()
    gc.enable()


def build_ahead() -> None:
    """Builds the backbone of the newest run: the next one often has the same.

    Only weights that stay what they are: a file may be replaced until then.
    """
    from transfer.training import network  # noqa: PLC0415

    with suppress(TransferError), closing(Store()) as store:
        for run in store.runs(limit=1):
            if run.config.weights in ("imagenet", "random"):
                network.build_ahead(run.config)
