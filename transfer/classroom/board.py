"""The leaderboard: who did best on the hidden test set."""

from typing import NamedTuple

from transfer.classroom import hidden
from transfer.evaluation.intervals import Interval
from transfer.store.runs import Store


class Standing(NamedTuple):
    """Somebody's place.

    Attributes:
        rank: 1 for the best; the same for who did as well.
        name: Who.
        person: Their id.
        best: Accuracy of the best of their tries, with its interval.
        called: What the run was called.
        tries: How many runs they have handed in.
    """

    rank: int
    name: str
    person: str
    best: Interval
    called: str
    tries: int


def standings(store: Store) -> list[Standing]:
    """Everybody with a run that was judged, the best first; empty without a test set.

    For everybody who has signed in: it tells of the test set nothing else.
    """
    test_set = hidden.current(store)
    if test_set is None:
        return []
    tries = store.classroom.tries(test_set.revision.id)
    names = {one.id: one.name for one in store.people.all()}
    judged = [
        (Interval(one.accuracy, one.low or 0.0, one.high or 0.0), one)
        for one in tries
        if one.accuracy is not None
    ]
    best: dict[str, Standing] = {}
    # Of two that did as well who came first.
    for found, one in sorted(judged, key=lambda pair: (-pair[0].value, pair[1].at)):
        if one.person not in best:
            above = sum(other.best.value > found.value for other in best.values())
            best[one.person] = Standing(
                rank=above + 1,
                name=names.get(one.person, "–"),
                person=one.person,
                best=found,
                called=one.called,
                tries=sum(other.person == one.person for other in tries),
            )
    return list(best.values())
