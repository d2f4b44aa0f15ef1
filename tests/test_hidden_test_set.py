"""Participants try to reach the hidden test set, in every way that there is."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import app
from pages.shared import addresses, session
from tests.pictures import make_pictures
from tests.test_who_may import (
    ASKS,
    CLASS,
    PAGES,
    RUN,
    World,
    look,
    status,
    world,  # noqa: F401  a fixture
)
from tests.test_who_may import Row as Route
from transfer.classroom import handouts, hidden, judging
from transfer.config import TrainConfig
from transfer.datasets import archive, chosen
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import NotAllowedError, NotFoundError
from transfer.gallery.view import View
from transfer.people import rule
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
@pytest.mark.parametrize("who", TRIERS)
def test_pages__tell_nothing_of_it(
    page: str, who: str, secret: Hidden, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = secret.world.cookie(who)
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    hashes = [image.sha256 for image in secret.revision.images]
    asked = {"dataset": NAME, "revision": secret.revision.id}
    for query in ({"run": secret.world.run.id}, asked, {"chosen": chosen.keep(hashes)}):
        text = look(page, **query)
        for typed in query.values():  # what they have typed is no news to them
            text = text.replace(typed, "")
        assert [one for one in secret.secrets if one in text] == []


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


@pytest.mark.parametrize("route", sorted(GUESSED))
@pytest.mark.parametrize("who", ["anna", "bob"])
def test_routes__send_nothing_of_it(
    route: str, who: str, secret: Hidden, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, handler, query = GUESSED[route]
    path = archive.path_of(secret.revision, "folders")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"zip")
    cookie = secret.world.cookie(who)
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    token = address(secret).rpartition("/")[2]
    assert status(Route(address, handler, query), token, cookie) == 404  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(ASKS))
def test_asks__no_job_is_about_it(name: str, secret: Hidden) -> None:
    one, world_ = ASKS[name], secret.world
    for who in (world_.anna, world_.bob):
        store = world_.store.view_for(rule.scope(who))
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
