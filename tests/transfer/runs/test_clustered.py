"""Jobs handed to the nodes of a cluster, which is made up here."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.transfer.runs.processes_made import FLOWERS, FakeProcess
from transfer.errors import StorageError
from transfer.processes import Watch
from transfer.runs import clustered, kinds, machines, queue
from transfer.runs.clustered import Clustered, LostError
from transfer.runs.engines.host import Host
from transfer.runs.requests import Request
from transfer.store.record import Job
from transfer.store.runs import Store
from transfer.store.status import JobStatus

GB = 1e9
#: Seconds after which one is sure that a lost node is silent.
SURE = 8
SMALL = Host(
    name="one (Ray 0000000a)",
    cores=2,
    gpus=0.0,
    memory=8 * GB,
    free_cores=2.0,
    free_memory=8 * GB,
)
BIG = replace(SMALL, name="two (Ray 0000000b)", cores=8, free_cores=8.0)


class MadeUp:
    """A cluster that notes what it is given."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.failed: dict[tuple[str, float], str] = {}
        self.living: dict[str, FakeProcess] = {}
        self.given: list[tuple[str, str]] = []
        self.answers = self.takes = True

    def put(self, *hosts: Host) -> None:
        self.hosts = {one.name: one for one in hosts}

    def look(self) -> dict[tuple[str, float], str]:
        if not self.answers:
            self.hosts = {}
            raise StorageError("The Ray cluster: it is gone.")
        failed, self.failed = self.failed, {}
        return failed

    def start(self, job: Job, resources: dict[str, float], needs_keras: bool) -> None:
        if not self.takes:
            raise StorageError("The Ray cluster: it is gone.")
        self.given.append((job.id, job.host or ""))
        self.resources = resources

    def find(self, job: Job) -> FakeProcess | None:
        return self.living.get(job.id)


class Rounds:
    """A second each, after one in which the small node was given a run."""

    def __init__(self, store: Store, cluster: MadeUp) -> None:
        self._store, self._queue, self._now = store, Clustered(), 0.0
        self._watch = Watch(lambda: self._now)
        cluster.put(SMALL)
        self.run = store.create(FLOWERS).id
        self.next()

    def next(self) -> None:
        self._now += 1.0
        self._queue.tick(self._store, self._watch)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[MadeUp]:
    made_up = MadeUp()
    monkeypatch.setenv("TRANSFER_ENGINE", "ray")
    monkeypatch.setattr(clustered.on_ray, "Cluster", lambda: made_up)
    yield made_up


def begin(store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process of a run on the small node says first."""
    monkeypatch.setenv("TRANSFER_MACHINE", SMALL.name)
    store.begin(run_id, 4711)
    monkeypatch.delenv("TRANSFER_MACHINE")


def ids(given: list[tuple[str, str]]) -> list[str]:
    return [job for job, _ in given]


def test_tick__hands_over_what_there_is_room_for_in_turn(
    store: Store, cluster: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.put(SMALL, BIG)
    monkeypatch.setattr(queue.guards, "check_start", lambda *_: None)
    runs = [store.create(FLOWERS, owner=one).id for one in ("a", "a", "b", "a", "b")]
    queue_of = Clustered()
    queue_of.tick(store, Watch())
    # One on the small node, two on the big one; `b` does not wait for all of `a`.
    assert len(cluster.given) == 3
    assert runs[2] in ids(cluster.given)
    assert {host for _, host in cluster.given} == {SMALL.name, BIG.name}
    for job_id, host in cluster.given:
        assert store.get(job_id).host == host
        assert store.get(job_id).status is JobStatus.RUNNING


def test_tick__two_servers_hand_each_job_over_once(
    store: Store, cluster: MadeUp
) -> None:
    cluster.put(SMALL)
    runs = [store.create(FLOWERS).id for _ in range(2)]
    Clustered().tick(store, Watch())
    Clustered().tick(store, Watch())
    assert ids(cluster.given) == runs[:1]


def test_tick__waits_for_cores_that_others_hold(store: Store, cluster: MadeUp) -> None:
    cluster.put(replace(SMALL, free_cores=1.0))
    store.create(FLOWERS)
    light = queue.ask(store, Request("export", "it", ("export",)))
    Clustered().tick(store, Watch())
    assert ids(cluster.given) == [light.id]


def test_tick__waits_for_memory_beside_others(store: Store, cluster: MadeUp) -> None:
    cluster.put(replace(BIG, memory=2 * GB, free_memory=2 * GB))
    runs = [store.create(FLOWERS).id for _ in range(2)]
    Clustered().tick(store, Watch())
    assert ids(cluster.given) == runs[:1]


def test_tick__waits_for_memory_that_others_hold(store: Store, cluster: MadeUp) -> None:
    cluster.put(replace(BIG, free_memory=0.1 * GB))
    run = store.create(FLOWERS)
    rounds = Clustered()
    rounds.tick(store, Watch())
    assert not cluster.given
    # Of one that has less than is asked for all of it is enough.
    cluster.put(replace(BIG, memory=0.1 * GB, free_memory=0.1 * GB))
    rounds.tick(store, Watch())
    assert ids(cluster.given) == [run.id]
    assert cluster.resources["memory"] == 0.1 * GB


def test_tick__what_is_handed_over_as_the_cluster_is_lost_waits_again(
    store: Store, cluster: MadeUp
) -> None:
    cluster.put(BIG)
    cluster.takes = False
    runs = [store.create(FLOWERS).id for _ in range(3)]
    rounds = Clustered()
    with pytest.raises(LostError, match="it is gone"):
        rounds.tick(store, Watch())
    assert {one.id for one in store.waiting()} == {*runs}
    cluster.takes = True
    rounds.tick(store, Watch())
    assert ids(cluster.given) == runs[:2]


def test_tick__what_cannot_be_handed_over_at_all_keeps_nobody_waiting(
    store: Store, cluster: MadeUp
) -> None:
    cluster.put(BIG)
    cluster.takes = False
    first, second = (store.create(FLOWERS).id for _ in range(2))
    rounds = Clustered()
    for _ in range(2):
        with pytest.raises(LostError, match="it is gone"):
            rounds.tick(store, Watch())
    assert store.get(first).status is JobStatus.INTERRUPTED
    cluster.takes = True
    rounds.tick(store, Watch())
    assert ids(cluster.given) == [second]


def test_tick__a_node_that_is_lost_gives_its_job_to_another(
    store: Store, cluster: MadeUp
) -> None:
    rounds = Rounds(store, cluster)
    cluster.put(BIG)
    for _ in range(SURE):
        rounds.next()
    assert cluster.given == [(rounds.run, SMALL.name), (rounds.run, BIG.name)]
    assert "has been silent" in store.get(rounds.run).error["message"]


def test_tick__a_node_that_is_lost_but_whose_job_is_heard_of_keeps_it(
    store: Store, cluster: MadeUp
) -> None:
    rounds = Rounds(store, cluster)
    cluster.put(BIG)
    for _ in range(SURE):
        store.heartbeat(rounds.run)
        rounds.next()
    assert cluster.given == [(rounds.run, SMALL.name)]


def test_tick__a_cluster_that_does_not_answer_says_nothing_of_its_jobs(
    store: Store, cluster: MadeUp
) -> None:
    rounds = Rounds(store, cluster)
    cluster.answers = False
    for _ in range(SURE):
        with pytest.raises(StorageError, match="it is gone"):
            rounds.next()
    assert store.get(rounds.run).status is JobStatus.RUNNING


def test_tick__a_process_that_is_gone_is_noticed_at_once(
    store: Store, cluster: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = Rounds(store, cluster)
    begin(store, rounds.run, monkeypatch)
    rounds.next()
    assert store.get(rounds.run).status is JobStatus.INTERRUPTED


def test_tick__one_that_does_not_stop_is_ended_on_its_node(
    store: Store, cluster: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = Rounds(store, cluster)
    begin(store, rounds.run, monkeypatch)
    cluster.living[rounds.run] = process = FakeProcess(4711)
    store.request_stop(rounds.run)
    for _ in range(int(kinds.KINDS["run"].stop_grace) + 2):
        rounds.next()
    assert process.told[0] == "terminate"


def test_tick__what_its_node_could_not_begin_fails_with_the_reason(
    store: Store, cluster: MadeUp
) -> None:
    cluster.put(SMALL)
    run = store.create(FLOWERS)
    both = Clustered()
    both.tick(store, Watch())
    taken_at = store.get(run.id).started_at
    assert taken_at is not None
    # What is said of an earlier hand-over ends nothing.
    cluster.failed = {(run.id, taken_at - 1): "It is late"}
    both.tick(store, Watch())
    assert store.get(run.id).status is JobStatus.RUNNING
    cluster.failed = {(run.id, taken_at): "No module named 'transfer'"}
    both.tick(store, Watch())
    ended = store.get(run.id)
    assert ended.status is JobStatus.FAILED
    assert "No module named 'transfer'" in ended.error["message"]
    assert "on every node" in ended.error["hint"]


@pytest.mark.parametrize(
    ("kind", "cores", "gpus"), [("rank", 4.0, 1.0), ("export", 0.0, None)]
)
def test_resources__heavy_work_has_cores_and_a_gpu(
    store: Store, kind: str, cores: float, gpus: float | None
) -> None:
    host = replace(BIG, gpus=2.0)
    job = queue.ask(store, Request(kind, "it", (kind,)))
    asked = clustered.resources(job, host)
    assert asked["num_cpus"] == cores
    assert asked.get("num_gpus") == gpus
    assert asked["memory"] == 1.2 * GB


def test_resources__a_gpu_is_shared_where_more_jobs_are_wanted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_MAX_RUNNING", "4")
    job = queue.ask(store, Request("rank", "it", ("rank",)))
    asked = clustered.resources(job, replace(BIG, gpus=1.0))
    assert asked["num_gpus"] == 0.25
    assert asked["num_cpus"] == 2.0


def test_dispatch__nothing_is_begun_here_where_a_cluster_is_used(
    store: Store, cluster: MadeUp
) -> None:
    store.create(FLOWERS)
    assert queue.dispatch(store) == []


def test_room__is_that_of_all_nodes(store: Store, cluster: MadeUp) -> None:
    machines.announce(store, [SMALL, BIG])
    assert machines.room(machines.others(store)) == {kinds.HEAVY: 3, kinds.LIGHT: 4}
