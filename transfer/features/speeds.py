"""How fast each engine runs a backbone on this machine, as it was measured here."""

import json
from pathlib import Path

from transfer import workspace


def kept_rates(name: str, image_size: tuple[int, int]) -> dict[str, float]:
    """Images per second of each engine with this backbone, as measured here before.

    Empty if it never was. `features.engines` measures and writes them.
    """
    try:
        return dict(json.loads(rates_record(name, image_size).read_text()))
    except (OSError, ValueError):
        return {}


def rates_record(name: str, image_size: tuple[int, int]) -> Path:
    """The file of what was measured with this backbone at this size."""
    height, width = image_size
    return workspace.folder("engines") / f"{name}-{height}x{width}.json"
