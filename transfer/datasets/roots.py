"""The folders on the server that a visitor of the page may import from."""

import os
from pathlib import Path

from transfer.errors import DatasetError


def allowed_roots() -> list[Path]:
    """The folders named by `TRANSFER_ROOTS`, one after the other; else the home folder.

    They are parted by the same sign as in `PATH`; one that does not exist is left out.
    """
    named = os.environ.get("TRANSFER_ROOTS") or str(Path.home())
    paths = [Path(one).expanduser() for one in named.split(os.pathsep) if one]
    return [path.resolve() for path in paths if path.is_dir()]


def checked_path(text: str) -> Path:
    """The folder or zip that a visitor named, links and `..` followed to their end.

    Args:
        text: An absolute path, or one relative to the first allowed folder.

    Raises:
        DatasetError: It is outside of the allowed folders, or there is nothing.
    """
    roots = allowed_roots()
    listed = ", ".join(map(str, roots)) or "none"
    base = roots[0] if roots else Path("/")
    try:
        path = (base / Path(text.strip()).expanduser()).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise DatasetError(f"{text!r} is not a path.") from error
    # Checked before asking whether it exists, which would tell what lies outside.
    if not any(path.is_relative_to(root) for root in roots):
        raise DatasetError(
            f"{path} lies outside of the folders that may be imported: {listed}.",
            "Whoever runs the server can allow more with TRANSFER_ROOTS.",
        )
    if not path.exists():
        raise DatasetError(
            f"There is no folder or zip at {path}.", "Check the path, and its case."
        )
    return path
