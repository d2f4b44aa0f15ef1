"""Everything that a visitor can ask for, by its owner, another person and a stranger.

The tables are held against what there is: a new route, page or kind of job without a
row fails.
"""

import argparse
import ast
import hashlib
import inspect
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import streamlit as st
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route
from streamlit.testing.v1 import AppTest

import app
from pages.runs import live
from pages.shared import addresses, session
from tests.pages.opened import opened
from tests.pages.test_evaluate import evaluation_of
from tests.pages.test_names_as_text import nodes
from tests.pictures import make_pictures
from tests.sounds_made import encode, tone
from tests.test_app import ask
from tests.transfer.api import asked as programs
from transfer import workspace
from transfer.__main__ import main, parser
from transfer.api import routes
from transfer.config import TrainConfig
from transfer.datasets import archive, chosen, library, names
from transfer.datasets.ingest import importer, uploads
from transfer.datasets.revision import Revision
from transfer.errors import NameTakenError, NotAllowedError, NotFoundError
from transfer.export import orders
from transfer.gallery.view import View
from transfer.people import codes, links, rule, sessions, tokens
from transfer.people.rule import Sharing
from transfer.prediction.client import InferenceProcess
from transfer.runs import queue, requests
from transfer.runs.kinds import KINDS
from transfer.store import files
from transfer.store.classroom import HAND_IN
from transfer.store.people import Person, Role
from transfer.store.record import Job, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.upkeep import trash

ROOT = Path(app.__file__).parent
PAGES = sorted(one.name for one in (ROOT / "pages").glob("*.py"))
#: Words that stand on no page but for Anna's things.
DATASET, RUN, CLASS = "zebrafinches", "quokkarun", "wallabyclass"


class World(NamedTuple):
    """Anna's dataset and run, and others who want them."""

    store: Store
    anna: Person
    bob: Person
    tom: Person
    revision: Revision
    run: Run

    def share(self, sharing: Sharing) -> None:
        """What Anna lets others do."""
        self.store.datasets.share(DATASET, sharing)
        self.store.share(self.run.id, sharing)

    def cookie(self, who: str) -> str:
        """The cookie of a new session; a stranger has none."""
        if who == "stranger":
            return ""
        person = self.store.people.get(getattr(self, who).id)
        return sessions.cookie_for(sessions.begin(self.store, person))


@pytest.fixture
def world(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A workshop of Anna, Bob and Tom, the instructor."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    st.cache_resource.clear()
    folder = make_pictures(tmp_path / DATASET, {CLASS: 6, "other": 6})
    revision = importer.import_path(folder, DATASET, val=0.5)
    store = Store()
    roles = {"Anna": Role.PARTICIPANT, "Bob": Role.PARTICIPANT, "Tom": Role.INSTRUCTOR}
    people = [
        store.people.add(subject=f"name:{name}", name=name, role=role)
        for name, role in roles.items()
    ]
    anna, bob, tom = (one for one in people if one)
    store.datasets.own(DATASET, anna.id)
    config = TrainConfig(dataset=DATASET, revision=revision.id)
    run = store.create(config, RUN, anna.id)
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    result = {"val_accuracy": 0.9, "class_names": [CLASS, "other"], "temperature": 1.0}
    run = store.finish(run.id, JobStatus.COMPLETED, result)
    files.of_run(run.id).mkdir(parents=True)
    evaluation_of(run)
    make_zips(workspace, revision, run)
    yield World(store, anna, bob, tom, revision, run)
    store.close()


def make_zips(workspace: Path, revision: Revision, run: Run) -> None:
    """An export of the run and of the dataset that can be fetched."""
    zips = archive.path_of(revision, "folders"), workspace / "runs" / run.id
    for path in (zips[0], zips[1] / "exports" / "onnx-none" / "a.zip"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"zip")


def _view(world: World) -> View:
    revision = world.revision
    return View(dataset=revision.dataset, revision=revision.id, run=world.run.id)


class Row(NamedTuple):
    """A route that shows something of somebody.

    Attributes:
        address: Of Anna's thing, as a page of hers would have it.
        handler: What answers.
        query: What stands behind the address.
        is_shared: Whether others get it once Anna shares her things.
    """

    address: Callable[[World], str]
    handler: Callable[..., Any]
    query: bytes = b""
    is_shared: bool = True


def _recording() -> str:
    """SHA-256 of a recording that is stored."""
    content = encode(tone(400))
    sha256 = hashlib.sha256(content).hexdigest()
    workspace.write_atomically(library.image_path(sha256), content)
    return sha256


ROUTES = {
    "upload PUT": Row(
        lambda _: addresses.upload(uploads.start()), app.receive_batch, is_shared=False
    ),
    "upload DELETE": Row(
        lambda _: addresses.upload(uploads.start()), app.discard_upload, is_shared=False
    ),
    "image GET": Row(
        lambda w: addresses.thumbnail(w.revision.images[0].sha256, w.revision),
        app.send_thumbnail,
    ),
    "sound GET": Row(
        lambda w: addresses.sound(_recording(), w.revision), app.send_sound
    ),
    "gallery GET": Row(
        lambda w: addresses.gallery(_view(w)), app.send_images, b"first=0&count=9"
    ),
    "export GET": Row(
        lambda w: addresses.export(f"{w.run.id}-onnx-none"), app.send_export
    ),
    "dataset GET": Row(
        lambda w: addresses.dataset(DATASET, archive.key(w.revision, "folders")),
        app.send_dataset,
    ),
    "live GET": Row(lambda w: addresses.live(w.run.id), app.send_news),
}
#: Routes that show nothing of anybody, and why they may be asked by all.
OF_NOBODY = {
    "plotly GET": "a library",
    "enter POST": "takes a ticket",
    "health GET": "whether the server is alive",
    "ready GET": "whether it is ready",
    "metrics GET": "for this machine, or with a token of its own",
}


def test_routes__each_has_its_row() -> None:
    there = set()
    for route in app.app._user_routes:
        if isinstance(route, Mount):
            assert (route.path, route.app) == ("/api", app.for_programs)
            continue
        assert isinstance(route, Route)
        name = route.path.split("/api/")[1].partition("/")[0]
        there |= {f"{name} {method}" for method in (route.methods or set()) - {"HEAD"}}
    assert there == {*ROUTES, *OF_NOBODY}


def purposes() -> set[str]:
    """What pages sign addresses for."""
    calls = ast.walk(ast.parse(inspect.getsource(addresses)))
    return {
        ast.literal_eval(one.args[0])
        for one in calls
        if isinstance(one, ast.Call)
        and ast.unparse(one.func) == "_address"
        and isinstance(one.args[0], ast.Constant)
    }


def test_links__each_has_a_route_with_a_row() -> None:
    assert purposes() == {name.partition(" ")[0] for name in ROUTES}


def status(row: Row, token: str, cookie: str) -> int:
    headers = {"Cookie": f"{sessions.COOKIE}={cookie}"} if cookie else {}
    return ask(row.handler, token, headers=headers, query=row.query).status_code


@pytest.mark.parametrize("route", list(ROUTES))
def test_routes__a_link_opens_what_its_person_may_see_now(
    route: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ROUTES[route]

    def link(who: str) -> str:
        monkeypatch.setattr(session, "cookie", lambda: world.cookie(who))
        return row.address(world).rpartition("/")[2]

    anna, guessed = link("anna"), link("bob")
    assert status(row, anna, world.cookie("anna")) == 200
    # Replayed by somebody else, who is signed in or is not; and not for them at all.
    for who in ("bob", "tom", "stranger"):
        assert status(row, anna, world.cookie(who)) == 403
    assert status(row, guessed, world.cookie("anna")) == 403
    # An id that somebody guessed, in a link of their own.
    refused = 404 if row.is_shared else 200
    assert status(row, guessed, world.cookie("bob")) == refused
    world.share(Sharing.READ)
    assert status(row, guessed, world.cookie("bob")) == 200
    assert status(row, anna, world.cookie("bob")) == 403
    world.share(Sharing.PRIVATE)
    assert status(row, guessed, world.cookie("bob")) == refused


#: Routes to what is in no trash.
UNTRASHED = {"upload PUT", "upload DELETE"}


@pytest.mark.parametrize("route", [one for one in ROUTES if one not in UNTRASHED])
@pytest.mark.parametrize("mode", ["open", "workshop"])
def test_routes__show_nothing_that_is_in_the_trash(
    mode: str, route: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", mode)
    row, cookie = ROUTES[route], world.cookie("anna") if mode == "workshop" else ""
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    token = row.address(world).rpartition("/")[2]
    assert status(row, token, cookie) == 200
    live._once.clear()  # its answers stand for a second
    things = [
        trash.put_run(world.store, world.run.id),
        trash.put_dataset(world.store, DATASET),
    ]
    # Pictures have no owner where nobody signs in, and are no news to who has a link.
    of_files = ("image GET", "sound GET")
    hidden = 200 if mode == "open" and route in of_files else 404
    assert status(row, token, cookie) == hidden
    for one in things:
        trash.restore(world.store, one.id)
    assert status(row, token, cookie) == 200


@pytest.mark.parametrize("route", list(ROUTES))
def test_routes__a_link_of_a_time_without_sign_in_opens_nothing(
    route: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "open")
    token = ROUTES[route].address(world).rpartition("/")[2]
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    for who in ("anna", "bob", "stranger"):
        assert status(ROUTES[route], token, world.cookie(who)) == 403


@pytest.mark.parametrize("route", list(ROUTES))
def test_routes__a_link_is_void_once_its_person_signed_out(
    route: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = world.cookie("anna")
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    token = ROUTES[route].address(world).rpartition("/")[2]
    sessions.end(world.store, cookie)
    assert status(ROUTES[route], token, cookie) == 403


class Call(NamedTuple):
    """A call of the API.

    Attributes:
        path: Of Anna's thing.
        sent: With the request.
        answers: Status where it is let through.
        action: That it takes to the thing; of lists none, which show what may be seen.
    """

    path: Callable[[World], str]
    sent: Callable[[World], dict[str, Any]] = lambda _: {}
    answers: int = 200
    action: str = "read"


#: A new run, and a new export, of Anna's things.
_NEW_RUN = {"dataset": DATASET}
CALLS = {
    "POST /api/predict/{run}": Call(
        lambda w: f"/predict/{w.run.id}", lambda _: {"content": b"picture"}
    ),
    "GET /api/datasets": Call(lambda _: "/datasets", action=""),
    "GET /api/datasets/{name}": Call(lambda _: f"/datasets/{DATASET}"),
    "GET /api/runs": Call(lambda _: "/runs", action=""),
    "GET /api/runs/{run}": Call(lambda w: f"/runs/{w.run.id}"),
    "GET /api/runs/{run}/metrics": Call(lambda _: f"/runs/{RUN}/metrics"),
    "POST /api/runs": Call(
        lambda _: "/runs", lambda _: {"json": _NEW_RUN}, 201, "read to change"
    ),
    "GET /api/jobs": Call(lambda _: "/jobs", action=""),
    "GET /api/jobs/{job}": Call(lambda w: f"/jobs/{w.run.id}"),
    # The run has ended: whoever may stop it is told so.
    "POST /api/jobs/{job}/stop": Call(
        lambda w: f"/jobs/{w.run.id}/stop", answers=409, action="stop"
    ),
    "GET /api/exports": Call(lambda _: "/exports", action=""),
    "GET /api/exports/{export}": Call(lambda w: f"/exports/{w.run.id}-onnx-none"),
    "POST /api/exports": Call(
        lambda _: "/exports",
        lambda w: {"json": {"run": w.run.id, "format": "keras"}},
        202,
        "read to change",
    ),
}


def test_calls__each_has_its_row() -> None:
    assert all(isinstance(one, APIRoute) for one in routes.router.routes)
    # What describes them, and the router of all of them.
    paths = [getattr(one, "path", None) for one in app.for_programs.routes]
    assert paths == ["/openapi.json", None]
    assert list(CALLS) == [f"{one.method} {one.path}" for one in routes.outline()]


def call(name: str, world: World, who: str, may_change: bool = True) -> httpx.Response:
    """What the API answers to somebody about Anna's thing."""
    one, token = CALLS[name], ""
    if who != "stranger":
        person = getattr(world, who)
        world.store.tokens.remove(person.id)
        token = tokens.make(world.store, person, "test", 30, may_change)
    method = name.partition(" ")[0]
    path, sent = one.path(world), one.sent(world)
    return programs.ask(app.for_programs, method, path, token, **sent)


@pytest.fixture
def quick_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the model says, without Keras."""
    fake = programs.Inference()
    monkeypatch.setattr(
        InferenceProcess, "predict_each", lambda _, *asked: fake.predict_each(*asked)
    )


@pytest.mark.parametrize("name", [n for n, one in CALLS.items() if one.action])
def test_calls__open_what_their_person_may_see_now(
    name: str, world: World, quick_answers: None
) -> None:
    one = CALLS[name]

    def status(who: str, **more: bool) -> int:
        return call(name, world, who, **more).status_code

    assert status("stranger") == 401
    assert status("anna") == one.answers
    assert status("tom") == one.answers
    assert status("bob") == 404
    world.share(Sharing.READ)
    assert status("bob") == (403 if one.action == "stop" else one.answers)
    world.share(Sharing.ALL)
    assert status("bob") == one.answers
    reads = one.answers if one.action == "read" else 403
    assert status("anna", may_change=False) == reads
    world.share(Sharing.PRIVATE)
    assert status("bob") == 404


@pytest.mark.parametrize("name", [n for n, one in CALLS.items() if not one.action])
def test_calls__list_what_may_be_seen(name: str, world: World) -> None:
    run = world.store.view_for(rule.scope(world.anna))
    queue.submit(run, TrainConfig(dataset=DATASET), RUN)
    key = f"{world.run.id}-onnx-none"
    export = queue.ask(run, orders.request(world.run, "onnx", "none"))
    if name.endswith("exports"):
        world.store.claim_next("here", {("export",): 9})
        world.store.finish(export.id, JobStatus.COMPLETED)

    def sees(who: str) -> bool:
        told = call(name, world, who, may_change=False).text
        return any(word in told for word in (RUN, DATASET, key))

    assert call(name, world, "stranger").status_code == 401
    assert sees("anna") and sees("tom") and not sees("bob")
    world.share(Sharing.READ)
    assert sees("bob")
    world.share(Sharing.PRIVATE)
    assert not sees("bob")


def test_calls_and_links__are_no_more_than_a_person_may(
    world: World, quick_answers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"predict": 2, "job": 1, "link": 1, "upload": 1, "stranger": 3}
    told = ",".join(f"{name}={most}" for name, most in limits.items())
    monkeypatch.setenv("TRANSFER_RATES", told)

    def refused(answer: Any) -> bool:
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) > 1
        return bool(answer.status_code == 429)

    names = ("POST /api/predict/{run}", "POST /api/exports", "GET /api/runs")
    counts = [
        sum(refused(call(name, world, who)) for _ in range(5))
        for name, who in zip(names, ("anna", "anna", "stranger"), strict=True)
    ]
    assert counts == [3, 4, 2]
    assert not refused(call(names[0], world, "tom"))  # Anna's pace is not Tom's
    cookie = world.cookie("anna")
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    named = {"Cookie": f"{sessions.COOKIE}={cookie}"}
    for route in ("live GET", "upload PUT"):
        token = ROUTES[route].address(world).rpartition("/")[2]
        answers = [ask(ROUTES[route].handler, token, headers=named) for _ in range(3)]
        assert [refused(one) for one in answers] == [False, True, True]


#: Of each page what of Anna's stands on it: for her, and for who may read it.
SHOWS = {
    "1_data.py": (DATASET, CLASS),
    "2_model.py": (DATASET,),
    "3_runs.py": (RUN, DATASET),
    "4_evaluate.py": (RUN, CLASS),
    "5_predict.py": (RUN, CLASS),
    "6_export.py": (RUN,),
    "7_weights.py": (),
    # Of the class, for who teaches it; see test_class__is_seen_by_who_teaches_it.
    "8_workshop.py": (),
    "9_programs.py": (RUN,),
    "9_projector.py": (),
    "9_storage.py": (),
}


def test_pages__each_has_its_row() -> None:
    assert list(SHOWS) == PAGES


def text_of(at: AppTest) -> str:
    """All that a page sends to the browser."""
    protos = (getattr(node, "proto", None) for node in nodes(at._tree))
    return " ".join(map(str, filter(None, protos)))


def look(page: str, **query: str) -> str:
    at = opened(page, **query)
    assert not at.exception
    return text_of(at)


@pytest.mark.parametrize("page", PAGES)
def test_pages__show_a_thing_to_who_may_see_it(
    page: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sees(who: str) -> list[bool]:
        cookie = world.cookie(who)
        monkeypatch.setattr(session, "cookie", lambda: cookie)
        text = look(page, run=world.run.id, dataset=DATASET)
        # The address is asked for by whoever typed it, so it is no news to them.
        asked = text.replace(f"no dataset {DATASET}", "")
        return [word in asked for word in SHOWS[page]]

    assert all(sees("anna"))
    assert all(sees("tom"))
    assert not any(sees("bob"))
    assert not any(sees("stranger"))
    world.share(Sharing.READ)
    assert all(sees("bob"))
    world.share(Sharing.PRIVATE)
    assert not any(sees("bob"))


@pytest.mark.parametrize("query", ["compare", "import", "chosen", "revision"])
def test_pages__other_words_of_the_address_open_nothing(
    query: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = world.cookie("bob")
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    value = {"compare": f"{world.run.id},x", "revision": world.revision.id}
    value["chosen"] = chosen.keep([one.sha256 for one in world.revision.images])
    for page in ("1_data.py", "3_runs.py"):
        text = look(page, **{query: value.get(query, DATASET)})
        assert RUN not in text and CLASS not in text


#: Buttons that change or end something of somebody.
DEEDS = {
    *("Delete this dataset", "Classes", "Add them", "Rename", "Merge", "Move"),
    *("Name, note, tags", "Delete run", "Share", "Stop", "Go back to it"),
    "Keep this threshold",
}


@pytest.mark.parametrize("page", ["1_data.py", "3_runs.py", "4_evaluate.py"])
def test_pages__offer_no_change_to_who_may_only_look(
    page: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offered(who: str) -> set[str]:
        cookie = world.cookie(who)
        monkeypatch.setattr(session, "cookie", lambda: cookie)
        # Of the views of Evaluate the one that changes something.
        at = opened(page, run=world.run.id, dataset=DATASET, view="Confidence")
        assert not at.exception
        return {one.label for one in at.button} & DEEDS

    world.share(Sharing.READ)
    assert offered("anna")
    assert not offered("bob")
    assert not offered("tom")


#: Of the pages of who teaches what stands on them.
OF_CLASS = {"8_workshop.py": "Access code", "9_projector.py": "trained"}


@pytest.mark.parametrize("page", sorted(OF_CLASS))
def test_class__is_seen_by_who_teaches_it(
    page: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sees(who: str) -> bool:
        cookie = world.cookie(who)
        monkeypatch.setattr(session, "cookie", lambda: cookie)
        text = look(page)
        return OF_CLASS[page] in text or codes.workshop().access in text

    seen = {who: sees(who) for who in ("tom", "bob")}
    assert seen == {"tom": True, "bob": False}


def test_weights__are_for_instructors_and_folders_for_administrators(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offered(who: str) -> tuple[bool, bool]:
        cookie = world.cookie(who)
        monkeypatch.setattr(session, "cookie", lambda: cookie)
        text = text_of(opened("7_weights.py"))
        return '"Download"' in text, "Weights file on the server" in text

    assert offered("bob") == (False, False)
    assert offered("tom") == (True, False)
    world.store.people.change(world.tom.id, role=Role.ADMINISTRATOR)
    assert offered("tom") == (True, True)
    assert "on the server" in look("1_data.py")
    world.store.people.change(world.tom.id, role=Role.INSTRUCTOR)
    assert "on the server" not in look("1_data.py")


def test_trash__is_of_its_owner_and_of_administrators(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.share(Sharing.ALL)
    anna = world.store.view_for(rule.scope(world.anna))
    one = trash.put_run(anna, world.run.id)

    def sees(who: str) -> bool:
        cookie = world.cookie(who)
        monkeypatch.setattr(session, "cookie", lambda: cookie)
        return RUN in look("9_storage.py")

    assert [sees(who) for who in ("anna", "bob", "tom", "stranger")] == [
        *(True, False, False, False)
    ]
    for deed in (trash.restore, trash.remove):
        with pytest.raises(NotFoundError):
            deed(world.store.view_for(rule.scope(world.bob)), one.id)
    ada = world.store.people.change(world.tom.id, role=Role.ADMINISTRATOR)
    assert sees("tom")
    trash.restore(world.store.view_for(rule.scope(ada)), one.id)
    assert anna.get(world.run.id).owner == world.anna.id


#: Kinds of jobs that are about nothing of somebody's: only who asked sees them.
ABOUT_NOTHING = {"run", "import", "measure", "download"}


def test_requests__say_what_they_are_about() -> None:
    about = set[str]()
    for path in (ROOT / "transfer").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Request":
                kind = ast.literal_eval(call.args[0])
                if len(call.args) > 3 or call.keywords:
                    about.add(kind)
    # The store makes the job of a run that is handed in, about that run.
    assert about == {*KINDS} - ABOUT_NOTHING - {HAND_IN}


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=str)
def test_pages__ask_for_things_where_who_asks_is_known(path: Path) -> None:
    """No page opens a store of its own, or lists what everybody has."""
    text = path.read_text("utf-8")
    if path.name != "session.py":
        assert "Store()" not in text and "InferenceProcess()" not in text
    if path.name != "session.py":
        assert "list_datasets" not in text and "all_names" not in text


def test_links__carry_who(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "cookie", lambda: world.cookie("anna"))
    token = addresses.live(world.run.id).rpartition("/")[2]
    assert links.read("live", token) == (world.run.id, world.anna.id)


def test_begin_empty__is_of_who_began_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = world.cookie("bob")
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    at = opened("1_data.py")
    (name,) = [one for one in at.text_input if one.label == "Name of the new dataset"]
    name.set_value("bobs")
    (classes,) = [one for one in at.multiselect if one.label == "Its classes"]
    classes.set_value(["a", "b"])
    next(one for one in at.button if one.label == "Begin").click().run()
    kept = names.kept_under("bobs", world.bob.id)
    assert world.store.datasets.get(kept).owner == world.bob.id


def brought_in(
    world: World, who: Person, folder: Path, name: str, into: str = ""
) -> Job:
    """The job of an import by somebody, or of more images, which has ended."""
    store = world.store.view_for(rule.scope(who))
    source = uploads.source(upload := uploads.start())
    shutil.copytree(folder, source, dirs_exist_ok=True)
    if into:
        request = requests.add(source, into, "", who.name, upload)
    else:
        request = requests.import_(source, store.datasets.new(name), upload=upload)
    job = queue.ask(store, request)
    world.store.claim_next("here", {(job.kind,): 9})
    assert main([*job.settings["words"], "--job", job.id]) == 0
    return store.get_job(job.id)


def test_import__a_name_of_somebody_else_is_free_and_no_news(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are each one's own; what is shared is shown with its owner's name."""
    cookie = world.cookie("bob")
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    brought_in(world, world.bob, tmp_path / DATASET, DATASET)
    bob = world.store.view_for(rule.scope(world.bob))
    kept = names.kept_under(DATASET, world.bob.id)
    assert bob.datasets.readable(library.all_names()) == [kept]
    with pytest.raises(NameTakenError):
        bob.datasets.new(DATASET.upper())

    def options(page: str) -> list[str]:
        at = opened(page)
        (found,) = [one for one in at.selectbox if one.label == "Dataset"]
        return list(found.options)

    assert options("1_data.py") == [DATASET]
    world.share(Sharing.READ)
    for page in ("1_data.py", "2_model.py"):
        assert options(page) == [f"{DATASET} · Anna", DATASET]
    cookie = world.cookie("tom")
    assert options("1_data.py") == [f"{DATASET} · Anna", f"{DATASET} · Bob"]
    # An address of before leads where it led.
    assert f"{DATASET} · Anna" in look("1_data.py", dataset=DATASET)


@pytest.mark.parametrize("what", ["import", "add"])
def test_import__tells_nobody_that_somebody_else_has_a_picture(
    what: str, world: World, tmp_path: Path
) -> None:
    """All that Bob is told is the same as if Anna had other pictures; but for time."""
    told = []
    for seed in (0, 9):  # Anna has the pictures of the first
        folder, name = tmp_path / f"bobs {seed}", f"bobs {seed}"
        shown = make_pictures(folder / "a", {CLASS: 6, "other": 6}, seed=seed)
        others = make_pictures(folder / "b", {CLASS: 3, "other": 3}, seed=seed + 1)
        first = shown if what == "import" else others
        job = brought_in(world, world.bob, first, name)
        if what == "add":
            job = brought_in(world, world.bob, shown, name, into=job.subject)
        said = str((job.status, job.result, job.progress, job.error))
        told.append(re.sub("[0-9a-f]{16}", "", said).replace(name, ""))
    assert told[0] == told[1]


def test_import__makes_a_dataset_and_a_run_of_who_asked(world: World) -> None:
    bob = world.store.view_for(rule.scope(world.bob))
    job = queue.ask(bob, requests.import_("sample:gearwheels", "bobs", train=True))
    world.store.claim_next("here", {("import",): 9})
    assert main([*job.settings["words"], "--job", job.id]) == 0
    (run,) = bob.runs()
    assert bob.datasets.readable([DATASET, "bobs"]) == ["bobs"]
    assert (run.dataset, run.owner) == ("bobs", world.bob.id)


#: Who may have work done that is about Anna's dataset or run, by how she shares it.
Asks = dict[Sharing, set[str]]
ALL = {"anna", "bob", "tom", "ada"}
WHO_SEES: Asks = {
    Sharing.PRIVATE: {"anna", "tom", "ada"},
    Sharing.READ: ALL,
    Sharing.ALL: ALL,
}
WHO_CHANGES: Asks = {
    Sharing.PRIVATE: {"anna", "ada"},
    Sharing.READ: {"anna", "ada"},
    Sharing.ALL: ALL,
}
EVERYBODY: Asks = dict.fromkeys(WHO_SEES, ALL)
INSTRUCTORS: Asks = dict.fromkeys(WHO_SEES, {"tom", "ada"})
ADMINISTRATORS: Asks = dict.fromkeys(WHO_SEES, {"ada"})
BROUGHT = "uploads/0123456789abcdef0123456789abcdef/files"


class Ask(NamedTuple):
    """A job that somebody may ask for, in whatever way.

    Attributes:
        kind: Of the job.
        who: May have it done.
        words: Of its command.
        about: `dataset`, `run`, or nothing.
    """

    kind: str
    who: Asks
    words: tuple[str, ...] = ()
    about: str = ""


def _of_dataset(kind: str, who: Asks = WHO_SEES) -> Ask:
    return Ask(kind, who, (kind, DATASET), "dataset")


#: `{}` stands for the workspace.
ASKS = {
    "run": Ask("run", WHO_SEES),
    "run with a weights file": Ask("run", ADMINISTRATORS, ("/etc/passwd",)),
    "import of a sample": Ask("import", EVERYBODY, ("import", "sample:gearwheels")),
    "import of an upload": Ask("import", EVERYBODY, ("import", f"{{}}/{BROUGHT}")),
    "import of a folder": Ask("import", ADMINISTRATORS, ("import", "/etc")),
    "import of the workspace": Ask("import", ADMINISTRATORS, ("import", "{}/images")),
    "import by a detour": Ask(
        "import", ADMINISTRATORS, ("import", f"{{}}/{BROUGHT}/../../../images")
    ),
    "add an upload": Ask(
        "add", WHO_CHANGES, ("add", DATASET, f"{{}}/{BROUGHT}"), "dataset"
    ),
    "add a folder": Ask("add", ADMINISTRATORS, ("add", DATASET, "/etc"), "dataset"),
    "sort": Ask("sort", WHO_CHANGES, ("sort", DATASET, "--answers=a"), "dataset"),
    "sort a folder": Ask("sort", ADMINISTRATORS, ("sort", DATASET, "/etc"), "dataset"),
    "download": Ask("download", INSTRUCTORS, ("weights", "fetch", "resnet50")),
    "weights of a file": Ask("download", ADMINISTRATORS, ("weights", "add", "/a.h5")),
    "measure": Ask("measure", EVERYBODY, ("measure", "resnet50")),
    "rank with a weights file": Ask(
        "rank", ADMINISTRATORS, ("rank", "--weights=/etc/passwd"), "dataset"
    ),
    "rates with a weights file": Ask(
        "rates", ADMINISTRATORS, ("learning-rate", "--weights", "a.h5"), "dataset"
    ),
    **{
        kind: _of_dataset(kind)
        for kind in (
            *("rank", "depths", "rates", "doctor", "enough"),
            *("imagenet", "dataset-export"),
        )
    },
    **{
        kind: Ask(kind, WHO_SEES, (kind, "a run"), "run")
        for kind in ("evaluate", "export", "neighbours")
    },
}


def test_asks__each_kind_of_job_has_its_row() -> None:
    assert {one.kind for one in ASKS.values()} == {*KINDS} - {HAND_IN}


def ask_for(name: str, world: World, who: Person) -> str:
    """Id of the job that somebody has asked for."""
    one = ASKS[name]
    store = world.store.view_for(rule.scope(who))
    if one.kind == "run":
        weights = one.words[0] if one.words else "imagenet"
        revision = world.revision.id
        config = TrainConfig(dataset=DATASET, revision=revision, weights=weights)
        return queue.submit(store, config).id
    home = str(Path(os.environ["TRANSFER_HOME"]))
    words = tuple(word.replace("{}", home) for word in one.words)
    things = {"dataset": DATASET, "run": world.run.id}
    about = {one.about: things[one.about]} if one.about else {}
    subject = f"{name} {who.name}"
    return queue.ask(store, requests.Request(one.kind, subject, words, **about)).id


@pytest.mark.parametrize("name", sorted(ASKS))
def test_asks__are_done_for_who_may_and_for_nobody_else(
    name: str, world: World
) -> None:
    """Below the pages: whatever page, route or program asks."""
    role, people = Role.ADMINISTRATOR, world.store.people
    ada = people.add(subject="name:ada", name="Ada", role=role)
    assert ada
    actors = {"anna": world.anna, "bob": world.bob, "tom": world.tom, "ada": ada}
    for sharing, allowed in ASKS[name].who.items():
        world.share(sharing)
        done = set()
        for who, person in actors.items():
            with suppress(NotFoundError, NotAllowedError):
                ask_for(name, world, person)
                done.add(who)
        assert (sharing, done) == (sharing, allowed)


def test_asks__a_job_that_waits_is_not_begun_for_who_may_no_more(world: World) -> None:
    world.share(Sharing.ALL)
    ada = world.store.people.change(world.bob.id, role=Role.ADMINISTRATOR)
    ids = {ask_for(name, world, ada): name for name in ASKS}
    world.share(Sharing.PRIVATE)
    world.store.people.change(world.bob.id, role=Role.PARTICIPANT)
    begun: list[str] = []

    def launch(job: Job) -> Any:
        begun.append(ids[job.id])
        raise OSError("this test starts no process")

    queue.dispatch(world.store, launch)
    allowed = [name for name, one in ASKS.items() if one.who is EVERYBODY]
    assert sorted(begun) == sorted(allowed)
    assert {world.store.get_job(one).status for one in ids} == {JobStatus.FAILED}


def test_asks__a_guessed_id_tells_nothing_and_stops_nothing(world: World) -> None:
    ada = world.store.people.change(world.anna.id, role=Role.ADMINISTRATOR)
    bob = world.store.view_for(rule.scope(world.bob))
    ids = {ask_for(name, world, ada): name for name in ASKS}

    def check() -> None:
        for one in ids:
            for deed in (Store.get_job, queue.stop, queue.resume, trash.put_run):
                with pytest.raises(NotFoundError):
                    deed(bob, one)  # type: ignore[operator]
        assert not (*bob.waiting(), *bob.active())

    check()
    # What was found of a thing is seen with it, for as long as it is shared.
    world.share(Sharing.READ)
    for one, name in ids.items():
        if ASKS[name].about:
            assert bob.get_job(one)
        with pytest.raises((NotFoundError, NotAllowedError)):
            queue.stop(bob, one)
    world.share(Sharing.PRIVATE)
    check()


#: What the command line does: by whoever has the server's files, or as a job for whom
#: the queue let ask for it.
BY_ADMINISTRATOR = {
    *("datasets", "dataset-delete", "edit", "revisions", "backbones", "train"),
    *("runs", "show", "tag", "stop", "resume", "delete", "predict", "script"),
    *("backup", "restore", "clean", "trash", "workshop", "people", "audit", "worker"),
    "queue",
}
#: Kinds of jobs by the first word of their command, where that is another.
OF_COMMAND = {"sweep": "depths", "learning-rate": "rates", "weights": "download"}


def test_commands__each_has_its_row() -> None:
    """Nobody but the administrator types here; a job's command has a guarded kind."""
    (words,) = (
        action.choices
        for action in parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    kinds = {OF_COMMAND.get(one, one) for one in {*words} - BY_ADMINISTRATOR}
    assert BY_ADMINISTRATOR <= {*words}
    assert kinds == {*KINDS} - {"run"}


def _new_command(monkeypatch: pytest.MonkeyPatch) -> None:
    made = parser()
    (words,) = (
        one for one in made._actions if isinstance(one, argparse._SubParsersAction)
    )
    words.add_parser("new")
    monkeypatch.setitem(globals(), "parser", lambda: made)


#: A new one of each sort, and the test that then wants a row for it.
NEW: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Callable[[], None]]] = {
    "route": (
        lambda patch: patch.setattr(
            app.app,
            "_user_routes",
            [*app.app._user_routes, Route("/api/new/{token}", app.send_news)],
        ),
        test_routes__each_has_its_row,
    ),
    "way to ask a route": (
        lambda patch: patch.setattr(
            app.app,
            "_user_routes",
            [
                *app.app._user_routes,
                Route("/api/live/{token}", app.send_news, methods=["PUT"]),
            ],
        ),
        test_routes__each_has_its_row,
    ),
    "mounted app": (
        lambda patch: patch.setattr(
            app.app, "_user_routes", [*app.app._user_routes, Mount("/new", app.app)]
        ),
        test_routes__each_has_its_row,
    ),
    "link": (
        lambda patch: patch.setitem(globals(), "purposes", lambda: {"new", *ROUTES}),
        test_links__each_has_a_route_with_a_row,
    ),
    "call": (
        lambda patch: patch.setattr(
            routes.router,
            "routes",
            [*routes.router.routes, APIRoute("/new", routes.runs)],
        ),
        test_calls__each_has_its_row,
    ),
    "page": (
        lambda patch: patch.setitem(globals(), "PAGES", [*PAGES, "9_new.py"]),
        test_pages__each_has_its_row,
    ),
    "kind of job": (
        lambda patch: patch.setitem(KINDS, "new", KINDS["import"]),
        test_asks__each_kind_of_job_has_its_row,
    ),
    "command": (_new_command, test_commands__each_has_its_row),
}


@pytest.mark.parametrize("what", sorted(NEW))
def test_rows__a_new_one_without_a_row_fails(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, test = NEW[what]
    test()
    add(monkeypatch)
    with pytest.raises(AssertionError):
        test()
