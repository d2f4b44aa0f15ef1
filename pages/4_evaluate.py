"""Evaluate: how well a finished run does, and on which pictures it fails."""

import streamlit as st

from pages.evaluate import confidence, confusions, figures, image_map
from pages.shared import job_progress, leaderboard, run_choice, session, shell
from pages.shared.words import spoken
from transfer.datasets import library, names
from transfer.datasets.revision import Split
from transfer.errors import TransferError
from transfer.evaluation import results
from transfer.evaluation.results import Evaluation, Source
from transfer.runs import requests
from transfer.store.record import Run

#: In the order in which they are offered; train says how well it learned by heart.
SPLITS: tuple[Split, ...] = ("val", "test", "train")
VIEWS = {
    "Summary": figures.show_summary,
    "Confusions": confusions.show,
    "Mistakes": figures.show_pictures,
    "Curves": figures.show_curves,
    "Confidence": confidence.show,
    "Robustness": figures.show_robustness,
    "Map": image_map.show,
}


def has_images(run: Run) -> bool:
    """Whether the run's dataset is still there; says so where it is not."""
    try:
        library.load(run.config.dataset, run.config.revision)
    except TransferError:
        st.warning(
            f"The dataset {shell.escape(names.title(run.dataset))} of this run was "
            "deleted; it may still be in the trash, on the page Storage. The figures "
            f"are kept, but of the {spoken().pictures} only those that an export is "
            "checked on, so nothing more can be measured.",
            icon=":material/delete:",
        )
        return False
    return True


def splits_of(run: Run, with_images: bool) -> list[Split]:
    """The splits that can be shown: with images, or evaluated before."""
    # Figures outlive the pictures: what was evaluated before can still be shown.
    stored = [one for one in SPLITS if results.load(run.id, one)]
    if not with_images:
        return stored
    revision = library.load(run.config.dataset, run.config.revision)
    return [one for one in SPLITS if one in stored or revision.of_split(one)]


def choose_split(splits: list[Split]) -> Split | None:
    """The split to show; the address keeps it."""
    if not splits:
        return None
    return st.segmented_control(
        spoken().images.capitalize(),
        splits,
        default=splits[0],
        required=True,
        help="val chose the best epoch, so it flatters a little; test decided nothing.",
        key="split",
        bind="query-params",
    )


def offer(run: Run, split: Source, label: str, thorough: bool = False) -> None:
    """A button that has the split evaluated, and how far that is."""
    request = requests.evaluate(run.id, split, thorough)
    job = job_progress.find(request)
    # What a run has left for idle hours can be had at once.
    if not job_progress.is_wanted(job) and st.button(
        label, type="primary", icon=":material/query_stats:"
    ):
        job_progress.ask(request)
    job_progress.show(job, figures.line, cancelled="Cancelled.")


def show(run: Run, found: Evaluation, with_images: bool) -> None:
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
    tried = found.robustness
    # These two are made some minutes after a run has ended.
    is_lacking = {
        "Robustness": tried is None or bool(tried.skipped),
        "Map": results.load(run.id, "all") is None,
    }
    if not is_lacking.get(view):
        VIEWS[view](found)
    elif not with_images:
        st.info(f"It was not measured while the {spoken().pictures} were there.")
    elif view == "Robustness" and tried:
        st.info(tried.skipped, icon=":material/hourglass_top:")
        offer(run, found.split, "Try it all the same", thorough=True)
    else:
        st.info(
            "A run that has just ended adds this a little later. It can also be "
            "computed now.",
            icon=":material/hourglass_top:",
        )
        offer(run, found.split, "Compute it now")


shell.begin_page("Evaluate", "How well a run does, and where it fails.")
with_model = session.store().summaries(with_model=True)
if not with_model:
    run_choice.show_none(
        "Once a run has ended, see here how well it does.", ":material/query_stats:"
    )
else:
    run = run_choice.choose(with_model)
    leaderboard.offer(run)
    with_images = has_images(run)
    split = choose_split(splits_of(run, with_images))
    stored = results.load(run.id, split) if split else None
    if split is None:
        st.info(f"There are no {spoken().images} to evaluate this run on.")
    elif stored:
        show(run, stored, with_images)
    else:
        st.info(f"This run has not been evaluated on {split} yet.")
        offer(run, split, f"Evaluate on {split}")
