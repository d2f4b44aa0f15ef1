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


def test_forget__what_lies_in_no_file_stays() -> None:
    rows = np.ones((3, 2))
    scratch.forget(rows[1:])
    scratch.forget(None)
    assert rows.sum() == 6
