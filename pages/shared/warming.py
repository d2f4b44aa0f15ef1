"""What the first visitor of a server would wait for, done before anybody comes."""

import gc
import importlib
from contextlib import suppress
from pathlib import Path

from transfer.backbones import structures, weights
from transfer.errors import TransferError


def warm() -> None:
    """Imports the parts of all pages, which takes a second, and what Model begins with.

    The first Model page of a fresh server took 2.3 s, any later one 0.1 s.
    """
    pages = Path(__file__).resolve().parents[1]
    for path in sorted(pages.glob("*/*.py")):
        # Not what Streamlit itself runs as a script.
        if path.stem not in ("__init__", "router"):
            importlib.import_module(f"pages.{path.parent.name}.{path.stem}")
    with suppress(TransferError):
        structures.read(weights.default_backbone())
    # What was imported stays: to look through all of it again and again for what may
    # go took each click some of its time.
    gc.collect()
    gc.freeze()
