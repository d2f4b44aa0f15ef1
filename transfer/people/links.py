"""Signed tokens that let a browser do one thing for a while.

Where people sign in, a token names who it was made for: it opens nothing to anybody
else, nor to that person once they may not see the thing any more.
"""

import hashlib
import hmac
import re
import secrets
import time
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from transfer import workspace
from transfer.errors import UploadError

DAY = 24 * 60 * 60


class Link(NamedTuple):
    """What a token says.

    Attributes:
        value: What was signed.
        who: Id of the person for whom; empty where nobody signs in.
    """

    value: str
    who: str


def sign(purpose: str, value: str, lifetime: int = DAY, who: str = "") -> str:
    """A token for `value` that `verify` accepts for the same purpose.

    It lasts between one and two lifetimes, in seconds: its end is rounded up, so that
    the address of a picture stays the same for a while and the browser can keep it.

    Args:
        who: Id of the person for whom it is.
    """
    expires = (int(time.time()) // lifetime + 2) * lifetime
    named = f"{who}~{value}" if who else value
    return f"{named}.{expires}.{_signature(purpose, named, expires)}"


def verify(purpose: str, token: str) -> str:
    """The value that was signed for this purpose, for whomever.

    Raises:
        UploadError: The token was not made here, is for something else or is too old.
    """
    return read(purpose, token).value


def read(purpose: str, token: str) -> Link:
    """What was signed for this purpose, and for whom.

    Raises:
        UploadError: The token was not made here, is for something else or is too old.
    """
    form = r"((?:(\w+)~)?([\w-]+))\.(\d{1,12})\.([0-9a-f]{64})"
    if parts := re.fullmatch(form, token, re.ASCII):
        named, who, value, ends, signature = parts.groups()
        expires = int(ends)
        genuine = hmac.compare_digest(_signature(purpose, named, expires), signature)
        if genuine and time.time() < expires:
            return Link(value, who or "")
    raise UploadError(
        "This link is not valid or has expired.", "Reload the page and try again."
    )


def pack(text: str) -> str:
    """Any text as something that can be signed."""
    return text.encode().hex()


def unpack(packed: str) -> str:
    """What `pack` packed."""
    return bytes.fromhex(packed).decode()


def _signature(purpose: str, named: str, expires: int) -> str:
    text = f"{purpose}.{named}.{expires}".encode()
    return hmac.new(_secret(), text, hashlib.sha256).hexdigest()


def _secret() -> bytes:
    """The workspace's key; `write_atomically` makes the file readable by its owner."""
    path = workspace.home() / "secret"
    if not path.exists():
        workspace.folder()
        # Of two made at once, by whichever machines, the first one stays: what was
        # signed with another would be void.
        with workspace.writing(path), FileLock(path.with_suffix(".lock")):
            if not path.exists():
                workspace.write_atomically(path, secrets.token_bytes(32))
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: Path, modified: int) -> bytes:  # noqa: ARG001  of another key
    # A page signs the addresses of forty pictures: each read was a tenth of a click.
    return path.read_bytes()
