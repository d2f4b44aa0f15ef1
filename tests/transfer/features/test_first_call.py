"""OpenVINO is first called by one thread alone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import pytest
from keras import layers

from transfer.features import first_call
from transfer.features.engines import OpenVINOEngine


def test_make__threads_at_once_call_once() -> None:
    first_call._make.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: first_call.make(), range(8)))
    assert first_call._make.cache_info().misses == 1


def test_engine__has_called_before_its_pool_of_threads(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(first_call, "_make", lambda: order.append("first call"))
    pool = "transfer.features.converted.ThreadPoolExecutor"
    monkeypatch.setattr(pool, lambda _: order.append("pool"))
    pixels = keras.Input((8, 8, 3))
    engine = OpenVINOEngine(keras.Model(pixels, layers.Conv2D(2, 3)(pixels)), "net")
    assert engine._many
    assert order == ["first call", "pool"]
