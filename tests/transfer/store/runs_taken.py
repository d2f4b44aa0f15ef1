"""Runs that were taken, and values that are stored of them."""

from transfer.config import TrainConfig
from transfer.store.record import Metric, Run
from transfer.store.runs import Store

FLOWERS = TrainConfig(dataset="flowers", backbone="mobilenet_v2_035", revision="r1")
HOST = "here"


def metric(name: str = "loss", value: float = 0.5, **fields: object) -> Metric:
    return Metric(
        **{"phase": "head", "epoch": 1, "name": name, "value": value} | fields
    )


def running(store: Store) -> Run:
    store.create(FLOWERS)
    run = store.claim_next(HOST, {("run",): 99})
    assert isinstance(run, Run)
    return run
