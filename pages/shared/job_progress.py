"""A job on a page: its place in the queue, its progress, a way to end it, its end."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st

from pages.shared import session, shell, words
from pages.shared.words import spoken
from transfer.errors import NotFoundError, RunError, TransferError
from transfer.runs import places, queue
from transfer.runs.kinds import GIVES_WAY, KINDS
from transfer.runs.requests import Request
from transfer.runs.shared_reads import OnceAWhile
from transfer.store.record import Job
from transfer.store.status import JobStatus

#: Seconds between two looks at a job that goes on.
LOOK = 1.0
#: Seconds for which the places of all that wait stand: each of thirty people costs two
#: questions to the store.
_OF_LINE = 2.0
#: What is said once a job was cancelled.
KEPT = "Cancelled; what was found until then is kept."
#: What a job does at first that needs Keras.
LOADING = "Loading Keras …"

#: Of a job's progress: the share that is done, 0 to 1, and where it is.
Line = Callable[[dict[str, Any]], tuple[float, str]]


def count_line(doing: str | dict[str, str]) -> Line:
    """The line of a job that tells how many it has done, and of how many.

    Args:
        doing: What is counted, in words as `wording` fills them; of a job with several
            parts, by the name that the job gives to each.
    """

    def line(now: dict[str, Any]) -> tuple[float, str]:
        done, of = now.get("done", 0), now.get("of", 0)
        if not of:
            return 0.0, LOADING
        says = doing if isinstance(doing, str) else doing[now["doing"]]
        says = spoken().fill(says)
        return done / of, f"{says[0].upper()}{says[1:]}: {done:,} of {of:,}"

    return line


def find(request: Request) -> Job | None:
    """The newest job of this request; `None` if it was never asked for."""
    return session.store().find(request.kind, request.subject)


def goes_on(job: Job | None) -> bool:
    """Whether it waits or works."""
    return job is not None and not job.status.is_final


def is_wanted(job: Job | None) -> bool:
    """Whether it goes on because somebody waits for it, so it need not be asked for."""
    if job is None or job.status is JobStatus.QUEUED and job.priority <= GIVES_WAY:
        return False
    return goes_on(job)


def findings(job: Job | None) -> list[dict[str, Any]]:
    """What a job has found so far, of those that tell it piece by piece."""
    return list(job.progress.get("found", [])) if job else []


def ask(request: Request) -> None:
    """Has the work done, and shows the page anew; what stands against it is said."""
    try:
        queue.ask(session.store(), request)
    except TransferError as error:
        shell.show_error(error)
    else:
        st.rerun()


def show(job: Job | None, line: Line, cancelled: str = KEPT, title: str = "") -> None:
    """How a job stands: place, progress and a button to cancel, or what ended it.

    Nothing of one that is done, or was never asked for.

    Args:
        job: As `find` has it.
        line: Of its progress, once it has told any.
        cancelled: What is said once it was cancelled.
        title: What is done, in Markdown; what is done in jobs of its kind by default.
    """
    with st.container():  # what comes and goes: folds that move on the page close
        if job is None or job.status is JobStatus.COMPLETED:
            return
        if not job.status.is_final:
            title = title or KINDS[job.kind].title
            st.fragment(_tick, run_every=LOOK)(job, [job], line, title)
            return
        if job.status is not JobStatus.STOPPED:
            said = {"message": "It failed.", "hint": "", **job.error}
            shell.show_error(RunError(said["message"], said["hint"]))
        with st.container(horizontal=True, vertical_alignment="center"):
            if job.status is JobStatus.STOPPED:
                st.caption(cancelled, width="content")
            _offer_again(job)


def _offer_again(job: Job) -> None:
    command = job.settings.get("words")  # what an early version did is not known
    key, icon = f"again-{job.id}", ":material/replay:"
    if command and st.button("Try again", key=key, icon=icon):
        ask(Request.of(job))


def stays_open(fold: str, job: Job | None) -> bool:
    """Whether a fold is to be open: once its job goes on, and from then on.

    Were it to be so only while the job goes on, it would close over what was found.
    """
    key = f"open-{fold}"
    st.session_state[key] = st.session_state.get(key, False) or goes_on(job)
    return bool(st.session_state[key])


def _tick(shown: Job, fresh: list[Job], line: Line, title: str) -> None:
    """The job as it stands now; where there is more to see, the page is shown anew.

    Args:
        shown: The job as the page has it.
        fresh: It once more, for the first time: what visitors share may be older.
        line: As in `show`.
        title: As in `show`.
    """
    job = fresh.pop() if fresh else _read(shown.id)
    if job is None or job.status.is_final or len(findings(job)) > len(findings(shown)):
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.status is JobStatus.QUEUED:
            st.caption(f":material/schedule: {_place(job, title)}", width="stretch")
        else:
            starting = 0.0, f"{title}: starting …"
            done, text = line(job.progress) if job.progress else starting
            if job.status is JobStatus.STOPPING:
                text = f"{title}: cancelling …"
            st.progress(min(max(done, 0.0), 1.0), text)
        if job.status is not JobStatus.STOPPING and st.button(
            "Cancel", key=f"cancel-{job.id}", icon=":material/close:"
        ):
            with suppress(RunError, NotFoundError):  # it has ended just now
                queue.stop(session.store(), job.id)
            st.rerun()


def _place(job: Job, title: str) -> str:
    """Where a job stands in the queue, and about when it starts."""
    place = line_now().get(job.id)
    return f"{title}: {words.of_place(place) if place else 'about to start'}"


# Twenty visitors who look at the same job read it once.


@st.cache_resource(ttl=600, max_entries=500, show_spinner=False)
def _once_a_while(about: str, seconds: float = LOOK / 2) -> OnceAWhile[Any]:
    return OnceAWhile(seconds)


def _read(job_id: str) -> Job | None:
    def make() -> Job | None:
        with suppress(NotFoundError):
            return session.store().get_job(job_id)
        return None

    job: Job | None = _once_a_while(job_id).get(make)
    return job


def line_now() -> dict[str, places.Place]:
    """The place of each job that waits, of everybody; the same for some moments."""
    line: dict[str, places.Place] = _line().get(
        lambda: places.places(session.whole_store())
    )
    return line


def forget_line() -> None:
    """Has whoever looks next see the line as it is: somebody has changed it here."""
    _line().forget()


def _line() -> OnceAWhile[Any]:
    return _once_a_while("places", _OF_LINE)
