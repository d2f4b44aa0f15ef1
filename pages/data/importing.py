"""How images become a dataset: brought by upload or found on the server, then named."""

import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.data import empty, kind_choice, understood
from pages.shared import job_progress, session, shell, uploader, words
from pages.shared.words import spoken
from transfer.datasets import library, names, splits, wording
from transfer.datasets.ingest import allowed_folders, samples
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.revision import Kind, Revision
from transfer.errors import NameTakenError, TransferError
from transfer.runs import queue, requests
from transfer.store.record import Job
from transfer.store.runs import Store
from transfer.store.status import JobStatus

RUNS = Path(__file__).parents[1] / "3_runs.py"


def has_source() -> bool:
    """Whether something was brought that is no dataset yet."""
    is_asked_for = "import" in st.query_params or "import" in st.session_state
    has_path = bool(st.session_state.get(_path_key()))
    return uploader.has_arrived() or has_path or is_asked_for


class _Split(NamedTuple):
    """Shares of val and test, and the seed of the split."""

    val: float = 0.2
    test: float = 0.0
    seed: int = 0


def show_progress() -> Revision | None:
    """How far the imports are that go on; the dataset that was asked for, once made."""
    wanted = st.query_params.get("import") or st.session_state.get("import", "")
    for one in _going_on(session.store()):
        if one.subject != wanted:
            _show(one)
    job = session.store().find("import", wanted) if wanted else None
    if job is None:
        return None
    if job.status is JobStatus.COMPLETED:
        return _take(job)
    if job.status.is_final:
        uploader.take_back()
        st.session_state.pop("import", None)  # on another page it is old news
    shell.scroll_here(f"import-{job.id}")
    _show(job)
    return None


def _going_on(store: Store) -> list[Job]:
    """The imports that wait or work."""
    unfinished = (*store.active(), *store.waiting())
    return [one for one in unfinished if one.kind == "import"]


def _show(job: Job) -> None:
    title = f"Import of {shell.escape(names.title(job.subject))}"
    of_sounds = "--kind=sounds" in job.settings.get("words", ())
    what = wording.WORDS["sounds" if of_sounds else "images"].images
    gone = f"{title} was cancelled; nothing of it is kept."
    job_progress.show(job, partial(_line, title, what), gone, title)


def _line(title: str, what: str, now: dict[str, Any]) -> tuple[float, str]:
    """The share that is done, and where an import is."""
    done, of = now["done"], now["of"]
    return done / max(of, 1), f"{title}: checked {done:,} of {of:,} {what}"


def _take(job: Job) -> Revision | None:
    """The dataset that was made; the page is ready for the next one."""
    st.query_params.pop("import", None)
    st.session_state.pop("import", None)
    uploader.let_go()
    st.session_state["server-imports"] = _server_imports() + 1
    with suppress(TransferError):  # it was deleted since
        made = session.load(job.subject)
        if run := job.result.get("run"):
            # What came in is then told when this page is opened next.
            st.session_state["came-in"] = made
            st.switch_page(RUNS, query_params={"run": run})
        if why := job.result.get("not_trained"):
            st.toast(shell.escape(f"No run was begun. {why}"), icon=":material/info:")
        return made
    return None


def show_import() -> Revision | None:
    """The ways to bring images; a dataset that was begun without any."""
    kind = kind_choice.ask()
    words.speak_of(kind)
    titles = ["Upload", "Begin empty", "Samples"]
    titles[1:1] = ["Folder on this server"] if session.may("folders") else []
    titles += ["Public sets"] if kind == "images" else []
    tabs = dict(zip(titles, st.tabs(titles), strict=True))
    with tabs["Upload"]:
        arrival = uploader.folder_upload(kind=kind)
        if arrival:
            _show_form(arrival.source, arrival.name, "upload", kind, arrival.upload)
        else:
            _show_form(None, "", "upload", kind)
    if server := tabs.get("Folder on this server"):
        with server:
            _show_server(kind)
    with tabs["Samples"]:
        show_samples("tab", kind)
    if public := tabs.get("Public sets"):
        with public:
            _show_public_sets()
    with tabs["Begin empty"]:
        return empty.ask(kind)


def show_samples(key: str, kind: Kind = "images") -> None:
    """The samples, each with a button that makes a dataset of it."""
    every = [one for one in samples.SAMPLES.values() if one.kind == kind]
    if not every:
        st.caption(f"There is no sample of {spoken().images}.")
        return
    for one, place in zip(every, st.columns(len(every)), strict=True):
        with place.container(border=True):
            st.markdown(f"**{one.title}**  \n{shell.escape(one.about)}")
            if st.button(f"Use {one.title.lower()}", key=f"{one.name}-{key}"):
                _ask(f"sample:{one.name}", _free_name(one.name), kind=kind)


def _free_name(name: str) -> str:
    """The name, with a number where it is taken."""
    taken = {one.title for one in session.datasets()}
    taken |= {names.title(one.subject) for one in _going_on(session.store())}
    numbers = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return next(one for one in [name, *numbers] if one not in taken)


def _ask(
    source: Path | str,
    name: str,
    split: _Split = _Split(),  # noqa: B008
    reading: Reading = Reading(),  # noqa: B008
    upload: str = "",
    **how: Any,
) -> None:
    """Has it imported; what stands against it is said, and nothing is done."""
    val, test, seed = split
    shares: dict[str, Any] = {"val": val, "test": test, "seed": seed}
    try:
        kept = session.store().datasets.new(name)
        request = requests.import_(
            source, kept, **shares, reading=reading, upload=upload, **how
        )
        splits.check_shares(val, test, seed)
        if job_progress.goes_on(job_progress.find(request)):
            raise NameTakenError(
                f'"{name}" is being imported already.', "Choose another name."
            )
        queue.ask(session.store(), request)
    except TransferError as error:
        shell.show_error(error)
        return
    # In the address for a reload, in the session for whoever turns to another page.
    st.query_params["import"] = st.session_state["import"] = kept
    if upload:
        uploader.hand_over()
    st.rerun()


def _show_public_sets() -> None:
    """Where there is internet: what to download, then to upload here."""
    st.caption("Download one of these with your browser, then bring it under Upload.")
    for one in samples.PUBLIC_SETS:
        st.markdown(f"[{one.title}]({one.url}): {shell.escape(one.about)}")


def _show_server(kind: Kind) -> None:
    text = st.text_input(
        "Path of a folder or zip on the server",
        key=_path_key(),
        help="Below " + " or ".join(f"`{root}`" for root in allowed_folders.roots()),
    )
    source, called = None, ""
    if text:
        try:
            source = allowed_folders.resolve(text)
            called = source.name if source.is_dir() else source.stem
        except TransferError as error:
            shell.show_error(error)
    _show_form(source, called, "server", kind)


def _path_key() -> str:
    """Of the field for the path, which is a new and empty one after each import."""
    return f"server-path-{_server_imports()}"


def _server_imports() -> int:
    return int(st.session_state.get("server-imports", 0))


def _show_form(
    source: Path | None, called: str, key: str, kind: Kind, upload: str = ""
) -> None:
    """What was understood, name and split of a new dataset; imports it when asked."""
    called = _allowed_name(called)
    reading, found = Reading(), None
    if source:
        reading, found = understood.show(source, key, kind)
    with st.form(f"import-{key}", border=False):
        # Above the button, which is in view when it is pressed.
        place = st.container()
        columns = st.columns([6, 3, 3, 3], vertical_alignment="bottom")
        name = columns[0].text_input(
            "Name of the dataset",
            max_chars=library.MAX_NAME_LENGTH,
            placeholder=called,
            help="Without one it is named like the folder or zip.",
            key=f"name-{key}",
        )
        split = _split_choices(columns[1:4], key)
        drawn = kind_choice.ask_how(key) if kind == "sounds" else {}
        with st.container(horizontal=True):
            imports = st.form_submit_button("Import", type="primary")
            trains = st.form_submit_button(
                "Import and train",
                icon=":material/play_arrow:",
                help="Once it is a dataset, a model is trained as the page Model "
                "proposes it.",
            )
    if found:
        understood.show_counts(found, kind)
    if not imports and not trains:
        return
    with place:
        st.session_state["presses"] = presses = st.session_state.get("presses", 0) + 1
        shell.scroll_here(f"import-{presses}")
        if source is None:
            st.warning("Choose a folder or a zip first, and wait until it has arrived.")
        elif found is None:
            st.warning("It cannot be imported as it is; above it says why.")
            understood.forget(source)
        else:
            understood.forget(source)
            how = {"train": trains, "kind": kind, **drawn}
            _ask(source, name.strip() or called, split, reading, upload, **how)


def _allowed_name(called: str) -> str:
    """What `library.check_name` would take of a folder's name."""
    signs = (
        one if one in " -_." or unicodedata.category(one)[0] in "LMN" else "-"
        for one in called
    )
    return "".join(signs)[: library.MAX_NAME_LENGTH].lstrip(" .").rstrip()


def _split_choices(columns: Sequence[DeltaGenerator], key: str) -> _Split:
    val, test, seed = columns
    with val:
        val_share = _share(
            "Share for val",
            0.2,
            f"Validation: training does not see these {spoken().images}; they tell "
            "how good it is.",
            f"val-{key}",
        )
    with test:
        test_share = _share(
            "Share for test",
            0.0,
            "Put by for one last look once all choices are made.",
            f"test-{key}",
        )
    number = seed.number_input(
        "Seed of the split",
        min_value=0,
        value=0,
        help=f"The same seed splits the same {spoken().images} the same way.",
        key=f"seed-{key}",
    )
    return _Split(val_share, test_share, int(number))


def _share(label: str, value: float, says: str, key: str) -> float:
    says += " Train, val and test folders that you bring are used as they are."
    share = st.slider(label, 0.0, 0.5, value, 0.05, "percent", key=key, help=says)
    return float(share)
