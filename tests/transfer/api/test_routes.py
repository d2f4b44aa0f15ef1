import base64
import re
from pathlib import Path

import pytest

from tests.jobs_made import measure
from tests.pictures import make_pictures
from tests.transfer.api.asked import HERE, Inference, app, ask, error_of, raising
from transfer import errors
from transfer.api import pictures, routes
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.errors import TransferError
from transfer.people import rule, tokens
from transfer.store import files
from transfer.store.record import Metric, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus


@pytest.fixture
def run(store: Store, tmp_path: Path) -> Run:
    """A run that left a model."""
    folder = make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    revision = importer.import_path(folder, "pets", val=0.5)
    config = TrainConfig(dataset="pets", revision=revision.id)
    run = store.create(config, "my pets")
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    result = {"val_accuracy": 0.9, "class_names": ["cat", "dog"]}
    return store.transition(run.id, JobStatus.COMPLETED, result=result)  # type: ignore[return-value]


def test_predict__one_picture_as_the_body(store: Store, run: Run) -> None:
    inference = Inference()
    answer = ask(app(store, inference), "POST", "/predict/my pets", content=b"jpeg")
    assert answer.json() == {
        "run": run.id,
        "pictures": [
            {
                "name": "",
                "classes": [
                    {"name": "rose", "probability": 0.75},
                    {"name": "tulip", "probability": 0.25},
                ],
                "heat_map": None,
                "error": None,
                "hint": None,
            }
        ],
    }
    assert inference.asked == [(run.id, [b"jpeg"], None)]


def test_predict__several_of_which_one_is_broken(store: Store, run: Run) -> None:
    inference = Inference()
    files = [("pictures", (name, name.encode())) for name in ("a.jpg", "broken", "ü")]
    path = f"/predict/{run.id}?top=1&heat_map=true"
    answer = ask(app(store, inference), "POST", path, files=files)
    first, broken, last = answer.json()["pictures"]
    assert [one["name"] for one in (first, broken, last)] == ["a.jpg", "broken", "ü"]
    assert first["classes"] == [{"name": "rose", "probability": 0.75}]
    assert base64.b64decode(first["heat_map"]) == b"heat of rose"
    assert (broken["classes"], broken["error"]) == ([], "It is broken.")
    assert inference.asked[0][2] == 1


def test_predict__says_that_the_one_picture_is_broken(store: Store, run: Run) -> None:
    answer = ask(app(store), "POST", f"/predict/{run.id}", content=b"broken")
    assert error_of(answer) == "422 It is broken. Send another."


def test_predict__refuses_no_picture(store: Store, run: Run) -> None:
    for sent in ({"content": b""}, {"files": [("a", ("a.jpg", b""))]}):
        answer = ask(app(store), "POST", f"/predict/{run.id}", **sent)
        assert "422 There is no picture" in error_of(answer)


def test_predict__refuses_more_than_is_taken(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 1000)
    monkeypatch.setattr(pictures, "MOST", 2)

    async def trickle():  # type: ignore[no-untyped-def]
        for _ in range(11):  # without a length beforehand
            yield bytes(100)

    for sent in (bytes(1001), trickle()):
        answer = ask(app(store), "POST", f"/predict/{run.id}", content=sent)
        assert error_of(answer).startswith("413 ")
        assert answer.headers["connection"] == "close"
    files = [("pictures", (name, b"x")) for name in "abc"]
    answer = ask(app(store), "POST", f"/predict/{run.id}", files=files)
    assert "422 The form cannot be read" in error_of(answer)


def test_predict__takes_some_at_once(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/predict/{run.id}"
    monkeypatch.setattr(pictures, "AT_ONCE", 1)
    with pictures.room():
        busy = ask(app(store), "POST", path, content=b"x")
        assert error_of(busy).startswith("429 ") and busy.headers["retry-after"] == "1"
    # The room is given back, also by what failed.
    for content in (b"broken", b"x"):
        last = ask(app(store), "POST", path, content=content)
    assert last.status_code == 200


def test_predict__refuses_a_form_that_is_none(store: Store, run: Run) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    path = f"/predict/{run.id}"
    answer = ask(app(store), "POST", path, headers=kind, content=b"no form")
    assert error_of(answer).startswith("422 ")


def test_datasets__with_their_classes(store: Store, run: Run) -> None:
    (told,) = ask(app(store), "GET", "/datasets").json()
    assert told["classes"]["cat"] == {"train": 2, "val": 2, "test": 0}
    assert ask(app(store), "GET", "/datasets/pets").json() == told
    missing = ask(app(store), "GET", "/datasets/nothing")
    assert error_of(missing).startswith("404 ")


def test_datasets__of_ones_own_go_by_what_they_are_called(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    tokens_of = {}
    for number, name in enumerate(("Anna", "Bob")):
        person = store.people.add(subject=f"name:{name}", name=name, role="participant")
        assert person
        kept = store.view_for(rule.scope(person)).datasets.new("pets")
        folder = make_pictures(tmp_path / name, {"cat": 4, f"dog {number}": 4})
        importer.import_path(folder, kept)
        store.datasets.own(kept, person.id)
        tokens_of[kept] = tokens.make(store, person, "test", 30, may_change=True)
    for kept, token in tokens_of.items():
        for name in ("pets", kept):
            told = ask(app(store), "GET", f"/datasets/{name}", token).json()
            assert (told["name"], told["title"]) == (kept, "pets")
        new = {"dataset": "pets"}
        started = ask(app(store), "POST", "/runs", token, json=new).json()
        assert store.get(started["id"]).dataset == kept


def test_runs__in_short_and_whole(store: Store, run: Run) -> None:
    measure(
        store,
        run.id,
        [
            Metric(phase="head", epoch=1, name=name, value=value)
            for name, value in (("loss", 0.5), ("val_loss", float("nan")))
        ],
    )
    (line,) = ask(app(store), "GET", "/runs").json()
    assert (line["id"], line["val_accuracy"], line["has_model"]) == (run.id, 0.9, True)
    whole = ask(app(store), "GET", "/runs/my pets").json()
    assert whole["settings"]["dataset"] == "pets"
    assert whole["result"]["class_names"] == ["cat", "dog"]
    told = ask(app(store), "GET", f"/runs/{run.id}/metrics").json()
    assert [one["value"] for one in told] == [0.5, None]


def test_train__queues_a_run_and_stop_ends_it(store: Store, run: Run) -> None:
    new = {"dataset": "pets", "name": "by a program", "head_epochs": 3}
    answer = ask(app(store), "POST", "/runs", json=new)
    assert answer.status_code == 201
    started = store.get(answer.json()["id"])
    assert (started.name, started.config.head_epochs) == ("by a program", 3)
    assert started.revision == run.revision
    (waits,) = ask(app(store), "GET", "/jobs").json()
    assert (waits["id"], waits["status"]) == (started.id, "queued")
    stopped = ask(app(store), "POST", f"/jobs/{started.id}/stop").json()
    assert stopped["status"] == "stopped"
    assert ask(app(store), "GET", f"/jobs/{started.id}").json() == stopped
    again = ask(app(store), "POST", f"/jobs/{started.id}/stop")
    assert error_of(again).startswith("409 ")


def test_train__names_all_problems_at_once(store: Store, run: Run) -> None:
    new = {"dataset": "pets", "head_epochs": 0, "nonsense": 1}
    told = error_of(ask(app(store), "POST", "/runs", json=new))
    assert "422" in told and "head_epochs is 0" in told and "nonsense is 1" in told
    # What only shows in the settings as a whole.
    new = {"dataset": "pets", "method": "instant", "freeze": "none"}
    assert "choose freeze `all`" in error_of(ask(app(store), "POST", "/runs", json=new))


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.h5", "secret"])
def test_train__opens_no_path_of_the_server(path: str, store: Store, run: Run) -> None:
    new = {"dataset": "pets", "weights": path}
    assert "weights is" in error_of(ask(app(store), "POST", "/runs", json=new))


def test_exports__are_asked_for_listed_and_fetched(store: Store, run: Run) -> None:
    new = {"run": "my pets", "format": "onnx"}
    asked = ask(app(store), "POST", "/exports", json=new)
    assert asked.status_code == 202
    key = asked.json()["subject"]
    missing = ask(app(store), "GET", f"/exports/{key}")
    assert error_of(missing).startswith("404 ")
    store.claim_next("here", {("export",): 9})
    store.begin(asked.json()["id"])
    store.finish(asked.json()["id"], JobStatus.COMPLETED)
    # Its record alone is not listed, for the file may be gone.
    assert ask(app(store), "GET", "/exports").json() == []
    file = files.export(run.id, "onnx", "none") / "pets.zip"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"zip")
    (told,) = ask(app(store), "GET", "/exports").json()
    assert (told["export"], told["file"], told["bytes"]) == (key, "pets.zip", 3)
    fetched = ask(app(store), "GET", f"/exports/{key}")
    assert (fetched.content, fetched.headers["content-type"]) == (
        b"zip",
        "application/zip",
    )


def test_make_export__refuses_a_format_that_is_none(store: Store, run: Run) -> None:
    new = {"run": run.id, "format": "word"}
    assert "There is no format 'word'" in error_of(
        ask(app(store), "POST", "/exports", json=new)
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFoundError, 404),
        (errors.NotAllowedError, 403),
        (errors.ConfigError, 422),
        (errors.RunError, 409),
        (errors.TrainingError, 500),
        (errors.StorageError, 507),
    ],
)
def test_errors__have_a_message_and_a_hint(
    error: type[TransferError], status: int, store: Store, run: Run
) -> None:
    fails = app(store, raising(error("It is so.", "Do that.")))
    answer = ask(fails, "POST", f"/predict/{run.id}", content=b"x")
    assert error_of(answer) == f"{status} It is so. Do that."


def test_errors__never_show_a_trace(store: Store, run: Run) -> None:
    fails = app(store, raising(ValueError("/home/anna/secret")))
    answer = ask(fails, "POST", f"/predict/{run.id}", content=b"x")
    assert error_of(answer) == (
        "500 Something went wrong. The server's log has the details."
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/", 404),
        ("DELETE", "/runs", 405),
        ("GET", "/runs?limit=0", 422),
        ("GET", "/runs?limit=x", 422),
    ],
)
def test_errors__of_routes_have_the_same_form(
    method: str, path: str, status: int, store: Store
) -> None:
    assert error_of(ask(app(store), method, path)).startswith(f"{status} ")


def test_description__has_each_route_and_asks_for_a_token(store: Store) -> None:
    made = ask(app(store), "GET", "/openapi.json").json()
    there = {(m.upper(), f"/api{p}") for p, ms in made["paths"].items() for m in ms}
    assert there == {(one.method, one.path) for one in routes.outline()}
    for methods in made["paths"].values():
        for one in methods.values():
            assert one["security"] and one["description"].endswith(".")
            assert {"401", "403", "404", "422", "429"} <= set(one["responses"])
    body = made["paths"]["/predict/{run}"]["post"]["requestBody"]["content"]
    assert set(body) == {"image/*", "multipart/form-data"}


def test_description__sends_nobody_into_the_internet(store: Store) -> None:
    text = ask(app(store), "GET", "/openapi.json").text
    assert not re.findall(r"https?://[^\s\"]+", text)
    for page in ("/docs", "/redoc"):
        assert ask(app(store), "GET", page).status_code == 404


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({}, True),
        ({"Origin": HERE}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://localhost:8502"}, False),
        ({"Origin": f"{HERE}.evil.example"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
def test_routes__are_not_for_pages_of_others(
    headers: dict[str, str], is_taken: bool, store: Store, run: Run
) -> None:
    # A simple POST, which a browser sends anywhere without asking first.
    plain = {"Content-Type": "text/plain", **headers}
    path = f"/predict/{run.id}"
    answer = ask(app(store), "POST", path, headers=plain, content=b"x")
    assert answer.status_code == (200 if is_taken else 403)
    assert "access-control-allow-origin" not in answer.headers
    assert ask(app(store), "GET", "/runs", headers=headers).is_success is is_taken
