"""The side that asks the inference process, with programs in that process' place."""

import subprocess
import sys
from pathlib import Path

import pytest

from transfer.errors import RunError
from transfer.prediction import client
from transfer.prediction.client import InferenceProcess


def process_that(does: str) -> InferenceProcess:
    """Asks a program that does this with each line that it is sent."""
    code = f"import sys, time\nfor line in sys.stdin:\n    {does}"
    pipe = subprocess.PIPE
    asking = InferenceProcess()
    asking._process = subprocess.Popen(
        [sys.executable, "-u", "-c", code], stdin=pipe, stdout=pipe
    )
    return asking


def test_exchange__empty_lines_are_signs_of_life(workspace: Path) -> None:
    asking = process_that("print(); print(); print('{}')")
    assert asking._exchange(b"?\n") == b"{}\n"
    asking.close()


def test_exchange__a_process_that_falls_silent_is_ended(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BEAT", 0.01)
    monkeypatch.setattr(client, "LIMIT", 0.05)
    asking = process_that("print(); time.sleep(600)")
    with pytest.raises(RunError, match="ended before it had answered"):
        asking._exchange(b"?\n")
    assert asking._process and asking._process.wait(60)
    asking.close()
