"""Weights that are downloaded or brought: whole and checked, or not there at all."""

import io
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import h5py
import numpy as np
import pytest

from transfer.backbones import catalogue, download, weights
from transfer.errors import WeightsError

NAME = "mobilenet_v2_035"
CONTENT = bytes(range(256)) * 10


class Answer(io.BytesIO):
    """What a server sends: as many bytes as it says, or fewer."""

    def __init__(self, content: bytes, length: int) -> None:
        super().__init__(content)
        self.headers = {"Content-Length": str(length)}


def serve(
    monkeypatch: pytest.MonkeyPatch, content: bytes = CONTENT, length: int = 2560
) -> None:
    def urlopen(url: str, timeout: float) -> Answer:
        assert url.endswith(".h5") and timeout > 0
        return Answer(content, length)

    monkeypatch.setattr(download.urllib.request, "urlopen", urlopen)


def backbone() -> catalogue.Backbone:
    """One whose published hash is that of `CONTENT`."""
    content_hash = md5(CONTENT, usedforsecurity=False).hexdigest()
    return replace(catalogue.get(NAME), weights_hash=content_hash)


def test_fetch__the_whole_file_and_how_far_it_is(
    keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch)
    monkeypatch.setattr(download, "_PIECE", 1000)
    told: list[tuple[int, int]] = []
    path = download.fetch(backbone(), lambda done, of: told.append((done, of)))
    assert path == weights.weights_file(backbone()) and path.read_bytes() == CONTENT
    assert told == [(1000, 2560), (2000, 2560), (2560, 2560)]
    monkeypatch.undo()
    monkeypatch.setenv("KERAS_HOME", str(keras_home))
    assert download.fetch(backbone()) == path, "no network is needed the second time"


@pytest.mark.parametrize(
    ("content", "length", "says"),
    [
        (CONTENT[:900], 2560, "broke after 900 of 2,560 bytes"),
        (CONTENT[::-1], 2560, "does not have the published hash"),
    ],
)
def test_fetch__what_is_not_whole_leaves_nothing(
    keras_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    length: int,
    says: str,
) -> None:
    serve(monkeypatch, content, length)
    with pytest.raises(WeightsError, match=says):
        download.fetch(backbone())
    assert not list((keras_home / "models").iterdir())


def test_fetch__one_that_is_cancelled_leaves_nothing(
    keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(done: int, of: int) -> None:
        raise KeyboardInterrupt

    serve(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        download.fetch(backbone(), told)
    assert not list((keras_home / "models").iterdir())


def test_fetch__a_server_that_refuses_is_quoted(
    keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def urlopen(url: str, **_: Any) -> None:
        raise HTTPError(url, 404, "Not Found", None, None)  # type: ignore[arg-type]

    monkeypatch.setattr(download.urllib.request, "urlopen", urlopen)
    with pytest.raises(WeightsError, match="downloaded: Not Found"):
        download.fetch(backbone())


def test_add__puts_a_file_where_keras_looks_for_it(
    keras_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone = catalogue.get(NAME)
    brought = tmp_path / backbone.weights_file
    with h5py.File(brought, "w") as file:
        file.create_group("layer")["kernel"] = np.zeros(backbone.parameters, "f4")
    assert download.add(brought) is backbone
    assert weights.is_at_hand(backbone)
    assert download.fetch(backbone) == weights.weights_file(backbone)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (NAME, "cannot be read as a weights file"),
        ("resnet50", "does not have the published hash"),
    ],
)
def test_add__a_broken_file_is_refused(
    keras_home: Path, tmp_path: Path, name: str, says: str
) -> None:
    brought = tmp_path / catalogue.get(name).weights_file
    brought.write_bytes(b"half a file")
    with pytest.raises(WeightsError, match=says):
        download.add(brought)
    assert not weights.is_at_hand(catalogue.get(name))


def test_add__a_file_of_another_model_is_refused(
    keras_home: Path, tmp_path: Path
) -> None:
    brought = tmp_path / catalogue.get(NAME).weights_file
    with h5py.File(brought, "w") as file:
        file["kernel"] = np.zeros(7, "f4")
    with pytest.raises(WeightsError, match=r"holds 7 weights, but .* has 410,208"):
        download.add(brought)
    with pytest.raises(WeightsError, match="There is no file"):
        download.add(tmp_path / "nowhere.h5")
