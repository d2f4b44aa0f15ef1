"""PyTorch's old files are read without PyTorch, and can do nothing but hold arrays."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.torch_files import Tensor, write
from transfer.backbones import torch_file

NUMBERS = np.arange(24, dtype="float32").reshape(2, 3, 4)
ARRAYS = {
    "plain": NUMBERS,
    "turned": NUMBERS.transpose(2, 0, 1),
    "count": np.array(7, "int64"),
    "last": np.float32([1.5]),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path / "weights.pth", ARRAYS)
    return tmp_path / "weights.pth"


def test_read__arrays_as_they_were_written(file: Path) -> None:
    found = torch_file.read(file)
    assert list(found) == list(ARRAYS)
    for name, expected in ARRAYS.items():
        assert found[name].dtype == expected.dtype
        assert found[name].flags.c_contiguous
        np.testing.assert_array_equal(found[name], expected, strict=True)


def test_read__a_part_of_a_storage(file: Path) -> None:
    part = Tensor("0", NUMBERS, offset=5, shape=(2, 2), stride=(8, 3))
    write(file, {"part": part})
    np.testing.assert_array_equal(torch_file.read(file)["part"], [[5, 8], [13, 16]])


@pytest.mark.parametrize(
    "view",
    [
        {"offset": 1},
        {"offset": -1},
        {"shape": (2, 3, 5)},
        {"shape": (2, 0, 4)},
        {"stride": (12, 4, -1)},
        {"shape": (10**6,), "stride": (0,)},  # one number, a million times
        {"shape": (2, 3)},
    ],
)
def test_read__no_tensor_reaches_beyond_its_storage(
    file: Path, view: dict[str, Any]
) -> None:
    write(file, {"odd": Tensor("0", NUMBERS, **view)})
    with pytest.raises(ValueError, match="beyond its storage|shorter|longer"):
        torch_file.read(file)


def test_read__a_file_that_was_cut_off(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:-2])
    with pytest.raises(ValueError, match="storage 3 has not 1 numbers"):
        torch_file.read(file)
    file.write_bytes(whole[:40])
    with pytest.raises((EOFError, pickle.UnpicklingError)):
        torch_file.read(file)


def test_read__something_behind_the_last_array(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(ValueError, match="something follows"):
        torch_file.read(file)


def test_read__a_length_that_is_made_up(file: Path) -> None:
    tensor = Tensor("0", NUMBERS)
    tensor.storage.says = 2**60
    write(file, {"large": tensor})
    with pytest.raises(ValueError, match="has not 1152921504606846976 numbers"):
        torch_file.read(file)


def test_read__another_magic_number(file: Path) -> None:
    write(file, ARRAYS, magic=1)
    with pytest.raises(ValueError, match="does not begin as"):
        torch_file.read(file)


def test_read__a_pickle_that_asks_for_a_function(file: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "made"),)

    file.write_bytes(pickle.dumps(Evil(), 2))
    with pytest.raises(pickle.UnpicklingError, match="asks for .*mkdir"):
        torch_file.read(file)
    assert not (tmp_path / "made").exists()
