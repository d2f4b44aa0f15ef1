"""What somebody needs to have work done: asked when it is asked for, and as it begins.

Here and not on the pages, so that it holds for whoever asks in whatever way.
"""

from collections.abc import Sequence
from pathlib import Path

from transfer import workspace
from transfer.config import TrainConfig
from transfer.people import limits, rule
from transfer.runs.kinds import KINDS
from transfer.runs.requests import SAMPLE, Request
from transfer.store.record import RUN, Job, Run
from transfer.store.runs import Store

#: Where the words of a command name what it reads.
_SOURCE_AT = {"import": 1, "add": 2, "sort": 2, "download": 2}
#: Weights that are none of a file.
_NO_FILE = ("imagenet", "random")


def check_request(store: Store, request: Request) -> None:
    """Returns quietly where whoever sees this store may have it done.

    Raises:
        NotFoundError: What it is about may not be seen.
        NotAllowedError: It may be seen, but not changed; or it needs what is of the
            server itself.
    """
    if request.dataset:
        action = "change" if KINDS[request.kind].changes_dataset else "read"
        store.datasets.check(action, request.dataset)
    if request.run:
        store.get_job(request.run)
    if request.kind == "download":
        store.scope.check_server("weights")
    if _reads_server(request):
        store.scope.check_server("folders")


def check_run(store: Store, config: TrainConfig) -> None:
    """The same of a run of these settings.

    Raises:
        NotFoundError: The dataset, or the run to start from, may not be seen.
        NotAllowedError: Its weights are a file of the server.
    """
    store.datasets.check("read", config.dataset)
    if config.start_from:
        store.get(config.start_from)
    if config.weights not in _NO_FILE:
        store.scope.check_server("folders")


def check_room(store: Store, owner: str | None, kind: str = RUN) -> None:
    """Returns quietly where one more job of this kind is within somebody's limits.

    Raises:
        LimitError: It is not.
    """
    images = {"images": 0} if KINDS[kind].brings_images else {}
    limits.require(store, owner, queued=1, hours=0, disk=0, **images)


def check_start(store: Store, job: Job) -> None:
    """Returns quietly where who asked for a job may still have it done.

    Raises:
        NotFoundError, NotAllowedError: They may not: something is no longer shared, or
            they have another role.
    """
    if not job.owner:
        return
    seen = store.view_for(rule.scope(store.people.get(job.owner)))
    if isinstance(job, Run):
        check_run(seen, job.config)
    else:
        check_request(seen, Request.of(job))


def _reads_server(request: Request) -> bool:
    """Whether the command reads files that nobody has brought with a browser."""
    words = request.words
    at = _SOURCE_AT.get(request.kind, len(words))
    is_fetched = words[:2] == ("weights", "fetch")
    sources = () if is_fetched else words[at : at + 1]
    return any(map(_is_of_server, sources)) or _weights(words) not in _NO_FILE


def _is_of_server(source: str) -> bool:
    if source.startswith(("-", SAMPLE)):  # no source at all, or one of the program
        return False
    brought = (workspace.home() / "uploads").resolve()
    return not Path(source).resolve().is_relative_to(brought)


def _weights(words: Sequence[str]) -> str:
    """What the words say of weights; those of ImageNet where they say nothing."""
    for word, after in zip(words, (*words[1:], ""), strict=True):
        name, sign, value = word.partition("=")
        if name == "--weights":
            return value if sign else after
    return _NO_FILE[0]
