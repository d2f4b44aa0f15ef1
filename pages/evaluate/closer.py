"""One picture or recording of an evaluation, and where the evidence in it is."""

import streamlit as st

from pages.shared import axes, session, shell
from pages.shared.words import spoken
from transfer.datasets import library
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import TransferError
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
            _show_heat(run, sha256, name)


def _show_heat(run: Run, sha256: str, class_name: str) -> None:
    try:
        with st.spinner("Looking for the evidence; the first takes some seconds."):
            png = _explain(run.id, sha256, class_name)
    except TransferError as error:
        shell.show_error(error)
        return
    alt = f"Heat map of {class_name}"
    if isinstance(run.rendering, Spectrogram):
        axes.show(png, run.rendering, alt, library.image_path(sha256))
    else:
        st.image(png, alt=alt, width="stretch")


@st.cache_data(show_spinner=False, max_entries=200)
def _explain(run_id: str, sha256: str, class_name: str) -> bytes:
    session.spend("predict")
    path = library.image_path(sha256)
    return session.inference().explain(run_id, path, class_name)
