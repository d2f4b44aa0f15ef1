"""Participants try to reach the hidden test set, in every way that there is."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import app
from pages.shared import addresses, session
from tests.pictures import make_pictures
from tests.test_who_may import (
    _NEW_RUN,
    ASKS,
    CALLS,
    CLASS,
    DATASET,
    PAGES,
    RUN,
    World,
    look,
    quick_answers,  # noqa: F401  a fixture, as is the next
    status,
    world,  # noqa: F401
)
from tests.test_who_may import Row as Route
from tests.transfer.api import asked as programs
from transfer.classroom import handouts, hidden, judging
from transfer.config import TrainConfig
from transfer.datasets import archive, chosen
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import NotAllowedError, NotFoundError
from transfer.gallery.view import View
from transfer.people import rule, tokens
from transfer.prediction import models
from transfer.runs import queue, requests
from transfer.store.classroom import HAND_IN

#: Words that stand nowhere but in the hidden test set.
NAME, FILE = "axolotls", "narwhalpicture"
TRIERS = ("anna", "bob", "stranger")


class Hidden(NamedTuple):
    """The world, with a test set that Tom has hidden and Anna was judged by."""

    world: World
    revision: Revision

    @property
    def secrets(self) -> list[str]:
        """What may stand nowhere that a participant reads."""
        images = self.revision.images
        return [NAME, FILE, self.revision.id, *(image.sha256 for image in images)]


@pytest.fixture
def secret(
    world: World,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> Iterator[Hidden]:
    folder = make_pictures(tmp_path / NAME, {CLASS: 3, "other": 3}, seed=7)
    for path in [*folder.glob("*/*")]:
        path.rename(path.with_name(f"{FILE}-{path.name}"))
    revision = importer.import_path(folder, NAME)
    world.store.datasets.own(NAME, world.tom.id)
    hidden.hide(world.store.view_for(rule.scope(world.tom)), NAME)
    anna = world.store.view_for(rule.scope(world.anna))
    entry = hidden.hand_in(anna, world.run.id)
    answers = SimpleNamespace(
        class_names=[CLASS, "other"],
        probabilities=lambda paths: np.eye(2, dtype=np.float32)[[0] * len(paths)],
    )
    monkeypatch.setattr(models, "load", lambda run: answers)
    judging.judge(world.store, entry.id, lambda *_: None)
    yield Hidden(world, revision)


@pytest.mark.parametrize("page", PAGES)
def test_pages__tell_nothing_of_it(
    page: str, secret: Hidden, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = [image.sha256 for image in secret.revision.images]
    asked = {"dataset": NAME, "revision": secret.revision.id}
    told = []
    for who in TRIERS:
        cookie = secret.world.cookie(who)
        monkeypatch.setattr(session, "cookie", lambda cookie=cookie: cookie)
        chose = {"chosen": chosen.keep(hashes)}
        for query in ({"run": secret.world.run.id}, asked, chose):
            text = look(page, **query)
            for typed in query.values():  # what they have typed is no news to them
                text = text.replace(typed, "")
            told += [(who, query, one) for one in secret.secrets if one in text]
    assert told == []


def test_pages__tell_the_accuracy_to_who_handed_in(
    secret: Hidden, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = secret.world.cookie("anna")
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    for page in ("3_runs.py", "4_evaluate.py"):
        assert "**50.0%** on the hidden test set" in look(page, run=secret.world.run.id)


def _view(secret: Hidden, run: str = "") -> View:
    revision = secret.revision
    return View(dataset=revision.dataset, revision=revision.id, run=run)


#: Addresses that a participant has guessed, and signed as their own pages would.
GUESSED: dict[str, tuple[Callable[[Hidden], str], Callable[..., Any], bytes]] = {
    "image": (
        lambda s: addresses.thumbnail(s.revision.images[0].sha256, s.revision),
        app.send_thumbnail,
        b"",
    ),
    "gallery": (
        lambda s: addresses.gallery(_view(s)),
        app.send_images,
        b"first=0&count=9",
    ),
    "gallery of the run": (
        lambda s: addresses.gallery(_view(s, s.world.run.id)),
        app.send_images,
        b"first=0&count=9",
    ),
    "dataset": (
        lambda s: addresses.dataset(NAME, archive.key(s.revision, "folders")),
        app.send_dataset,
        b"",
    ),
    "export": (lambda s: addresses.export(f"{NAME}-onnx-none"), app.send_export, b""),
    "live": (lambda s: addresses.live(NAME), app.send_news, b""),
}


def test_routes__send_nothing_of_it(
    secret: Hidden, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive.path_of(secret.revision, "folders")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"zip")
    found = set()
    for who in ("anna", "bob"):
        cookie = secret.world.cookie(who)
        monkeypatch.setattr(session, "cookie", lambda cookie=cookie: cookie)
        for address, handler, query in GUESSED.values():
            token = address(secret).rpartition("/")[2]
            row = Route(lambda _: "", handler, query)
            found.add(status(row, token, cookie))
    assert found == {404}


@pytest.mark.parametrize("who", ["anna", "bob"])
def test_calls__answer_nothing_of_it(
    who: str,
    secret: Hidden,
    quick_answers: None,  # noqa: F811
) -> None:
    person, told = getattr(secret.world, who), []
    token = tokens.make(secret.world.store, person, "test", 30, True)
    for name, one in CALLS.items():
        path, sent = one.path(secret.world), one.sent(secret.world)
        asked = {"json": {"dataset": NAME}} if sent.get("json") == _NEW_RUN else sent
        path = path.replace(DATASET, NAME)
        method = name.partition(" ")[0]
        answer = programs.ask(app.for_programs, method, path, token, **asked)
        # What was asked for is no news.
        text = answer.text.replace(f'\\"{NAME}\\"', "")
        told += [(name, word) for word in secret.secrets if word in text]
        if NAME in f"{path} {asked}" and answer.status_code != 404:
            told.append((name, answer.text))
    assert told == []


def test_asks__no_job_is_about_it(secret: Hidden) -> None:
    for one, who in product(ASKS.values(), (secret.world.anna, secret.world.bob)):
        store = secret.world.store.view_for(rule.scope(who))
        with pytest.raises((NotFoundError, NotAllowedError)):
            if one.kind == "run":
                queue.submit(store, TrainConfig(dataset=NAME))
            else:
                request = requests.Request(one.kind, "mine", one.words, dataset=NAME)
                queue.ask(store, request)


def test_store__shows_who_handed_in_no_more_than_an_accuracy(secret: Hidden) -> None:
    anna = secret.world.store.view_for(rule.scope(secret.world.anna))
    (entry,) = secret.world.store.classroom.tries(secret.revision.id)
    job = anna.find(HAND_IN, entry.subject)
    assert job
    told = f"{job} {anna.get(secret.world.run.id)} {anna.runs()}"
    assert [one for one in secret.secrets if one in told] == []
    assert anna.datasets.readable([NAME]) == []
    assert (entry.accuracy, entry.low, entry.high) == (0.5, 0.188, 0.812)


def test_sharing__never_lets_it_out(secret: Hidden) -> None:
    world_ = secret.world
    tom = world_.store.view_for(rule.scope(world_.tom))
    run = world_.store.create(TrainConfig(dataset=NAME), RUN, world_.tom.id)
    for let_out in (
        lambda: tom.datasets.share(NAME, "read"),
        lambda: tom.share(run.id, "all"),
        lambda: handouts.hand_out(tom, NAME, {}),
    ):
        with suppress(NotAllowedError):
            let_out()
    bob = world_.store.view_for(rule.scope(world_.bob))
    assert not bob.datasets.readable([NAME]) and not bob.runs()
    assert hidden.current(bob) is not None
