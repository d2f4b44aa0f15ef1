"""Optimizers: Keras' own steps, with factors and weight decay."""

from typing import Any

import keras
import numpy as np
import pytest

from transfer.training import optimizers

KERAS = {
    "adam": lambda: keras.optimizers.Adam(0.1),
    "sgd": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
}


def steps(optimizer: Any, *variables: keras.Variable) -> None:
    """Five steps along the same gradients for all variables."""
    for step in range(5):
        gradient = keras.ops.convert_to_tensor([0.5 + step, -0.1])
        optimizer.apply([gradient] * len(variables), [*variables])


def value(variable: keras.Variable) -> Any:
    return keras.ops.convert_to_numpy(variable)


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_make__is_kerass_with_factors(kind: Any) -> None:
    slow, fast, plain = (keras.Variable([1.0, -2.0]) for _ in range(3))
    steps(optimizers.make(kind, 0.1, [(slow, 0.1)], 0.0), slow, fast)
    steps(KERAS[kind](), plain)
    np.testing.assert_allclose(value(fast), value(plain), rtol=1e-5)
    moved = [value(one) - np.array([1.0, -2.0]) for one in (slow, fast)]
    np.testing.assert_allclose(moved[0], 0.1 * moved[1], rtol=1e-4)


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_make__kernels_decay_by_their_own_rate(kind: Any) -> None:
    kernel, slow = (keras.Variable([[1.0, -2.0]]) for _ in range(2))
    offset = keras.Variable([1.0, -2.0])
    optimizer = optimizers.make(kind, 0.1, [(slow, 0.5)], 0.2)
    nothing = keras.ops.zeros((1, 2))
    optimizer.apply([nothing, nothing, nothing[0]], [kernel, slow, offset])
    np.testing.assert_allclose(value(kernel), [[0.98, -1.96]], rtol=1e-6)
    np.testing.assert_allclose(value(slow), [[0.99, -1.98]], rtol=1e-6)
    np.testing.assert_array_equal(value(offset), [1.0, -2.0])
