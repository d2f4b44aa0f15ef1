"""Writes files in PyTorch's old layout, as PyTorch did, without PyTorch."""

import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MAGIC = 0x1950A86A20F9469CFC6C
#: What such files name, as PyTorch has it; it is never called here.
_TORCH, _UTILS = types.ModuleType("torch"), types.ModuleType("torch._utils")
for _module, _name in (
    (_TORCH, "FloatStorage"),
    (_TORCH, "LongStorage"),
    (_UTILS, "_rebuild_tensor_v2"),
):
    setattr(_module, _name, type(_name, (), {"__module__": _module.__name__}))


class Storage:
    """The numbers of an array, in the order in which they lie in memory."""

    def __init__(self, key: str, array: Any) -> None:
        self.key, self.numbers = key, array.ravel("K")
        self.says = len(self.numbers)


class Tensor:
    """An array: its storage, and how it lies there."""

    def __init__(self, key: str, array: Any, **view: Any) -> None:
        self.storage = Storage(key, array)
        stride = tuple(step // array.itemsize for step in array.strides)
        self.view = {"offset": 0, "shape": array.shape, "stride": stride, **view}

    def __reduce__(self) -> Any:
        rebuild = vars(_UTILS)["_rebuild_tensor_v2"]
        return rebuild, (self.storage, *self.view.values(), False, OrderedDict())


class _Pickler(pickle.Pickler):
    def persistent_id(self, thing: Any) -> Any:
        if not isinstance(thing, Storage):
            return None
        kind = "LongStorage" if thing.numbers.dtype == "int64" else "FloatStorage"
        return "storage", vars(_TORCH)[kind], thing.key, "cpu", thing.says, None


def write(path: Path, arrays: Mapping[str, Any], magic: int = MAGIC) -> None:
    """A file of these arrays, float32 or int64 and with any strides, or tensors."""
    tensors = OrderedDict(
        (name, one if isinstance(one, Tensor) else Tensor(str(number), one))
        for number, (name, one) in enumerate(arrays.items())
    )
    storages = [one.storage for one in tensors.values()]
    keys = [one.key for one in storages]
    with pytest.MonkeyPatch.context() as patch, path.open("wb") as file:
        patch.setitem(sys.modules, "torch", _TORCH)
        patch.setitem(sys.modules, "torch._utils", _UTILS)
        for part in (magic, 1001, {"little_endian": True}, tensors, keys):
            _Pickler(file, 2).dump(part)
        for one in storages:
            file.write(np.int64(one.says).tobytes() + one.numbers.tobytes())
