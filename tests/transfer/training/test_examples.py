"""Whether a lower precision does for what is learnt."""

import numpy as np
from numpy.typing import NDArray

from transfer.training.examples import agree


def _classes(noise: float) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200).astype(np.int32)
    centres = rng.normal(0, 1, (3, 10))
    rows = centres[labels] + rng.normal(0, 0.5, (200, 10))
    return (rows + rng.normal(0, noise, rows.shape)).astype(np.float32), labels


def test_agree__small_errors_do_not_matter_large_ones_do() -> None:
    exact, labels = _classes(0.0)
    assert agree(exact, exact * 1.003, labels, 3)
    assert not agree(exact, _classes(5.0)[0], labels, 3)
    assert not agree(exact[:20], exact[:20], labels[:20], 3)  # too few to tell
