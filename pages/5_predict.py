"""Predict: what a finished run says of photographs."""

import hashlib
import time
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from pages.shared import amounts, charts, session, shell
from transfer.datasets import images
from transfer.errors import ImageError, TransferError
from transfer.inference import Ranking
from transfer.runs import evaluations
from transfer.runs.record import Run

PAGES = Path(__file__).parent
#: Answers that are kept beyond those on the page, for who goes back to another run.
KEPT = 50
#: Letters of a run's name in the list, so that what follows it is seen.
LONGEST = 50
#: Classes shown beside a picture; the others are in a fold.
SHOWN = 5


class Answer(NamedTuple):
    """What the model said of one picture, or why it could not."""

    thumbnail: bytes = b""
    ranking: Ranking = []  # noqa: RUF012
    seconds: float = 0.0
    error: str = ""


def choose_run(finished: list[Run]) -> Run:
    """The run of the list; the one that the address names is chosen at first."""
    by_id = {run.id: run for run in finished}
    named = st.query_params.get("run", "")
    if named and named not in by_id:
        st.warning(
            f"There is no run {shell.escaped(named)} with a model, so another one is "
            "chosen."
        )
    ids = list(by_id)
    chosen = st.selectbox(
        "Run",
        ids,
        index=ids.index(named) if named in by_id else 0,
        format_func=lambda one: _label(by_id[one]),
        help="Runs that ended with a model, newest first.",
    )
    st.query_params["run"] = chosen
    return by_id[chosen]


def _label(run: Run) -> str:
    accuracy = run.result.get("val_accuracy")
    val = "" if accuracy is None else f" · val accuracy {accuracy:.1%}"
    name = run.name if len(run.name) <= LONGEST else f"{run.name[: LONGEST - 1]}…"
    return f"{name}{val} · {run.id}"


def answer(run: Run, name: str, content: bytes) -> Answer:
    """What the model says of the picture; asked once for the same bytes."""
    answers: dict[str, Answer] = st.session_state.setdefault("answers", {})
    key = f"{run.id}-{hashlib.sha256(content).hexdigest()}"
    if key in answers:
        answers[key] = answers.pop(key)  # the last used stand last
    else:
        try:
            answers[key] = _asked(run, content)
        except ImageError as error:
            answers[key] = Answer(error=shell.escaped(f"{name}: {error}"))
        except TransferError as error:  # may go away, so it is not kept
            return Answer(error=shell.escaped(str(error)))
    return answers[key]


def forget_oldest(shown: int) -> None:
    """Drops the answers that were shown longest ago.

    Args:
        shown: Number of pictures on the page, whose answers stay.
    """
    answers: dict[str, Answer] = st.session_state.get("answers", {})
    for key in list(answers)[: -(shown + KEPT)]:
        del answers[key]


def _asked(run: Run, content: bytes) -> Answer:
    thumbnail = images.encode_thumbnail(content, 512)
    start = time.perf_counter()
    (ranking,) = session.inference().predict(run.id, [content])
    return Answer(thumbnail, ranking, time.perf_counter() - start)


def show(name: str, said: Answer, threshold: float) -> None:
    """The picture, and its ranked classes beside it.

    Args:
        threshold: Probability below which the best class is no answer, 0 to 1.
    """
    if said.error:
        st.error(said.error, icon=":material/broken_image:")
        return
    with st.container(border=True):
        picture, classes = st.columns([1, 2], gap="medium")
        picture.image(said.thumbnail, alt=name, width="stretch")
        picture.caption(shell.escaped(name))
        with classes:
            if said.ranking[0][1] < threshold:
                st.markdown(
                    f"**I don't know.** No class reaches {threshold:.0%}, the "
                    "threshold that was kept on the page Evaluate."
                )
            st.html(charts.bars(said.ranking[:SHOWN]))
            if len(said.ranking) > SHOWN:
                with st.expander(f"All {len(said.ranking)} classes"):
                    st.html(charts.bars(said.ranking))
            st.caption(f"Answered in {amounts.duration(said.seconds)}")


shell.begin_page("Predict")
with_model = [run for run in session.store().runs() if run.result.get("class_names")]
if not with_model:
    st.info(
        "No model yet. Once a run has ended, try it here on photographs that it has "
        "never seen.",
        icon=":material/image_search:",
    )
    st.page_link(
        PAGES / "3_runs.py", label="See the runs", icon=":material/arrow_forward:"
    )
else:
    session.inference().start()  # Keras takes seconds; meanwhile pictures are chosen.
    run = choose_run(with_model)
    files = st.file_uploader(
        "Photographs",
        accept_multiple_files=True,
        key="photographs",
        help="JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF.",
    )
    introduction = st.empty()  # emptied at once, not dimmed until the model answers
    if not files:
        classes = run.result["class_names"]
        some = ", ".join(shell.escaped(name) for name in classes[:8])
        more = f" and {len(classes) - 8} more" if len(classes) > 8 else ""
        introduction.caption(
            f"Drop one or more photographs. This model tells apart: {some}{more}"
        )
    for file in files:
        with st.spinner("Asking the model; the first answer takes some seconds."):
            said = answer(run, file.name, file.getvalue())
        show(file.name, said, evaluations.threshold(run.id))
    forget_oldest(len(files))
