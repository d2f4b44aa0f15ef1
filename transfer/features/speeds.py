"""How fast each engine runs a backbone on this machine, as it was measured here.

Machines of several kinds may have one workspace, so each kind has measures of its own:
one with a GPU must not take those of one without.
"""

import hashlib
import json
import os
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


def told_rates(name: str, image_size: tuple[int, int]) -> dict[str, float]:
    """The same, else as measured on a machine of another kind: good for a guess."""
    if found := kept_rates(name, image_size):
        return found
    height, width = image_size
    others = workspace.folder("engines").glob(f"{name}-{height}x{width}*.json")
    for record in sorted(others):
        with suppress(OSError, ValueError):
            return dict(json.loads(record.read_text()))
    return {}


def rates_record(name: str, image_size: tuple[int, int]) -> Path:
    """The file of what was measured with this backbone at this size."""
    height, width = image_size
    file = f"{name}-{height}x{width}-{_kind()}.json"
    return workspace.folder("engines") / file


def _kind() -> str:
    """Names machines that have the same processor and, or not, a GPU."""
    told = f"{_processor()}\n{_has_gpu()}"
    return hashlib.sha256(told.encode()).hexdigest()[:8]


@cache
def _processor() -> str:
    told = {platform.processor()}
    with suppress(OSError):
        # Its name and what it can do, which is the same for each of its cores.
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        told |= {one for one in lines if one.startswith(("model name", "flags"))}
    return "\n".join(sorted(told))


def _has_gpu() -> bool:
    # Without TensorFlow, which a server must not import. Ray hides GPUs of others so.
    is_hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return Path("/dev/nvidiactl").exists() and not is_hidden
