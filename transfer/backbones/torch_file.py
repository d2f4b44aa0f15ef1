"""Weights out of a file in PyTorch's old layout, without PyTorch.

Such a file is five pickles in a row (a magic number, a version, facts of the system,
the tensors by name, the keys of the storages) and then the storages: each its length as
an int64 and its numbers as they lie in memory. A tensor is a view into a storage.
"""

import math
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001


class _Storage(NamedTuple):
    dtype: str
    key: str
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, shape, stride)


#: All that a file may name. A pickle calls what it names: nothing here does harm.
_NAMES: dict[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch.FloatStorage": "<f4",
    "torch.LongStorage": "<i8",
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (asked := f"{module}.{name}") not in _NAMES:
            raise pickle.UnpicklingError(f"it asks for {asked}")
        return _NAMES[asked]

    def persistent_load(self, pid: Any) -> _Storage:
        _, dtype, key, _, count, _ = pid
        return _Storage(dtype, key, count)


def read(path: Path) -> dict[str, Any]:
    """All arrays of the file by name, in the file's order, C-contiguous.

    Raises:
        Exception: The file is no such file, or damaged. A pickle that is damaged can
            raise anything; what this module finds itself is a `ValueError`.
    """
    with path.open("rb") as file:
        magic, version, _, tensors, keys = (_Unpickler(file).load() for _ in range(5))
        if (magic, version) != (_MAGIC, _VERSION):
            raise ValueError("it does not begin as PyTorch's old files do")
        storages = {one.storage.key: one.storage for one in tensors.values()}
        numbers = {key: _numbers(file, storages[key]) for key in keys}
        if file.read(1):
            raise ValueError("something follows its last array")
    return {name: _array(t, numbers[t.storage.key]) for name, t in tensors.items()}


def load(model: Any, path: Path) -> None:
    """Sets all weights of a network without classification layer to those of a file.

    Args:
        model: A Keras model with its layers in the order of PyTorch's.
        path: The file, which may have a classification layer `_fc` besides.

    Raises:
        Exception: The file is damaged, or of another network.
    """
    # BatchNorm's counts of batches are the only whole numbers; Keras has none.
    arrays = {k: a for k, a in read(path).items() if a.dtype == "float32"}
    named = [key for key in arrays if not key.startswith("_fc.")]
    for key, variable in zip(named, model.weights, strict=True):
        variable.assign(_as_keras(key, arrays[key]))


def _numbers(file: Any, storage: _Storage) -> Any:
    """The next storage of the file, one-dimensional."""
    count, size = int.from_bytes(file.read(8), "little"), int(storage.dtype[-1])
    # Compared with what is left first: memory for a made-up length may not exist.
    if count != storage.length or count * size > _bytes_left(file):
        raise ValueError(f"its storage {storage.key} has not {storage.length} numbers")
    return np.frombuffer(file.read(count * size), storage.dtype)


def _bytes_left(file: Any) -> int:
    return int(os.fstat(file.fileno()).st_size - file.tell())


def _array(tensor: _Tensor, numbers: Any) -> Any:
    """A copy of the tensor, which may lie in its storage in any order of axes."""
    steps = zip(tensor.shape, tensor.stride, strict=True)
    last = tensor.offset + sum((length - 1) * step for length, step in steps)
    smallest = min((tensor.offset, *tensor.stride, *(n - 1 for n in tensor.shape)))
    if smallest < 0 or max(last + 1, math.prod(tensor.shape)) > len(numbers):
        raise ValueError(f"a tensor {tensor.shape} reaches beyond its storage")
    strides = [step * numbers.itemsize for step in tensor.stride]
    start = numbers[tensor.offset :]
    return np.lib.stride_tricks.as_strided(start, tensor.shape, strides).copy()


def _as_keras(key: str, array: Any) -> Any:
    """Kernels have their spatial axes first in Keras, last in PyTorch."""
    if array.ndim != 4:
        return array
    return array.transpose((2, 3, 0, 1) if "depthwise" in key else (2, 3, 1, 0))
