"""Images that somebody chose on one page, for another page to show.

An address holds some hundred hashes at most, and a choice can be of thousands. So the
choice is kept in the workspace, under an id that its content gives it.
"""

import hashlib
import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress

from transfer import workspace
from transfer.errors import NotFoundError

#: Seconds after which a choice that nobody looked at goes.
MAX_AGE = 90 * 86_400.0


def keep(hashes: Iterable[str]) -> str:
    """The id of a choice of images.

    Args:
        hashes: SHA-256 of each, in the order in which they are to be shown.

    Raises:
        StorageError: The workspace cannot be written.
    """
    content = "\n".join(dict.fromkeys(hashes)).encode()
    chosen = hashlib.sha256(content).hexdigest()[:16]
    workspace.write_atomically(workspace.folder("chosen") / chosen, content)
    return chosen


def load(chosen: str) -> list[str]:
    """The hashes of a choice, in their order.

    Raises:
        NotFoundError: There is no such choice, or no more.
    """
    path = workspace.home() / "chosen" / chosen
    try:
        if re.fullmatch("[0-9a-f]{16}", chosen):
            os.utime(path)
            return path.read_text("ascii").split()
    except OSError:
        pass
    raise NotFoundError(
        "The choice in this link is not kept any more.",
        "Choose them again where the link came from.",
    )


def discard_old(max_age: float = MAX_AGE) -> None:
    """Removes the choices that nobody looked at for `max_age` seconds."""
    for path in workspace.home().glob("chosen/*"):
        with suppress(OSError):
            if path.stat().st_mtime < time.time() - max_age:
                path.unlink()
