"""Predict: what a finished run says of photographs or recordings, and why."""

import streamlit as st

from pages.predict import (
    answers,
    card,
    folder,
    photographs,
    recordings,
    training_images,
    untrained,
)
from pages.predict.answers import Picture
from pages.predict.card import View
from pages.shared import run_choice, session, shell, words
from pages.shared.words import spoken
from transfer.evaluation import certainty, results
from transfer.prediction import answers as told
from transfer.store.record import Run
from transfer.store.summaries import Summary

#: Up to this number of pictures each has a card of its own; more stand in a table.
CARDS = 12


def choose_other(run: Run, finished: list[Summary]) -> list[Run]:
    """The run to compare with, if any: it answers the same pictures."""
    # A run beside itself would say everything twice.
    # Nor can one that learnt from sounds say anything of a picture.
    others = [
        one
        for one in finished
        if one.id != run.id and one.dataset_kind == run.dataset_kind
    ]
    said = run_choice.labels(others)
    chosen = st.selectbox(
        "Compare with",
        list(said),
        index=None,
        placeholder="Another run",
        format_func=said.__getitem__,
        disabled=not others,
        key="other-run",
        help=f"Two runs beside each other on the same {spoken().picture}.",
    )
    return [session.store().get(chosen)] if chosen in said else []


def choose_threshold(run: Run) -> float:
    """The probability below which the answer is *I don't know*."""
    return st.slider(
        "“I don't know” below",
        *(0.0, 1.0, results.threshold(run.id), 0.01, "percent"),
        key=f"unsure-below-{run.id}",
        help="Probability that the best class must reach.",
    )


def choose_view(finished: list[Summary]) -> View:
    """Runs, threshold, and what is shown of each picture.

    All but the run are folded away: on a phone they would push the answers out of view.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = run_choice.choose(finished)
        session.inference().warm(run.id)  # meanwhile pictures are chosen
        with st.popover("Settings", icon=":material/tune:"):
            others = choose_other(run, finished)
            threshold = choose_threshold(run)
            heat = st.toggle("Heat map", value=True, key="with-heat")
            near = st.toggle(
                f"Nearest training {spoken().images}", value=True, key="with-nearest"
            )
    runs = (run, *others)
    nearest = frozenset(one.id for one in runs if near)
    return View(runs=runs, threshold=threshold, heat=heat, nearest=nearest)


def introduce(run: Run) -> None:
    """What to do, and what the model knows."""
    classes = run.result["class_names"]
    some = ", ".join(shell.escape(words.cut(name)) for name in classes[:8])
    more = f" and {len(classes) - 8} more" if len(classes) > 8 else ""
    st.caption(
        f"Bring one {spoken().photograph}, many, or a whole folder. This model tells "
        f"apart: {some}{more}"
    )
    if certainty.is_little(run):
        st.warning(shell.escape(certainty.in_words(run)), icon=":material/help:")


def offer_segments(run: Run, sounds: list[Picture]) -> None:
    """The table of what is heard when, in all recordings on the page."""
    said = [(one.name, answers.answer(run, one).heard) for one in sounds]
    if found := [told.of_recording(name, heard) for name, heard in said if heard]:
        recordings.offer_table(found, run.id)


shell.begin_page("Predict", "What a run says of what it has never seen, and why.")
with_model = session.store().summaries(with_model=True)
if not with_model:
    run_choice.show_none(
        "Once a run has ended, try it here on photographs that it has never seen.",
        ":material/image_search:",
    )
    untrained.show()
else:
    view = choose_view(with_model)
    pictures = photographs.choose(view.runs[0].dataset_kind)
    if not pictures:
        introduce(view.runs[0])
    else:
        view = training_images.with_neighbours(view)
        if len(pictures) > CARDS:
            folder.show(pictures, view)
        else:
            distinct = [*{one.key: one for one in pictures}.values()]
            for picture in distinct:
                card.show(picture, view)
            offer_segments(view.runs[0], distinct)
    # Pictures and heat maps are held in memory as long as the visit lasts.
    answers.forget_oldest(len(view.runs) * min(len(pictures), CARDS))
