"""The steps of the first lesson: when each is done, what to do for it, what to see."""

from collections.abc import Callable
from typing import NamedTuple

from transfer.store.lesson import Trained

#: The sample to begin with, and the one with which something is wrong.
SAMPLE, BIASED = "gearwheels", "tray"


class Task(NamedTuple):
    """What to do next.

    Attributes:
        says: It, in Markdown.
        page: Where: `data`, `model`, `runs` or `evaluate`.
        label: Of the link to it.
        query: What its address says besides.
    """

    says: str
    page: str
    label: str
    query: dict[str, str]


class Step(NamedTuple):
    """A step of the lesson.

    Attributes:
        name: As it is kept.
        title: For people.
        why: What it shows.
        minutes: That it takes.
        task: What is to be done next for it; `None` once it is done.
        seen: What to look at once it is done.
    """

    name: str
    title: str
    why: str
    minutes: int
    task: Callable[["Standing"], Task | None]
    seen: Callable[["Standing"], Task]


class Standing(NamedTuple):
    """What somebody has, as far as the lesson asks.

    Attributes:
        runs: Of theirs, newest first.
        datasets: That they may see, by name: of which sample it was made, empty for
            pictures of somebody's own.
        mine: Names of those that are theirs.
        found_shortcut: Says whether the doctor found a shortcut for them; the last step
            alone asks.
    """

    runs: list[Trained]
    datasets: dict[str, str]
    mine: frozenset[str]
    found_shortcut: Callable[[], bool]

    def of_sample(self, sample: str) -> str:
        """A dataset of that sample; empty if there is none."""
        return next((n for n, one in self.datasets.items() if one == sample), "")

    def own(self) -> str:
        """Pictures of theirs, or that they have trained on, be they handed out; empty
        for none.
        """
        real = [name for name, sample in self.datasets.items() if not sample]
        trained = [run.dataset for run in self.runs if run.dataset in real]
        return next(iter([*trained, *(one for one in real if one in self.mine)]), "")

    def run(self, dataset: str = "", **wanted: str) -> Trained | None:
        """The newest run of these settings."""
        return next(
            (
                one
                for one in self.runs
                if (not dataset or one.dataset == dataset)
                and all(getattr(one, name) == value for name, value in wanted.items())
            ),
            None,
        )


def _wait_or_train(run: Trained | None, says: str, **query: str) -> Task:
    """The run that goes on, to be watched; else the page where to start one."""
    if run and run.status in _GOING_ON:
        waits = "It goes on: watch it, and come back when it has ended."
        return Task(waits, "runs", "Watch it", {"run": run.id})
    return Task(says, "model", "Set up that run", query)


def _instant(now: Standing) -> Task | None:
    run = now.run(method="instant")
    if run and run.status == _COMPLETED:
        return None
    if not now.datasets:
        says = "Bring pictures: under *Samples*, the gearwheels need no internet."
        return Task(says, "data", "Bring a sample", {})
    dataset = now.of_sample(SAMPLE) or next(iter(now.datasets))
    says = "Press *Start training*: the head is computed in one step, within seconds."
    return _wait_or_train(run, says, dataset=dataset, method="instant")


def _see_instant(now: Standing) -> Task:
    run = now.run(method="instant", status=_COMPLETED)
    says = "Look at the pictures that it names wrongly, and at how sure it is of each."
    return Task(says, "evaluate", "See its answers", {"run": run.id} if run else {})


def _source(now: Standing) -> Task | None:
    dataset = now.own()
    if not dataset:
        says = (
            "Under *Import a dataset*, bring pictures of your own, a folder for each "
            "class; twenty of each will do. Or *Begin empty*, and take them by camera."
        )
        return Task(says, "data", "Bring your pictures", {})
    for weights, called in _WEIGHTS.items():
        about = {"weights": weights, "freeze": "all"}
        # Both in steps, so that nothing but the weights differs.
        if not now.run(dataset, status=_COMPLETED, method="train", **about):
            run = now.run(dataset, method="train", **about)
            says = f"Train the head alone on {called}: press *Start training*."
            return _wait_or_train(run, says, dataset=dataset, **about)
    return None


def _see_source(now: Standing) -> Task:
    ids = []
    for weights in _WEIGHTS:
        about = {"weights": weights, "freeze": "all", "method": "train"}
        if run := now.run(now.own(), status=_COMPLETED, **about):
            ids.append(run.id)
    says = (
        "Same pictures, same head, same number of parameters that learn: what differs "
        "is what was learnt before. That is the transfer."
    )
    return Task(says, "runs", "Compare both", {"compare": ",".join(ids)})


def _with_a_block(now: Standing) -> list[Trained]:
    return [one for one in now.runs if one.freeze not in ("all", None)]


def _unfreeze(now: Standing) -> Task | None:
    tuned = _with_a_block(now)
    if any(one.status == _COMPLETED for one in tuned):
        return None
    dataset = now.own() or next(iter(now.datasets), "")
    if not dataset:
        return Task("Bring pictures first.", "data", "Bring pictures", {})
    says = (
        "Let the last block learn too: *Last block* is chosen for you, or click any "
        "block in the drawing. Then press *Start training*."
    )
    run = next(iter(tuned), None)
    return _wait_or_train(run, says, dataset=dataset, freeze="last:1")


def _see_unfrozen(now: Standing) -> Task:
    tuned = _with_a_block(now)
    run = next((one for one in tuned if one.status == _COMPLETED), None)
    says = (
        "Below the curves, open *What moves in the backbone*: frozen blocks are where "
        "they were, and the one that learnt has moved a little."
    )
    return Task(says, "runs", "See what moved", {"run": run.id} if run else {})


def _shortcut(now: Standing) -> Task | None:
    if now.found_shortcut():
        return None
    if biased := now.of_sample(BIASED):
        says = "Have the doctor look at it, and read what it says of shortcuts."
        return Task(says, "data", "To the doctor", {"dataset": biased})
    says = "Under *Import a dataset*, *Samples*, take the gearwheels with a catch."
    return Task(says, "data", "Take that sample", {})


def _see_shortcut(now: Standing) -> Task:
    says = (
        "Press *Shortcuts* in the doctor, and see which table gives the cracked ones "
        "away. A model that learnt it looks good on val and fails elsewhere."
    )
    return Task(says, "data", "Look again", {"dataset": now.of_sample(BIASED)})


_COMPLETED, _GOING_ON = "completed", ("queued", "running", "stopping")
#: In the order in which they are trained.
_WEIGHTS = {
    "imagenet": "what ImageNet has taught the backbone",
    "random": "a backbone of random numbers",
}
STEPS = (
    Step(
        name="instant",
        title="An answer at once",
        why="The backbone saw a million photographs before, and stays as it is: its "
        "features are computed once, and only a small head is new.",
        minutes=3,
        task=_instant,
        seen=_see_instant,
    ),
    Step(
        name="source",
        title="What is transferred",
        why="Parameter sharing: what the source has learnt is kept as it is. With "
        "random numbers in its place you see what it is worth.",
        minutes=7,
        task=_source,
        seen=_see_source,
    ),
    Step(
        name="unfreeze",
        title="A block learns too",
        why="Feature sharing: some parameters stay frozen, the others go on learning "
        "from your pictures, where the old task and yours differ.",
        minutes=6,
        task=_unfreeze,
        seen=_see_unfrozen,
    ),
    Step(
        name="shortcut",
        title="A set with a catch",
        why="A model learns whatever tells the classes apart, be it the table that the "
        "things lie on. Who looks at figures alone never sees it.",
        minutes=4,
        task=_shortcut,
        seen=_see_shortcut,
    ),
)
