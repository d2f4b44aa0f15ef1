"""One picture or recording of an evaluation, and where the evidence in it is."""

import streamlit as st

from pages.shared import heat_map, shell
from pages.shared.words import spoken
from transfer.datasets import library
from transfer.evaluation.results import Evaluation
from transfer.store.record import Run

#: That are offered.
_MOST = 60


def show(run: Run, evaluation: Evaluation, positions: list[int]) -> None:
    """A chooser of one of them; its heat map, once it is chosen.

    Args:
        run: The run that was evaluated.
        evaluation: Its answers.
        positions: Of the images in the evaluation, in the order in which they are seen.
    """
    if not positions:
        return
    chosen = st.selectbox(
        f"Where the evidence is in {spoken().an_image}",
        positions[:_MOST],
        index=None,
        format_func=lambda at: str(evaluation.paths[at]),
        placeholder="Choose one of these",
        key=f"closer-{run.id}-{evaluation.split}-{positions[0]}-{len(positions)}",
    )
    if chosen is None:
        return
    names = evaluation.class_names
    truth, said = names[evaluation.labels[chosen]], names[evaluation.predicted[chosen]]
    sha256 = str(evaluation.sha256[chosen])
    for name, column in zip(
        dict.fromkeys((said, truth)), st.columns(2, gap="medium"), strict=False
    ):
        with column:
            st.markdown(f"What speaks for **{shell.escape(name)}**")
            path, alt = library.image_path(sha256), f"Heat map of {name}"
            heat_map.show(run, path, sha256, name, alt)
