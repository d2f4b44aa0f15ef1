"""`worker`: this machine does jobs that a server elsewhere has queued."""

import argparse
import signal
import threading
from contextlib import closing, suppress
from typing import Any

from transfer import processes
from transfer.commands.options import Command
from transfer.commands.output import tell
from transfer.errors import ConfigError
from transfer.runs import machines
from transfer.runs.supervisor import Supervisor
from transfer.store.runs import Store
from transfer.upkeep import logs


def add_to(command: Command) -> None:
    """Adds the word to the command line.

    Args:
        command: Makes the parser of a word: of its name, its function and its help.
    """
    command("worker", worker, "do queued jobs on this machine, until it is stopped")


def worker(_: argparse.Namespace) -> dict[str, Any]:
    """The machine, once it was told to take no more jobs.

    What it has begun goes on, as with a server that is stopped.

    Raises:
        ConfigError: The database is a file, which machines cannot share.
            Or another machine has this one's name.
        StorageError: It cannot be reached.
    """
    logs.set_up()
    with closing(Store()) as store:
        if not store.machines.are_many:
            raise ConfigError(
                "Several machines cannot work at one SQLite file.",
                "Set TRANSFER_DATABASE_URL=postgresql+psycopg://... and TRANSFER_HOME "
                "as they are set for the server.",
            )
        machines.check_name(store)
    ending = threading.Event()
    with suppress(ValueError):  # not the main thread, as in a test
        signal.signal(signal.SIGTERM, lambda *_: ending.set())
    supervisor = Supervisor()
    supervisor.start()
    tell(f"{processes.this_machine()} does jobs of this store; Ctrl-C ends it.")
    try:
        with suppress(KeyboardInterrupt):
            ending.wait()
    finally:
        supervisor.stop()
    return {"machine": processes.this_machine()}
