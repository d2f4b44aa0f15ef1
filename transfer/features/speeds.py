"""How fast each engine runs a backbone on this machine, as it was measured here.

Machines of several kinds may have one workspace, so each kind has measures of its own:
one with a GPU must not take those of one without.
"""

import hashlib
import json
import platform
from contextlib import suppress
from functools import cache
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
    file = f"{name}-{height}x{width}-{_kind()}.json"
    return workspace.folder("engines") / file


@cache
def _kind() -> str:
    """Names machines that have the same processor and, or not, a GPU."""
    told = {platform.processor()}
    with suppress(OSError):
        # Its name and what it can do, which is the same for each of its cores.
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        told |= {one for one in lines if one.startswith(("model name", "flags"))}
    told |= {str(Path("/dev/nvidiactl").exists())}
    return hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()[:8]
