"""The folders of the server that a visitor of the page may import from."""

import os
from pathlib import Path

from transfer import workspace
from transfer.errors import DatasetError


def roots() -> list[Path]:
    """The folders named by `TRANSFER_ROOTS`, else the home folder.

    They are parted by the same sign as in `PATH`; one that does not exist is left out.
    """
    named = os.environ.get("TRANSFER_ROOTS") or str(Path.home())
    paths = [Path(one).expanduser() for one in named.split(os.pathsep) if one]
    return [path.resolve() for path in paths if path.is_dir()]


def resolve(text: str) -> Path:
    """The folder or zip that a visitor named, links and `..` followed to their end.

    Args:
        text: An absolute path, or one relative to the first allowed folder.

    Raises:
        DatasetError: It is outside of the allowed folders, there is nothing, or it has
            to do with the workspace, where everybody's pictures and our keys lie.
    """
    allowed = roots()
    path = _follow(text, allowed[0] if allowed else Path("/"))
    # One answer to all that is not inside, in the visitor's own words: whether it
    # exists, where a link leads and who has a home here is not told.
    if path is None or not any(path.is_relative_to(root) for root in allowed):
        listed = ", ".join(map(str, allowed)) or "none"
        raise DatasetError(
            f"{text.strip()} is outside the folders that may be imported from: "
            f"{listed}.",
            "Move the files there, or have the server started with TRANSFER_ROOTS "
            "set to their folder.",
        )
    own = workspace.home().resolve()
    if path.is_relative_to(own) or own.is_relative_to(path):
        raise DatasetError(
            f"{text.strip()} is, or holds, the folder in which Transfer Studio keeps "
            "what people bring.",
            "Name the folder of the classes itself.",
        )
    if not os.path.exists(path):
        raise DatasetError(
            f"There is nothing at {path}.", "Check the path, and its case."
        )
    return path


def _follow(text: str, base: Path) -> Path | None:
    """Where the text leads in the end; `None` where that cannot be said."""
    try:
        return (base / Path(text.strip()).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError):
        return None
