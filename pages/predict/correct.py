"""The answers to a folder, corrected before its pictures teach the dataset."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.shared.words import spoken
from transfer.datasets import library
from transfer.errors import TransferError
from transfer.prediction.answers import Answer, harmless
from transfer.store.record import Run


def show_table(run: Run, thumbnails: Sequence[str], said: Sequence[Answer]) -> None:
    """A table of answers in which each class can be chosen anew.

    Args:
        run: The run that was asked.
        thumbnails: A small picture of each, as an address.
        said: Its answers to the pictures; those that cannot be read are not shown.
    """
    shown = [at for at, one in enumerate(said) if one.ranking]
    # By what is shown, for Streamlit keeps changes by the number of the row.
    key = f"batch-classes-{run.id}-{hash(tuple(said[at].path for at in shown))}"
    # As they were when the table came up: else a change back to these would be none.
    whose, answers = st.session_state.get("batch-before", ("", []))
    if key not in st.session_state or whose != key:
        answers = apply(run, [said[at] for at in shown])
        st.session_state["batch-before"] = key, answers
    # The table can be downloaded, and no spreadsheet is to take a name for a formula.
    named = {harmless(name): name for name in _classes(run, [*said, *answers])}
    column = st.column_config
    table = pd.DataFrame(
        {
            "picture": [thumbnails[at] for at in shown],
            "class": [harmless(one.ranking[0][0]) for one in answers],
            "confidence": [said[at].confidence for at in shown],
            "file": [harmless(one.path) for one in answers],
        }
    )
    edited = st.data_editor(
        table,
        hide_index=True,
        row_height=56,
        height=min(460, 38 + 56 * max(1, len(shown))),
        key=key,
        disabled=["picture", "confidence", "file"],
        alt="Answers, each of which can be corrected",
        column_config={
            "picture": column.ImageColumn(spoken().picture.capitalize(), width=80),
            "class": column.SelectboxColumn(
                "Class", options=[*named], required=True, width="medium"
            ),
            "confidence": column.ProgressColumn(
                "Confidence of the answer", format="percent", min_value=0, max_value=1
            ),
            "file": column.TextColumn("File", width="medium"),
        },
    )
    corrections = _corrections(run)
    for at, name in zip(shown, edited["class"], strict=True):
        if named[name] != said[at].ranking[0][0]:
            corrections[said[at].path] = named[name]
        else:
            corrections.pop(said[at].path, None)


def apply(run: Run, said: Sequence[Answer]) -> list[Answer]:
    """The answers, those that somebody corrected as surely what they were made."""
    corrections = _corrections(run)
    return [
        replace(one, ranking=[(corrections[one.path], 1.0)])
        if one.path in corrections
        else one
        for one in said
    ]


def _corrections(run: Run) -> dict[str, str]:
    """Class by path, as somebody said it."""
    made: dict[str, str] = st.session_state.setdefault(f"batch-corrected-{run.id}", {})
    return made


def _classes(run: Run, said: Sequence[Answer]) -> list[str]:
    """The classes that the run knows, and those of the dataset as it is now."""
    names = {name for one in said for name, _ in one.ranking}
    with suppress(TransferError):
        names |= {*library.load(run.dataset).class_names}
    return sorted(names)
