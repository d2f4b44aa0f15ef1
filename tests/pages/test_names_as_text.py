"""Names of classes, files and runs are strangers' words: pages show them as they are.

Whatever a page sends to the browser is looked through: what Streamlit takes for
Markdown, and what is HTML, must hold none of these names as it is.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import streamlit as st
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from pages.shared import session
from tests.jobs_made import measure
from tests.pages.opened import opened
from tests.pages.test_evaluate import VIEWS, evaluation_of
from tests.pages.test_predict import explain, jpeg
from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets import away, classes, editing, library, renderings
from transfer.datasets.ingest import importer
from transfer.doctor import report
from transfer.doctor.finding import Finding, Kind, Remedy, show
from transfer.people import sessions, tokens
from transfer.prediction.client import InferenceProcess
from transfer.runs.queue import submit
from transfer.store import files
from transfer.store.people import Role
from transfer.store.record import Metric, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.upkeep import trash

#: Colour, HTML, a link, mathematics, strong, code, a picture of Streamlit's own.
EVIL = (
    *(":red[e]", "<img src=x onerror=e()>", "[e](javascript:e)"),
    *("$e$", "**e**", "`e`", ":skull:"),
)
ALL = " ".join(EVIL)
#: Fields that a browser shows as they are, or not at all.
PLAIN = {
    *("id", "key", "form_id", "url", "query_string", "icon", "user_key", "page"),
    *("default", "value", "placeholder", "raw_value", "set_value", "spec", "data"),
    *("alt", "json", "element_id", "column_order", "columns", "file_name", "url_path"),
    *("page_script_hash", "css_content", "js_content"),
    "Selectbox.options",
    "MultiSelect.options",
    "Text.body",
    "Code.code_text",
    "Json.body",
}


def strings(message: Message) -> Iterator[tuple[str, str]]:
    """All texts of a message, each with the name of its field."""
    for field, value in message.ListFields():
        name = f"{message.DESCRIPTOR.name}.{field.name}"
        # A label that is not shown is read out as it is.
        unseen = field.name == "label" and is_hidden(message)
        if field.name in PLAIN or name in PLAIN or unseen:
            continue
        values = value if field.is_repeated else [value]
        if field.type == FieldDescriptor.TYPE_STRING:
            yield from ((name, one) for one in values)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            for one in values:
                if isinstance(one, Message):
                    yield from strings(one)


def is_hidden(message: Any) -> bool:
    """Whether a widget's label is not shown."""
    visibility = getattr(message, "label_visibility", None)
    return bool(visibility and visibility.value)


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from nodes(child)


def taken_for_markup(at: AppTest) -> list[str]:
    """Fields that hold a name as it is where it would not be shown as it is."""
    found = []
    for node in nodes(at._tree):
        proto = getattr(node, "proto", None)
        for name, text in strings(proto) if isinstance(proto, Message) else ():
            of_html = name == "Html.body"
            wanted = [one for one in EVIL if "<" in one] if of_html else EVIL
            found += [f"{name}: {text[:300]}" for one in wanted if one in text][:1]
    return found


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store of this test's own workspace."""
    st.cache_resource.clear()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of such a name, on classes of such names, evaluated."""
    folder = make_pictures(tmp_path / "pets", dict.fromkeys(EVIL, 4))
    (folder / EVIL[0] / f"{ALL}.jpg").write_text("no picture")
    revision = importer.import_path(folder, "pets", val=0.5)
    store = Store()
    config = TrainConfig(dataset="pets", revision=revision.id)
    made = store.create(config, ALL)
    store.describe(made.id, note=ALL, tags=[ALL])
    store.claim_next("here", {("run",): 9})
    store.begin(made.id)
    files.evaluation(made.id, "val").parent.mkdir(parents=True)
    rows = [Metric(phase="head", epoch=1, name="val_accuracy", value=0.5)]
    measure(store, made.id, rows)
    names = list(revision.class_names)
    result = {"val_accuracy": 0.9, "class_names": names, "temperature": 1.5}
    largest = {"class": ALL, "accuracy": 0.9, "balanced_accuracy": 0.5}
    result["val_largest_class"] = largest
    ended = store.finish(made.id, JobStatus.COMPLETED, result)
    evaluation_of(ended)
    store.close()
    return ended


def test_data__shows_names_as_they_are(run: Run) -> None:
    at = opened("1_data.py", dataset="pets")
    assert not at.exception
    assert not taken_for_markup(at)


def test_data__what_the_doctor_says_is_text(run: Run) -> None:
    made = library.load("pets")
    hashes = tuple(image.sha256 for image in made.images)
    remedies = (
        Remedy(does="move", says=f"Move it to {ALL}", targets={EVIL[0]: hashes[:1]}),
        Remedy(does="leave out", says=f"Leave {ALL} out", targets={ALL: hashes[:1]}),
    )
    found = [
        Finding(
            kind=kind,
            images=show(made, made.images[:3]),
            certainty=0.9,
            says=f"{ALL} may be wrong.",
            remedies=remedies,
        )
        for kind in get_args(Kind)
    ]
    report.keep(made, found)
    at = opened("1_data.py", dataset="pets")
    assert not at.exception
    assert not taken_for_markup(at)


def test_data__a_step_that_was_made_is_text(run: Run) -> None:
    made = library.load("pets")
    classes.rename("pets", EVIL[0], f"{EVIL[0]} again", by=ALL)
    editing.leave_out("pets", [made.images[0].sha256], ALL, by=ALL)
    at = opened("1_data.py", dataset="pets")
    assert not at.exception
    assert not taken_for_markup(at)


def test_predict__shows_names_as_they_are(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nearest(self: object, run: str, picture: object) -> list[dict[str, Any]]:
        one = {"sha256": "a" * 64, "class_name": ALL, "path": f"{ALL}/1.jpg"}
        return [{**one, "similarity": 0.87}]

    def predict(self: object, run: str, sent: list[Any]) -> list[Any]:
        return [[(name, 1 / len(EVIL)) for name in EVIL] for _ in sent]

    for name, answer in {
        **{"predict": predict, "nearest": nearest, "explain": explain},
        **{
            "start": lambda self: None,
            "warm": lambda self, run: None,
        },
        "knows_training_images": lambda self, run: True,
    }.items():
        monkeypatch.setattr(InferenceProcess, name, answer)
    monkeypatch.setattr(away, "encode_thumbnail", renderings.encode_thumbnail)
    at = opened("5_predict.py", run=run.id)
    at.file_uploader[0].set_value([(f"{ALL}.jpg", jpeg(), "image/jpeg")]).run()
    assert not at.exception
    assert EVIL[0] in " ".join(str(one.proto.body) for one in at.get("html"))
    assert not taken_for_markup(at)


#: Every page there is: a new one is asked the same.
PAGES = sorted(one.name for one in Path(session.__file__).parents[1].glob("*.py"))


@pytest.mark.parametrize("page", PAGES)
def test_pages__show_names_as_they_are(page: str, run: Run) -> None:
    for query in ({"run": run.id}, {"dataset": "pets"}):
        at = opened(page, **query)
        assert not at.exception
        assert not taken_for_markup(at)


@pytest.mark.parametrize("page", PAGES)
def test_pages__show_names_to_an_administrator_as_they_are(
    page: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of people, their tokens, and what they have thrown away."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    store = Store()
    people = [
        store.people.add(subject=f"name:{role}", name=ALL, role=role)
        for role in (Role.PARTICIPANT, Role.ADMINISTRATOR)
    ]
    for person in filter(None, people):
        tokens.make(store, person, ALL[: tokens.LONGEST], 30)
        thrown = store.create(run.config, ALL, person.id)
        trash.put_run(store, thrown.id)
        cookie = sessions.cookie_for(sessions.begin(store, person))
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    at = opened(page, run=run.id, dataset="pets")
    for one in at.toggle:
        one.set_value(True)
    at.run()
    store.close()
    assert not at.exception
    assert not taken_for_markup(at)


SCRIPTS = sorted(Path(session.__file__).parents[1].rglob("*.js"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts__make_no_html_of_what_they_are_told(path: Path) -> None:
    """What the server's own routes answer is put into a page by these alone."""
    text = re.sub(r"innerHTML = '[^'$]*'", "", path.read_text("utf-8"))
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write"):
        assert word not in text


@pytest.mark.parametrize("view", VIEWS)
def test_evaluate__shows_names_as_they_are(view: str, run: Run) -> None:
    at = opened("4_evaluate.py", run=run.id, view=view)
    assert not at.exception
    assert not taken_for_markup(at)


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.INTERRUPTED])
def test_runs__shows_errors_as_they_are(status: JobStatus) -> None:
    store = Store()
    one = submit(store, TrainConfig(dataset="pets"), ALL)
    store.claim_next("here", {("run",): 9})
    store.begin(one.id)
    error = {"kind": "RunError", "message": ALL, "hint": ALL}
    store.finish(one.id, status, error=error)
    store.close()
    for query in ({"run": one.id}, {}):
        at = opened("3_runs.py", **query)
        assert not at.exception
        assert not taken_for_markup(at)


@pytest.mark.parametrize(
    "page, role",
    [
        ("8_workshop.py", Role.INSTRUCTOR),
        ("9_projector.py", Role.INSTRUCTOR),
        ("1_data.py", Role.PARTICIPANT),
    ],
)
def test_class__shows_names_as_they_are(
    page: str, role: Role, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of people, of what is handed out and in, and of classes of the hidden set."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    store = Store()
    for one in (Role.PARTICIPANT, role):
        subject = f"name:{len(store.people.all())}"
        somebody = store.people.add(subject=subject, name=ALL, role=one)
        assert somebody
        store.create(run.config, ALL, somebody.id)
        asked = (somebody.id, run.id, ALL, run.revision, somebody.id, 5)
        entry = store.classroom.hand_in(*asked)
        store.classroom.judge(entry.id, 0.5, 0.4, 0.6)
    store.datasets.own("pets", somebody.id)
    store.classroom.hand_out(somebody.id, "pets", {"freeze": f"layers:{ALL}"}, ALL)
    store.datasets.hide("pets")
    cookie = sessions.cookie_for(sessions.begin(store, somebody))
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    at = opened(page)
    store.close()
    assert not at.exception
    labels = [button.label for button in at.button]
    assert "Start it" in labels or role is Role.INSTRUCTOR
    assert not taken_for_markup(at)


def test_taken_for_markup__finds_a_name_that_is() -> None:
    def script(name: str) -> None:
        import streamlit as st  # noqa: PLC0415

        st.button(f"Delete {name}")

    at = AppTest.from_function(script, args=(EVIL[0],)).run()
    assert taken_for_markup(at) == [f"Button.label: Delete {EVIL[0]}"]
