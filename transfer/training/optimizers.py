"""Optimizers with a factor on the learning rate of each variable, and weight decay."""

from collections.abc import Iterable
from typing import Any, Literal

import keras
import tensorflow as tf

Optimizer = Literal["adam", "sgd"]

Factors = Iterable[tuple[keras.Variable, float]]

MOMENTUM = 0.9


def make(kind: Optimizer, rate: Any, factors: Factors, weight_decay: float) -> Any:
    """The optimizer of a phase.

    Args:
        kind: See `TrainConfig.optimizer`.
        rate: The learning rate, or one by step.
        factors: Variables, each with the factor on its learning rate; it is 1 for all
            others.
        weight_decay: Share of each kernel that a step takes away, times the learning
            rate (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101).
    """
    return {"adam": Adam, "sgd": Sgd}[kind](rate, factors, weight_decay)


class _Factored:
    """What both have in common.

    A factor on the gradients would have no effect on Adam, which divides by their size.
    """

    def __init__(
        self, rate: Any, factors: Factors = (), weight_decay: float = 0.0, **more: Any
    ) -> None:
        super().__init__(rate, **more)  # type: ignore[call-arg]
        # Keras hands the backend's variable to `update_step`, which has no path.
        self._factors = {id(variable.value): factor for variable, factor in factors}
        self._decay = weight_decay

    def _rate(self, variable: Any, learning_rate: Any) -> Any:
        """The variable's own learning rate; its weights decay by it."""
        rate = learning_rate * self._factors.get(id(variable), 1.0)
        if self._decay and len(variable.shape) > 1:  # never offsets and scales
            variable.assign_sub(rate * self._decay * variable)
        return rate


class Adam(_Factored, keras.optimizers.Adam):  # type: ignore[misc]
    """Keras' Adam in one pass over each variable.

    Keras computes each part of the update by an operation of its own; TensorFlow's
    single kernel does the same arithmetic.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """See `keras.optimizers.Adam`."""
        index = self._get_variable_index(variable)
        steps = tf.cast(self.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(self.beta_1, steps),
            beta2_power=tf.pow(self.beta_2, steps),
            lr=self._rate(variable, learning_rate),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class Sgd(_Factored, keras.optimizers.SGD):  # type: ignore[misc]
    """Keras' stochastic gradient descent, with momentum."""

    def __init__(
        self, rate: Any, factors: Factors = (), weight_decay: float = 0.0
    ) -> None:
        super().__init__(rate, factors, weight_decay, momentum=MOMENTUM)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """See `keras.optimizers.SGD`."""
        super().update_step(gradient, variable, self._rate(variable, learning_rate))
