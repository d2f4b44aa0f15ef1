"""A workshop: Anna, Bob, and Tom, their instructor."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.both_databases import database
from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.people import rule
from transfer.store import rows
from transfer.store.people import Person, Role
from transfer.store.record import Job, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

__all__ = ["database", "group", "store"]


class Class(NamedTuple):
    """A class with its store."""

    store: Store
    anna: Person
    bob: Person
    tom: Person
    folder: Path

    def seen_by(self, person: Person) -> Store:
        """The store as somebody sees it."""
        return self.store.view_for(rule.scope(person))

    def dataset(self, name: str, owner: Person, seed: int = 0) -> Revision:
        """A new dataset of somebody; another seed makes other pictures."""
        folder = make_pictures(self.folder / name, {"cat": 4, "dog": 4}, seed=seed)
        revision = importer.import_path(folder, name, val=0.25)
        self.store.datasets.own(name, owner.id)
        return revision

    def run(self, owner: Person, dataset: str = "pets", **settings: str) -> Run:
        """A completed run of somebody."""
        config = TrainConfig.of(dataset=dataset, **settings)
        run = self.store.create(config, "", owner.id)
        self.end(run, class_names=["cat", "dog"])
        return self.store.get(run.id)

    def end(
        self, run: Run, status: JobStatus = JobStatus.COMPLETED, **result: object
    ) -> Job:
        """The run after its end, with this result."""
        self.store.claim_next("here", {("run",): 99})
        error = {"message": "The disk is full."} if status == "failed" else {}
        # Those that wait were taken too; only this one has ended.
        return self.store.finish(run.id, status, result, error)

    def job(self, owner: Person, kind: str, subject: str, **values: object) -> str:
        """The id of a job of somebody that has ended well."""
        with self.store._database.writing() as connection:
            return rows.insert(
                connection,
                kind=kind,
                subject=subject,
                **{"owner": owner.id, "settings": {}, "status": "completed", **values},
            )


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """The store of the class, in either database."""
    opened = Store()
    yield opened
    opened.close()


@pytest.fixture
def group(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Class]:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    roles = {"Anna": Role.PARTICIPANT, "Bob": Role.PARTICIPANT, "Tom": Role.INSTRUCTOR}
    people = [
        store.people.add(subject=f"name:{name}", name=name, role=role)
        for name, role in roles.items()
    ]
    anna, bob, tom = (one for one in people if one)
    yield Class(store, anna, bob, tom, tmp_path)
