"""A first lesson in four steps, each done where it happens and seen by what is stored.

Nobody says that a step is done: a run of the right kind has ended, or the doctor has
found what there was to find.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from transfer.classroom.lesson_steps import STEPS, Standing, Step, Task
from transfer.datasets import library
from transfer.store.lesson import DONE, SKIPPED
from transfer.store.runs import Store

#: What is kept instead of a step where somebody has put the lesson away.
_AWAY = "away"

#: What a button of the lesson does.
Change = Callable[[Store], None]


class Place(NamedTuple):
    """Where somebody is in the lesson.

    Attributes:
        step: The step that is next; `None` where none is left.
        number: Which it is, from 1.
        task: What to do for it.
        look: What there is to see of the step before, if that was done.
    """

    step: Step | None
    number: int
    task: Task | None
    look: Task | None


def place(store: Store) -> Place | None:
    """Where who sees this store is in the lesson; `None` where it was put away.

    Steps that are found to be done are kept as such.
    """
    who = store.scope.actor.id
    kept = store.lesson.steps(who)
    if _AWAY in kept:
        return None
    now, before = _standing(store), None
    for number, step in enumerate(STEPS, 1):
        if step.name not in kept:
            if task := step.task(now):
                return Place(step, number, task, before and before.seen(now))
            store.lesson.note_step(who, step.name, DONE)
            kept[step.name] = DONE
        before = step if kept[step.name] == DONE else None
    return Place(None, len(STEPS), None, before and before.seen(now))


def skip(store: Store, step: str) -> None:
    """Leaves a step out, until the lesson is taken up again."""
    store.lesson.note_step(store.scope.actor.id, step, SKIPPED)


def put_away(store: Store) -> None:
    """Shows no more of the lesson, until it is taken up again."""
    store.lesson.note_step(store.scope.actor.id, _AWAY, SKIPPED)


def take_up(store: Store) -> None:
    """Goes on with what was left out or put away; what was done stays done."""
    for name, how in store.lesson.steps(store.scope.actor.id).items():
        if how == SKIPPED:
            store.lesson.note_step(store.scope.actor.id, name, "")


def has_more(kept: Mapping[str, str]) -> bool:
    """Whether something was left out or put away, of what is kept of somebody."""
    return SKIPPED in kept.values()


def _standing(store: Store) -> Standing:
    samples, who = store.lesson.samples(), store.scope.actor.id
    names = store.datasets.readable(library.all_names())
    mine = store.holdings.datasets(who) if who else names
    return Standing(
        runs=store.lesson.runs_of(who),
        mine=frozenset(mine),
        datasets={name: samples.get(name, "") for name in names},
        found_shortcut=partial(store.lesson.found_shortcut, who),
    )
