import mmap
from pathlib import Path

import numpy as np
import psutil
import pytest

from transfer.datasets import scratch


@pytest.mark.skipif(
    not hasattr(mmap, "MADV_DONTNEED"), reason="this system cannot be told to forget"
)
def test_forget__a_file_that_was_read_takes_no_memory_and_stays(tmp_path: Path) -> None:
    rows = scratch.array(tmp_path, "rows", np.uint8, (64, 1 << 20))
    rows[:] = 7
    before = psutil.Process().memory_info().rss
    scratch.forget(rows[3:])
    assert before - psutil.Process().memory_info().rss > 32 << 20
    assert (rows[5:9] == 7).all()


def test_gather__rows_come_in_the_order_asked(tmp_path: Path) -> None:
    rows = scratch.array(tmp_path, "rows", np.int64, (1000, 3))
    rows[:] = np.arange(3000).reshape(1000, 3)
    asked = np.random.default_rng(0).permutation(1000)[:300]
    for one in (rows, np.array(rows)):
        found = scratch.gather(one, asked)
        assert not isinstance(found, np.memmap)
        assert found.tolist() == [[3 * at, 3 * at + 1, 3 * at + 2] for at in asked]
    assert scratch.gather(rows, asked[:0]).shape == (0, 3)


def test_forget__what_lies_in_no_file_stays() -> None:
    rows = np.ones((3, 2))
    scratch.forget(rows[1:])
    scratch.forget(None)
    assert rows.sum() == 6
