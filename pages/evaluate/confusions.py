"""The confusion matrix of an evaluation; a click on a cell shows its images."""

import numpy as np
import streamlit as st

from pages.evaluate import pictures, plots
from pages.shared import steady_chart
from pages.shared.words import spoken
from transfer.evaluation import metrics
from transfer.evaluation.results import Evaluation

Cell = tuple[int, int]


def show(evaluation: Evaluation) -> None:
    """The matrix, a list of its cells, and the images of the chosen one."""
    with st.container(horizontal=True):
        values = st.segmented_control(
            "Cells", ("Counts", "Shares of the class"), default="Counts", required=True
        )
        order = st.segmented_control(
            "Order of the classes",
            ("By similarity", "By label"),
            default="By similarity",
            required=True,
            help="By similarity, classes that are often confused stand together.",
        )
    labels = list(range(len(evaluation.class_names)))
    if order == "By similarity":
        labels = metrics.similarity_order(evaluation.confusion)
    cells = filled_cells(evaluation)
    key = f"cell-{evaluation.run}-{evaluation.split}"
    if st.session_state.get(key) not in cells:
        st.session_state.pop(key, None)  # evaluated again since
    drawn = plots.confusion(
        evaluation.confusion,
        evaluation.class_names,
        labels,
        values != "Counts",
        cells,
        cells.index(st.session_state.get(key, cells[0])),
    )
    many = len(labels) > plots.MOST_NAMED
    names = " Its classes are named when the pointer is over it." if many else ""
    st.caption(f"Click a cell to see its {spoken().images}.{names}")

    def on_click(_: int, point: int) -> None:
        if point < len(cells):  # else it was evaluated again since
            st.session_state[key] = cells[point]

    alt = "Confusion matrix. The list below holds the same cells."
    steady_chart.show(drawn, f"confusion-{key}", alt, on_click)
    _show_cell(evaluation, cells, key)


def filled_cells(evaluation: Evaluation) -> list[Cell]:
    """The cells with images: first the mistakes, most frequent first, then the hits."""
    matrix = evaluation.confusion
    filled = [(int(i), int(j)) for i, j in zip(*np.nonzero(matrix), strict=True)]
    return sorted(filled, key=lambda cell: (cell[0] == cell[1], -matrix[cell]))


def _show_cell(evaluation: Evaluation, cells: list[Cell], key: str) -> None:
    names, matrix = evaluation.class_names, evaluation.confusion

    def in_words(cell: Cell) -> str:
        truth, predicted = (names[label] for label in cell)
        return f"{truth} → {predicted}: {matrix[cell]:,}"

    chosen = st.selectbox(
        f"Right class → answer: {spoken().images}",
        cells,
        format_func=in_words,
        key=key,
        help="Mistakes first, the most frequent one on top.",
    )
    truth, predicted = chosen
    # Both from the same answers as the matrix, so that the count and the pictures
    # agree.
    here = (evaluation.labels == truth) & (evaluation.predicted == predicted)
    positions = np.flatnonzero(here)
    surest = np.argsort(-evaluation.shown[positions, predicted], kind="stable")
    pictures.show(evaluation, positions[surest].tolist())
