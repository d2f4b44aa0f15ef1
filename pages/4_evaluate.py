"""Evaluate: how well a finished run does, and on which pictures it fails."""

import streamlit as st

from pages.shared import (
    confidence,
    confusions,
    evaluation,
    image_map,
    run_choice,
    session,
    shell,
)
from transfer.datasets import library
from transfer.datasets.revision import Split
from transfer.errors import TransferError
from transfer.runs import evaluations
from transfer.runs.evaluations import Evaluation
from transfer.runs.record import Run

#: In the order in which they are offered; train says how well it learned by heart.
SPLITS: tuple[Split, ...] = ("val", "test", "train")
VIEWS = {
    "Summary": evaluation.show_summary,
    "Confusions": confusions.show,
    "Mistakes": evaluation.show_pictures,
    "Curves": evaluation.show_curves,
    "Confidence": confidence.show,
    "Robustness": evaluation.show_robustness,
    "Map": image_map.show,
}
#: These are computed after all else, so an evaluation may still lack them.
DETAILS = ("Robustness", "Map")


def splits_of(run: Run) -> list[Split]:
    """The splits that can be shown: with images, or evaluated before."""
    stored = [one for one in SPLITS if evaluations.load(run.id, one)]
    try:
        revision = library.load(run.config.dataset, run.config.revision)
    except TransferError:
        st.warning(
            f"The dataset {shell.escaped(run.dataset)} of this run was deleted: its "
            "figures are kept, its pictures are not.",
            icon=":material/delete:",
        )
        return stored
    return [one for one in SPLITS if one in stored or revision.of_split(one)]


def choose_split(run: Run) -> Split | None:
    """The split to show; the address keeps it."""
    splits = splits_of(run)
    if not splits:
        return None
    return st.segmented_control(
        "Images",
        splits,
        default=splits[0],
        required=True,
        help="val chose the best epoch, so it flatters a little; test decided nothing.",
        key="split",
        bind="query-params",
    )


def offer(run: Run, split: Split, label: str) -> None:
    """A button that has the split evaluated by the inference process."""
    if not st.button(label, type="primary", icon=":material/query_stats:"):
        return
    try:
        with st.spinner("Asking the model about every picture; this may take minutes."):
            session.inference().evaluate(run.id, split)
    except TransferError as error:
        shell.show_error(error)
    else:
        st.rerun()


def show(run: Run, found: Evaluation) -> None:
    """The evaluation, one view at a time: all at once would take seconds to draw."""
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="Summary",
        required=True,
        label_visibility="collapsed",
        key="view",
        bind="query-params",
    )
    if view in DETAILS and found.robustness is None:
        st.info(
            "A run that has just ended adds this a little later. It can also be "
            "computed now.",
            icon=":material/hourglass_top:",
        )
        offer(run, found.split, "Compute it now")
    else:
        VIEWS[view](found)


shell.begin_page("Evaluate", "How well a run does, and on which pictures it fails.")
with_model = [run for run in session.store().runs() if run.result.get("class_names")]
if not with_model:
    run_choice.show_none(
        "Once a run has ended, see here how well it does.", ":material/query_stats:"
    )
else:
    run = run_choice.choose(with_model)
    split = choose_split(run)
    stored = evaluations.load(run.id, split) if split else None
    if split is None:
        st.info("There are no images to evaluate this run on.")
    elif stored:
        show(run, stored)
    else:
        st.info(f"This run has not been evaluated on {split} yet.")
        offer(run, split, f"Evaluate on {split}")
