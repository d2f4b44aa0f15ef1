"""Where jobs are done: this machine, or a node of a cluster."""

from dataclasses import dataclass

from transfer import processes


@dataclass(frozen=True, kw_only=True)
class Host:
    """A machine as the queue sees it.

    Attributes:
        name: What it is called in the record of a job.
        cores: That its jobs may have.
        gpus: That they may have; `None` where only its libraries know.
        memory: Bytes for all its jobs; `None` where what is free is measured.
        free_cores: Of the cores, those that nobody holds; `None` where nobody counts.
        free_memory: The same of its memory.
    """

    name: str
    cores: int
    gpus: float | None = None
    memory: float | None = None
    free_cores: float | None = None
    free_memory: float | None = None


def this_machine() -> Host:
    """The machine of this process."""
    return Host(name=processes.this_machine(), cores=processes.cores())
