"""The side that asks the inference process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from transfer.errors import ImageError, RunError
from transfer.prediction import client, exchange
from transfer.prediction.client import InferenceProcess, Ranking


def test_ask__a_replaced_process_is_started_anew(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, started = InferenceProcess(), []

    def ask(process: Any, line: bytes) -> bytes:
        raise RunError("It took too long.")

    monkeypatch.setattr(exchange, "ask", ask)
    monkeypatch.setattr(InferenceProcess, "start", lambda self: started.append(self))
    for _ in range(2):
        with pytest.raises(RunError, match="too long"):
            asking.predict("a", [])
    assert len(started) == 2


def test_predict_in_pieces__as_many_as_an_answer_in_a_second_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds, sizes = [0.0], []

    def predict_each(
        _: InferenceProcess, run: str, pictures: Sequence[Any], top: int | None
    ) -> list[Ranking | ImageError]:
        sizes.append(len(pictures))
        seconds[0] += len(pictures) / 300 if len(sizes) < 4 else len(pictures) / 20
        return [[("cat", 1.0)]] * len(pictures)

    monkeypatch.setattr(InferenceProcess, "predict_each", predict_each)
    monkeypatch.setattr(client.time, "monotonic", lambda: seconds[0])
    pieces = InferenceProcess().predict_in_pieces("a", [b""] * 1400, 1)
    assert sum(len(one) for one in pieces) == 1400
    assert sizes[:5] == pytest.approx([128, 256, 300, 300, 150], abs=1)
    assert set(sizes[6:-1]) == {64}


def test_predict_in_pieces__no_more_bytes_than_are_easily_sent(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def predict_each(
        _: InferenceProcess, run: str, pictures: Sequence[Any], top: int | None
    ) -> list[Ranking | ImageError]:
        sizes.append(len(pictures))
        return [[("cat", 1.0)]] * len(pictures)

    monkeypatch.setattr(InferenceProcess, "predict_each", predict_each)
    monkeypatch.setattr(client, "_MOST_BYTES", 10)
    pictures = [b"1234", b"1234", b"1234", workspace, b"12345678901", b"1"]
    list(InferenceProcess().predict_in_pieces("a", pictures))
    assert sizes == [2, 2, 1, 1]
