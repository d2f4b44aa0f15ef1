"""Signed tokens that let a browser do one thing for a while, without a session."""

import hashlib
import hmac
import re
import secrets
import threading
import time

from transfer import workspace
from transfer.errors import UploadError

DAY = 24 * 60 * 60

_making = threading.Lock()


def sign(purpose: str, value: str, lifetime: int = DAY) -> str:
    """A token for `value` that `verify` accepts for the same purpose.

    It lasts between one and two lifetimes, in seconds: its end is rounded up, so that
    the address of a picture stays the same for a while and the browser can keep it.
    """
    expires = (int(time.time()) // lifetime + 2) * lifetime
    return f"{value}.{expires}.{_signature(purpose, value, expires)}"


def verify(purpose: str, token: str) -> str:
    """The value that was signed for this purpose.

    Raises:
        UploadError: The token was not made here, is for something else or is too old.
    """
    parts = re.fullmatch(r"([\w-]+)\.(\d{1,12})\.([0-9a-f]{64})", token, re.ASCII)
    if parts:
        value, expires, signature = parts[1], int(parts[2]), parts[3]
        genuine = hmac.compare_digest(_signature(purpose, value, expires), signature)
        if genuine and time.time() < expires:
            return value
    raise UploadError(
        "This link is not valid or has expired.", "Reload the page and try again."
    )


def _signature(purpose: str, value: str, expires: int) -> str:
    text = f"{purpose}.{value}.{expires}".encode()
    return hmac.new(_secret(), text, hashlib.sha256).hexdigest()


def _secret() -> bytes:
    """The workspace's key; `write_atomically` makes the file readable by its owner."""
    path = workspace.folder() / "secret"
    with _making:  # of two made at once, what was signed with the first would be void
        if not path.exists():
            workspace.write_atomically(path, secrets.token_bytes(32))
    return path.read_bytes()
