"""One picture, and beside it what one or two runs say of it, and why."""

import html
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.predict import answers, recordings
from pages.predict.answers import Picture, Said
from pages.shared import (
    amounts,
    axes,
    charts,
    heat_map,
    mending,
    session,
    shell,
    tiles,
)
from pages.shared.words import spoken
from transfer.datasets import editing, library
from transfer.datasets.names import title
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import TransferError
from transfer.prediction.answers import DONT_KNOW
from transfer.store.record import Run

#: Classes shown beside a picture; the others are in a fold.
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class View:
    """What is shown of each picture.

    Attributes:
        runs: One run, or two beside each other.
        threshold: Probability below which no class is an answer, in [0, 1].
        heat: Whether with heat maps.
        nearest: Ids of the runs that tell the nearest training images.
    """

    runs: tuple[Run, ...]
    threshold: float
    heat: bool
    nearest: frozenset[str]


def show(picture: Picture, view: View) -> None:
    """The card of a picture."""
    with st.spinner("Asking the model; the first answer takes some seconds."):
        said = [answers.answer(run, picture) for run in view.runs]
    # Of a picture that cannot be read there is nothing else to say.
    if said[0].error:
        st.error(said[0].error, icon=":material/error:")
        return
    with st.container(border=True):
        alone = len(view.runs) == 1
        widths = [1, 2] if alone else [1, 1.5, 1.5]
        left, *columns = st.columns(widths, gap="medium")
        with left:
            _show_itself(picture, view.runs[0], said[0])
        left.caption(shell.escape(picture.name))
        for run, one, column in zip(view.runs, said, columns, strict=True):
            with column:
                _show_run(picture, run, one, view, alone)
        # Last: on a phone the columns stand below one another, and the answer matters.
        _show_correction(picture, view.runs[0], said[0])


def _show_itself(picture: Picture, run: Run, said: Said) -> None:
    """The picture; of a recording its spectrogram, and a player."""
    how = run.rendering
    if not isinstance(how, Spectrogram):
        st.image(said.thumbnail, alt=picture.name, width="stretch")
        return
    if said.thumbnail and said.heard:
        shown = how if said.is_whole else how.of_all(said.heard.segments[-1].end)
        axes.show(said.thumbnail, shown, picture.name, picture.content)
    try:
        st.audio(picture.read())
    except OSError:  # of an upload that has been let go since it was answered
        st.caption(f"The {spoken().picture} is not on the server any more.")


def _show_run(picture: Picture, run: Run, said: Said, view: View, alone: bool) -> None:
    if not alone:
        st.markdown(f"**{shell.escape(run.name or run.id)}**")
    if said.error:
        st.error(said.error)
        return
    if said.heard and not said.is_whole:
        recordings.show_segments(said.heard)
    # Of a long recording each part has evidence of its own.
    if not view.heat or not said.is_whole:
        _show_classes(said, view.threshold)
    elif alone:
        # The answer first: on a phone the columns stand below one another.
        classes, heat = st.columns([1.2, 1], gap="medium")
        with classes:
            _show_classes(said, view.threshold)
        with heat:
            _show_heat(picture, run, said)
    else:
        _show_classes(said, view.threshold)
        _show_heat(picture, run, said)
    if run.id in view.nearest and said.is_whole:
        _show_nearest(picture, run)


def _show_classes(said: Said, threshold: float) -> None:
    best = said.ranking[0][1]
    if best < threshold:
        st.badge(DONT_KNOW, color="gray")
        st.caption(f"No class reaches {threshold:.0%}.")
    st.html(charts.bars(said.ranking[:SHOWN]))
    if len(said.ranking) > SHOWN:
        with st.expander(f"All {len(said.ranking)} classes"):
            st.html(charts.bars(said.ranking))
    st.caption(f"Answered in {amounts.duration(said.seconds)}")


def _show_heat(picture: Picture, run: Run, said: Said) -> None:
    # The likeliest first, for its evidence is what one looks for.
    names = [name for name, _ in said.ranking]
    is_cropped = run.config.resizing == "crop"
    name = st.selectbox(
        "Where it hears" if said.heard else "Where it sees",
        names,
        key=f"heat-{run.id}-{picture.key}",
        help="Bright places speak for this class (Grad-CAM)."
        + " It does not see what is dark: that is cropped." * is_cropped,
    )
    alt = f"Heat map of {name} on {picture.name}"
    heat_map.show(run, picture.content, picture.key, name, alt)


def _show_nearest(picture: Picture, run: Run) -> None:
    with st.spinner(f"Comparing with the training {spoken().images}."):
        found = answers.nearest(run, picture)
    if found:
        st.caption(
            f"The training {spoken().images} most like this one, and how alike it "
            "finds them"
        )
        st.html(_gallery(found, run))
        mending.link(run.dataset, [one["sha256"] for one in found])


def _gallery(found: Sequence[dict[str, Any]], run: Run) -> str:
    """HTML of a row of pictures with class and likeness."""
    columns = {
        "images": "repeat(5,minmax(0,1fr))",
        # A player that is narrower has no button that plays.
        "sounds": "repeat(auto-fill,minmax(9rem,1fr))",
    }[run.dataset_kind]
    return tiles.row(
        (
            tiles.tile(
                one["sha256"],
                one["path"],
                run,
                f'<span dir="auto">{html.escape(one["class_name"])}</span> '
                + tiles.faint(f"{one['similarity']:.0%}"),
            )
            for one in found
        ),
        columns,
    )


def _show_correction(picture: Picture, run: Run, said: Said) -> None:
    """The way of a picture into the training images of the run's dataset; once it has
    gone, what became of it stands in the button's place.
    """
    key = f"{run.id}-{picture.key}"
    if message := st.session_state.get("corrected", {}).get(key):
        st.success(message, icon=":material/check:")
        return
    if not session.may("change", run.dataset):
        return
    with st.popover("Teach it this one", icon=":material/school:"):
        st.caption(
            f"The {spoken().picture} goes into the dataset "
            f"{shell.escape(title(run.dataset))} as a training {spoken().image} of "
            "the right class. A run that starts after that learns from it."
        )
        # As they are called by now; the answer is but a suggestion.
        names = _classes_now(run, said)
        answer = said.ranking[0][0] if said.ranking else ""
        right = st.selectbox(
            "The right class",
            names,
            index=names.index(answer) if answer in names else None,
            placeholder="Choose the class",
            key=f"class-{key}",
        )
        go = st.button("Add it", type="primary", disabled=not right, key=f"add-{key}")
        if right and go:
            _add(picture, run, right)


def _classes_now(run: Run, said: Said) -> list[str]:
    """The classes of the run's dataset today; the run's own where it is gone."""
    with suppress(TransferError):
        return [*library.load(run.dataset).class_names]
    return sorted(name for name, _ in said.ranking)


def _add(picture: Picture, run: Run, class_name: str) -> None:
    try:
        # The same picture in the same class makes no new revision.
        session.store().datasets.check("change", run.dataset)
        before = library.load(run.dataset).id
        name, content = picture.name, picture.read()
        revision = editing.add(run.dataset, content, class_name, name, session.who())
    except (TransferError, OSError) as error:
        st.error(shell.escape(str(error)), icon=":material/error:")
        return
    said = (
        f"In the dataset as {class_name}; its revision is {revision.id} now. "
        "A new run learns from it."
    )
    if revision.id == before:
        said = f"The dataset has it as {class_name} already."
    done = st.session_state.setdefault("corrected", {})
    done[f"{run.id}-{picture.key}"] = shell.escape(said)
    st.rerun()
