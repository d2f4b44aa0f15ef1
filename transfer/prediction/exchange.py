"""One question to the inference process and its answer, within a limit of time.

While the process works at an answer it says each second that it lives. What it has
worked is counted by these signs: the time that a machine sleeps counts for nothing.
"""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from transfer import workspace
from transfer.errors import RunError
from transfer.processes import LIMIT

#: Seconds between two signs of life of the process while it answers.
BEAT = 1.0
#: What a sign says while it loads a model, or converts it for many pictures.
LOADING = b"loading"

#: Seconds that an answer may take. Most take a tenth of one; the largest backbones on
#: a machine that trains may take many.
ANSWER_LIMIT = 60.0
#: Seconds for the load of a model, which comes once. For many pictures it is converted
#: too, and each engine tried: half a minute for the largest.
LOADING_LIMIT = 300.0
#: Seconds until a new process has imported Keras: it shows no sign meanwhile.
START_LIMIT = 180.0


def ask(
    process: "subprocess.Popen[bytes]", line: bytes, limit: float = ANSWER_LIMIT
) -> bytes:
    """The line that answers a line.

    Args:
        process: Waits for lines on its standard input.
        line: What it is asked.
        limit: Seconds that it may work at the answer.

    Raises:
        RunError: It died, fell silent or took too long; then it is no more.
    """
    if process.stdin is None or process.stdout is None:
        raise RunError("The inference process does not listen.")
    spent = {b"": limit, LOADING: LOADING_LIMIT}
    try:
        with _end_if_silent(process) as heard:
            process.stdin.write(line)
            process.stdin.flush()
            while (answer := process.stdout.readline()).endswith(b"\n"):
                sign = answer.strip()
                if sign not in spent:
                    return answer
                heard.set()
                # It says so each second that it works: the time that a machine
                # sleeps, or that others wait for their turn, counts for nothing.
                spent[sign] -= BEAT
                if spent[sign] <= 0:
                    raise _replace(process, LOADING_LIMIT if sign else limit)
    except OSError:
        pass
    # Without an end of the line it is half an answer: it died while it wrote.
    raise RunError(
        "The inference process ended before it had answered.",
        f"Try again; {workspace.home() / 'inference.log'} has the details.",
    )


def _replace(process: "subprocess.Popen[bytes]", limit: float) -> RunError:
    """Ends a process that takes too long; the next question starts another."""
    process.kill()
    process.wait()
    return RunError(
        f"There was no answer within {limit:.0f} seconds, so the inference process was "
        "replaced.",
        "Try again once the machine has less to do, or with a smaller file.",
    )


@contextmanager
def _end_if_silent(process: "subprocess.Popen[bytes]") -> Iterator[threading.Event]:
    """Ends a process that falls silent in the block; the event says it was heard."""
    heard, over = threading.Event(), threading.Event()

    def watch() -> None:
        # Counted beat by beat, so that a machine that sleeps counts for none. The
        # import of Keras shows no sign, so the first one may take longer.
        silent = LIMIT - START_LIMIT
        while not over.wait(BEAT):
            silent = 0.0 if heard.is_set() else silent + BEAT
            heard.clear()
            if silent >= LIMIT:
                process.kill()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        over.set()
        thread.join()
