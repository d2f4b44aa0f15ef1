"""Who looks at a page; and what all share: the store and the inference process."""

import time
from contextlib import suppress

import streamlit as st

from transfer.datasets import library, names
from transfer.datasets.revision import Kind, Revision
from transfer.errors import StorageError, TransferError
from transfer.people import auth, looking, pace, rule, sessions
from transfer.people.auth import Mode
from transfer.prediction.client import InferenceProcess
from transfer.store.datasets import Owned
from transfer.store.people import Person
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.scope import Thing

#: Seconds between two notes of somebody who stays at a page.
_SEEN_EVERY = 30.0


@st.cache_resource(show_spinner=False)
def whole_store() -> Store:
    """The runs and all else that is known, of everybody: not for what is shown."""
    # One for all: it may be used from any thread, and each has a pool of connections.
    return Store()


def store() -> Store:
    """What whoever looks at the page may see and change of it, and no more.

    Raises:
        NotAllowedError: Nobody has signed in.
    """
    return looking.look(whole_store(), cookie()).store


def datasets() -> list[Revision]:
    """The newest revision of each dataset that may be seen, sorted by name."""
    # First whose they are: of a class of thirty each would read what all others have.
    return library.list_datasets(store().datasets.readable(library.all_names()))


def dataset_label(name: str) -> str:
    """What a dataset is called here: with its owner's name if it is somebody else's.

    Args:
        name: What it is kept under.
    """
    owner: str | None = names.owner(name)
    if not owner and auth.mode() is not Mode.OPEN:  # it was there before names were so
        owner = _dataset(name).owner
    if not owner or owner == actor().id:
        return names.title(name)
    return f"{names.title(name)} · {name_of(owner)}"


def load(dataset: str, revision: str = "") -> Revision:
    """A revision of a dataset, the newest if none is named.

    Raises:
        NotFoundError: There is none, or it may not be seen.
        StorageError: The manifest cannot be read, or a newer version wrote it.
    """
    store().datasets.check("read", dataset)
    return library.load(dataset, revision)


def kind(dataset: str) -> Kind:
    """What a dataset is made of; pictures where it cannot be read."""
    with suppress(TransferError):
        return load(dataset).kind
    return "images"


def kind_of(run: Run) -> Kind:
    """What a run learns from; of one without a model its dataset says it."""
    if not run.result.get("class_names"):
        with suppress(TransferError):
            return library.load(run.dataset, run.revision).kind
    return run.dataset_kind


def may(action: str, what: str | Thing = "") -> bool:
    """Whether whoever looks at the page may do this.

    Args:
        action: To a thing, of `rule.RULE`; without one, of `rule.OF_SERVER`.
        what: A run, or the name of a dataset.
    """
    if auth.mode() is Mode.OPEN:
        return True
    thing = _dataset(what) if what and isinstance(what, str) else what
    return rule.may(actor(), action, thing or None)


def _dataset(name: str) -> Thing:
    """Whose a dataset is; asked once for all parts of the page."""
    known = looking.look(whole_store(), cookie()).datasets
    if name not in known:  # at first, and of what came since
        known.update(whole_store().datasets.all())
    return known.setdefault(name, Owned(name, None, "private"))


def teaches() -> bool:
    """Whether whoever looks at the page has a class to look after."""
    return auth.mode() is not Mode.OPEN and may("class")


@st.cache_resource(show_spinner=False, on_release=InferenceProcess.close)
def inference() -> InferenceProcess:
    """The process in which Keras lives; it starts when it is first asked."""
    # One for all as well: each would hold Keras and its own copy of models.
    return InferenceProcess()


def spend(what: str, count: int = 1) -> None:
    """Counts what whoever looks at the page asks for.

    Raises:
        TooOftenError: As `pace.spend`.
    """
    pace.spend(whole_store(), what, actor().id, count)


def actor() -> Person:
    """Who looks at the page: the one owner where nobody signs in.

    Raises:
        NotAllowedError: Nobody has signed in.
    """
    return looking.look(whole_store(), cookie()).actor


def owner_in_words(thing: Thing) -> str:
    """Whose a thing is, if somebody else's; empty otherwise, and for nobody's."""
    if thing.owner in (None, actor().id):
        return ""
    return f"of {name_of(thing.owner)}"


def name_of(person_id: str | None) -> str:
    """What somebody is called; of all of them is asked once for a page."""
    known, person_id = looking.look(whole_store(), cookie()).names, person_id or ""
    if person_id not in known:  # at first, and of who came since
        known.update({one.id: one.name for one in whole_store().people.all()})
    gone = "somebody who is gone" if person_id else "nobody here"
    return known.setdefault(person_id, gone)


def note_page(title: str) -> None:
    """Keeps for the instructor at which page whoever looks is."""
    before, at = st.session_state.get("was-at", ("", 0.0))
    now = time.monotonic()
    # A write at each click would keep workers that write waiting.
    if auth.mode() is Mode.OPEN or (before == title and now - at < _SEEN_EVERY):
        return
    st.session_state["was-at"] = title, now
    with suppress(StorageError):  # the page does without it
        whole_store().classroom.see(actor().id, title)


def cookie() -> str:
    """What the browser said of its session when the page was opened."""
    return str(st.context.cookies.get(sessions.COOKIE, ""))


def who() -> str:
    """What who looks at the page is called; empty where nobody signs in."""
    return actor().name
