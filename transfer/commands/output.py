"""What a command prints: its answer, and on standard error how far it is."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

#: Seconds between two looks at what is waited for, or two lines about it.
LOOK = 0.1

_last_told = [0.0]


def tell(text: str, end: str = "\n") -> None:
    """A line beside the answer, which alone goes to standard output."""
    print(text, end=end, file=sys.stderr, flush=True)


def tell_over(line: str) -> None:
    """A line over the last one, a few times a second; nothing where none watches."""
    if sys.stderr.isatty() and time.monotonic() - _last_told[0] > 2 * LOOK:
        _last_told[0] = time.monotonic()
        tell(f"\r{line:<78}", end="")


def show(answer: Any, as_json: bool) -> None:
    """Prints the answer; one that comes piece by piece is never held as a whole."""
    if not isinstance(answer, Iterator):
        print(json.dumps(answer) if as_json else "\n".join(lines(answer)))
    elif as_json:
        print("[", end="")
        for number, one in enumerate(answer):
            print(", " * bool(number) + json.dumps(one), end="")
        print("]")
    else:
        for one in answer:
            print("\n".join(lines([one])))


def lines(value: Any, indent: str = "") -> Iterator[str]:
    """The answer as a person reads it."""
    if isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, (dict, list)) and one:
                yield f"{indent}{key}:"
                yield from lines(one, indent + "  ")
            else:
                yield f"{indent}{key}: {'' if one in (None, {}, []) else one}"
    elif isinstance(value, list):
        for one in value:
            yield from lines(one, indent)
            yield ""
    else:
        yield f"{indent}{value}"
