"""The first lesson, beside the title of each page: what is next, why, and where."""

from pathlib import Path

import streamlit as st

from pages.shared import session
from transfer.classroom import first_lesson
from transfer.classroom.first_lesson import Place
from transfer.classroom.lesson_steps import STEPS, Task

_PAGES = Path(__file__).resolve().parents[1]
_FILES = {
    "data": _PAGES / "1_data.py",
    "model": _PAGES / "2_model.py",
    "runs": _PAGES / "3_runs.py",
    "evaluate": _PAGES / "4_evaluate.py",
}
#: The pages of the work; on others nobody learns.
_ON = {"Data", "Model", "Runs", "Evaluate", "Predict", "Export"}
#: Beside the title, where it pushes nothing of the page out of sight, and above it
#: where the window is too narrow for both.
_STYLE = """<style>
.st-key-lesson { background: rgba(128, 140, 150, 0.13); gap: 0.2rem;
  border-radius: 0.5rem; padding: 0.5rem 0.9rem; }
.st-key-lesson p { font-size: 0.9rem; line-height: 1.4; }
.st-key-lesson [data-testid="stCaptionContainer"] p { font-size: 0.82rem; }
.st-key-page-head:has(.st-key-lesson) { flex-wrap: nowrap; }
.st-key-page-head > :has(> .st-key-lesson) { flex: 0 0 70%; }
@media (max-width: 1000px) {
  .st-key-page-head:has(.st-key-lesson) { flex-direction: column-reverse; }
  .st-key-page-head > :has(> .st-key-lesson) { flex: none; }
}
</style>"""


def show(page: str) -> None:
    """The strip; nothing once the lesson was put away, or for who teaches.

    Args:
        page: Title of the page.
    """
    if page not in _ON or session.teaches():
        return
    if place := first_lesson.place(session.store()):
        with st.container(key="lesson"):
            st.html(_STYLE)
            _show(place, page)


def offer(page: str) -> None:
    """The way back to a lesson that was put away, or of which something was skipped.

    Args:
        page: Title of the page; it stands below the first one alone.
    """
    if page != "Data" or session.teaches():
        return
    kept = session.store().lesson.steps(session.actor().id)
    if first_lesson.has_more(kept):
        st.button(
            "Take up the first lesson",
            icon=":material/school:",
            type="tertiary",
            on_click=lambda: first_lesson.take_up(session.store()),
        )


def _show(place: Place, page: str) -> None:
    # On Model is nothing to look at of what was done, and little room.
    look = place.look if page != "Model" else None
    if look:
        st.caption(f":green[:material/check: Done.] {look.says}")
    step, task = place.step, place.task
    if step and task:
        st.markdown(
            f":material/school: **{place.number} of {len(STEPS)} · {step.title}** "
            f"({step.minutes} min). {task.says}"
        )
        st.caption(step.why)
    else:
        st.markdown(":material/school: **The first lesson is behind you.**")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for one in filter(None, (task, look)):
            _link(one)
        if step:
            _button("Skip this step", lambda store: first_lesson.skip(store, step.name))
        _button("Put the lesson away", first_lesson.put_away)


def _link(task: Task) -> None:
    st.page_link(
        _FILES[task.page],
        label=task.label,
        icon=":material/arrow_forward:",
        query_params=task.query,
    )


def _button(label: str, does: first_lesson.Change) -> None:
    st.button(label, type="tertiary", on_click=lambda: does(session.store()))
