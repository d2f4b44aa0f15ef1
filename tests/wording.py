"""Which names are bare participles: `_waited` waits, was waited for, or will be."""

#: Past participles without "ed". Those that are present tense too (read, put,
#: set, run, split, cut, come) name what is done.
IRREGULAR = frozenset(
    """been begun bound broken brought built bought caught chosen done drawn driven
    eaten fallen fed felt forgotten found frozen given gone gotten grown had heard held
    hidden hung kept known laid lain learnt led left lent lit lost made meant met
    overwritten paid proven rebuilt redone redrawn rewritten risen said seen sent shaken
    shown sold sought spent spoilt stolen stood struck stuck swept taken taught thought
    thrown told torn undone understood unfrozen unknown unlearnt unseen withdrawn woken
    won worn written""".split()
)
#: Words in "ed" that are things, or present tense.
OTHER_WORDS = frozenset(
    """bed bleed breed creed deed embed exceed feed greed heed hundred indeed need
    proceed red reed seed shed sled speed succeed supersede weed""".split()
)
#: A participle before one of these is as bare: `_ended_by_force`, `_said_of_names`.
SMALL_WORDS = frozenset(
    """again as away by for from here in instead into of off on out still there to up
    with""".split()
)


def is_bare(name: str) -> bool:
    """Whether a function's name is a past participle, without a thing or a verb."""
    first, *more = name.strip("_").split("_")
    is_participle = first in IRREGULAR or (
        first.endswith("ed") and first not in OTHER_WORDS
    )
    says_no_more = not more or more[0] in SMALL_WORDS
    return is_participle and says_no_more
