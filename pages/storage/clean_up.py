"""What may go, by rule: listed first, with how much that frees, then gone for good."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.shared import amounts, session, shell, tables
from transfer import workspace
from transfer.errors import TransferError
from transfer.people import usage
from transfer.upkeep import cleaning
from transfer.upkeep.cleaning import Part

#: In the order in which one does well to let things go: what can be made again first.
_CACHES, _TRASH, _UPLOADS = "Caches", "What is in the trash", "Unfinished uploads"
_RUNS, _DATASETS, _ALL = "Old runs", "Unused datasets", "Everything: end of a workshop"
_SAYS = {
    _CACHES: "Features, thumbnails and zips. They are made again when they are needed.",
    _TRASH: "Before its days are over.",
    _UPLOADS: "Files that were sent and became no dataset.",
    _RUNS: "Without tags and notes, and from which no other run was started.",
    _DATASETS: "Not changed for so long, and named by no run.",
    _ALL: "All runs, datasets, uploads, trash and caches of everybody.",
}
#: Lines of the list that are shown.
_SHOWN = 500


def show() -> None:
    """The rules, what goes by the one that is chosen, and a button."""
    st.header("Clean up", anchor=False)
    is_administrator = session.may("folders")
    of_server = {_CACHES, _ALL}
    rules = [one for one in _SAYS if is_administrator or one not in of_server]
    rule = st.selectbox("What may go", rules, index=None, placeholder="Choose a rule")
    if rule is None:
        return
    st.caption(_SAYS[rule])
    try:
        _offer(rule, _parts(rule))
    except TransferError as error:
        shell.show_error(error)


def _parts(rule: str) -> list[Part]:
    store, days = session.store(), 0.0
    if rule in (_RUNS, _DATASETS):
        days = float(st.number_input("Older than so many days", 0, 3650, 90))
    if rule == _ALL:
        also = st.multiselect("And also", ["People and their codes", "The audit log"])
        people, log = ("People" in str(also)), ("log" in str(also))
        return cleaning.everything(store, people, log)
    found: dict[str, Callable[[], list[Part]]] = {
        _CACHES: cleaning.caches,
        _TRASH: lambda: cleaning.in_trash(store),
        _UPLOADS: lambda: cleaning.uploads(store),
        _RUNS: lambda: cleaning.runs(store, days),
        _DATASETS: lambda: cleaning.datasets(store, days),
    }
    return found[rule]()


def _offer(rule: str, parts: Sequence[Part]) -> None:
    if not parts:
        st.info("Nothing goes by this rule.", icon=":material/check:")
        return
    rows = [{"What": one.what, "Size": one.bytes / 1e6} for one in parts[:_SHOWN]]
    size = st.column_config.NumberColumn(format="%.1f MB")
    tables.show(rows, hide_index=True, column_config={"Size": size})
    if len(parts) > _SHOWN:
        st.caption(f"And {len(parts) - _SHOWN:,} more.")
    store = session.store()
    if rule == _ALL and (*store.active(), *store.waiting()):
        st.warning("Something still works or waits. Stop it first, on the page Runs.")
        return
    frees = workspace.amount(sum(one.bytes for one in parts))
    many = "1 thing" if len(parts) == 1 else f"{len(parts):,} things"
    if st.button(
        f"Remove {many} for good, which frees up to {frees}",
        type="primary",
        icon=":material/delete_forever:",
        help="What something else needs as well stays.",
    ):
        cleaning.remove(store, parts)
        st.toast(f"{many.capitalize()} are gone.", icon=":material/check:")
        st.rerun()


def show_people() -> None:
    """What each person takes, for whoever may remove it."""
    everybody = session.whole_store().people.all()
    if not (session.may("folders") and everybody):
        return
    st.header("Who takes how much", anchor=False)
    # Behind a button: the disk is walked for each.
    if not st.toggle("Look at what each has", key="look-at-disk"):
        return
    rows = []
    for person in everybody:
        has = usage.of(session.whole_store(), person.id)
        images = amounts.count(int(has.images))
        rows.append({"Who": person.name, "GB": has.disk / 1e9, "Images": images})
    rows.sort(key=lambda row: -float(str(row["GB"])))
    size = st.column_config.NumberColumn(format="%.2f")
    tables.show(rows, hide_index=True, column_config={"GB": size})
