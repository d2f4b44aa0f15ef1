"""A question and its answer, with programs in the place of the inference process."""

import subprocess
import sys
from pathlib import Path

import pytest

from transfer.errors import RunError
from transfer.prediction import exchange


def process_that(does: str) -> "subprocess.Popen[bytes]":
    """A program that does this with each line that it is sent."""
    code = f"import sys, time\nfor line in sys.stdin:\n    {does}"
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-u", "-c", code], stdin=pipe, stdout=pipe)


def end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate()


def test_ask__empty_lines_are_signs_of_life() -> None:
    process = process_that("print(); print('loading'); print(); print('{}')")
    assert exchange.ask(process, b"?\n", 60) == b"{}\n"
    end(process)


def test_ask__half_an_answer_is_none(workspace: Path) -> None:
    process = process_that("sys.stdout.write('[1, 2'); sys.exit()")
    with pytest.raises(RunError, match="ended before it had answered"):
        exchange.ask(process, b"?\n", 60)
    end(process)


def test_ask__a_process_that_falls_silent_is_ended(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BEAT", 0.01)
    monkeypatch.setattr(exchange, "LIMIT", 0.05)
    process = process_that("print(); time.sleep(600)")
    with pytest.raises(RunError, match="ended before it had answered"):
        exchange.ask(process, b"?\n", 60)
    assert process.wait(60)
    end(process)


def test_ask__one_that_never_begins_is_ended(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BEAT", 0.01)
    monkeypatch.setattr(exchange, "LIMIT", 0.05)
    monkeypatch.setattr(exchange, "START_LIMIT", 0.1)
    process = process_that("time.sleep(600)")
    with pytest.raises(RunError, match="ended before it had answered"):
        exchange.ask(process, b"?\n", 60)
    end(process)


@pytest.mark.parametrize(
    ("sign", "limit"), [("", 7.0), ("loading", exchange.LOADING_LIMIT)]
)
def test_ask__what_takes_too_long_is_said_and_the_process_ended(
    sign: str, limit: float
) -> None:
    signs = f"[print('{sign}') for _ in range({limit:.0f})]"
    process = process_that(f"{signs}; time.sleep(600)")
    with pytest.raises(RunError, match=f"no answer within {limit:.0f} seconds"):
        exchange.ask(process, b"?\n", 7.0)
    assert process.poll() is not None
    end(process)


def test_ask__just_in_time() -> None:
    process = process_that("[print() for _ in range(6)]; print('{}')")
    assert exchange.ask(process, b"?\n", 7.0) == b"{}\n"
    end(process)
