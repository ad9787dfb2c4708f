"""Softmax and its logarithm: the values of the last axis compete."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from nnctl.activations.base import Activation
from nnctl.engine.parameters import Array


class Softmax(Activation):
    """Turns scores into probabilities that add up to 1 along the last axis.

    Forward: y_c = exp(x_c / T) / sum_k exp(x_k / T). Backward: dx_c = y_c (dy_c - sum_k y_k dy_k) / T.
    Shapes: (..., classes), kept. T = 1 is the usual softmax; above 1 it is flatter, below 1 closer to the
    argmax. As an output layer prefer the `cross_entropy` loss on the scores themselves, which is exact
    where the probabilities underflow.
    Source: Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990;
    the temperature as in Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015, eq. 1.

    ```yaml
    activation: {type: softmax, temperature: 2.0}
    ```
    """

    type: Literal["softmax"] = "softmax"
    elementwise: ClassVar[bool] = False
    temperature: float = Field(1.0, description="Divides the scores: above 1 is flatter, below 1 sharper.", gt=0)
    from_output: ClassVar[bool] = True
    gives_probabilities: ClassVar[bool] = True

    def forward(self, x: Array, out: Array) -> None:
        np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
        out /= self.temperature
        np.exp(out, out=out)
        out /= out.sum(axis=-1, keepdims=True)

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        mean = (y * dy).sum(axis=-1, keepdims=True)
        np.subtract(dy, mean, out=out)
        out *= y
        out /= self.temperature


class LogSoftmax(Activation):
    """The logarithms of the softmax probabilities along the last axis.

    Forward: y_c = x_c - log sum_k exp(x_k). Backward: dx_c = dy_c - exp(y_c) sum_k dy_k.
    Shapes: (..., classes), kept.
    Source: as for softmax; the shift by the maximum is from Blanchard, Higham and Higham, "Accurately computing
    the log-sum-exp and softmax functions", 2021.

    ```yaml
    activation: log_softmax
    ```
    """

    type: Literal["log_softmax"] = "log_softmax"
    elementwise: ClassVar[bool] = False
    from_output: ClassVar[bool] = True

    def forward(self, x: Array, out: Array) -> None:
        np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
        out -= np.log(np.exp(out).sum(axis=-1, keepdims=True))

    def backward(self, dy: Array, x: Array, y: Array, out: Array) -> None:
        pull = np.exp(y)
        pull *= dy.sum(axis=-1, keepdims=True)
        np.subtract(dy, pull, out=out)
