"""The optimizers' rules, each in one pass over the vectors.

In the loops every entry is computed by the operations of the rule's NumPy form, in the same order and precision.
"""

from collections.abc import Callable
from math import sqrt
from typing import Any

from nnctl.engine.parameters import Array
from nnctl.kernels._numba import loop
from nnctl.optimizers.adadelta import Adadelta
from nnctl.optimizers.adagrad import Adagrad
from nnctl.optimizers.adam import AdamRule
from nnctl.optimizers.adamax import AdaMax
from nnctl.optimizers.base import Coefficients, Work
from nnctl.optimizers.descent import Descent
from nnctl.optimizers.nadam import Nadam
from nnctl.optimizers.radam import RAdam
from nnctl.optimizers.rmsprop import RMSprop

State = dict[str, Array]


@loop
def _descend(theta: Array, g: Array, rate: Any) -> None:
    for i in range(theta.size):
        theta[i] -= g[i] * rate


@loop
def _momentum(theta: Array, g: Array, v: Array, mu: Any, gain: Any, rate: Any) -> None:
    for i in range(theta.size):
        v[i] = v[i] * mu + g[i] * gain
        theta[i] -= v[i] * rate


@loop
def _nesterov(theta: Array, g: Array, v: Array, mu: Any, gain: Any, rate: Any) -> None:
    for i in range(theta.size):
        v[i] = v[i] * mu + g[i] * gain
        theta[i] -= (v[i] * mu + g[i]) * rate


def descent(self: Descent, theta: Array, g: Array, state: State, c: Coefficients, work: Work) -> None:
    """SGD, momentum and Nesterov's."""
    rate, gain, nesterov = c
    number = theta.dtype.type
    if state:
        rule = _nesterov if nesterov else _momentum
        rule(theta, g, state["velocity"], number(self.momentum), number(gain), number(rate))
    else:
        _descend(theta, g, number(rate))


@loop
def _adam(theta: Array, g: Array, M: Array, V: Array, beta1: Any, beta2: Any, rate: Any, epsilon: Any) -> None:
    for i in range(theta.size):
        M[i] = M[i] * beta1 + g[i]
        V[i] = V[i] * beta2 + g[i] * g[i]
        theta[i] -= M[i] / (sqrt(V[i]) + epsilon) * rate


@loop
def _amsgrad(
    theta: Array, g: Array, M: Array, V: Array, most: Array, beta1: Any, beta2: Any, rate: Any, epsilon: Any
) -> None:
    for i in range(theta.size):
        M[i] = M[i] * beta1 + g[i]
        V[i] = V[i] * beta2 + g[i] * g[i]
        most[i] = most[i] if (most[i] >= V[i]) | (most[i] != most[i]) else V[i]
        theta[i] -= M[i] / (sqrt(most[i]) + epsilon) * rate


def adam(self: AdamRule, theta: Array, g: Array, state: State, c: Coefficients, work: Work) -> None:
    """Adam and AdamW."""
    number = theta.dtype.type
    numbers = number(self.beta1), number(self.beta2), number(c[0]), number(c[1])
    if self.amsgrad:
        _amsgrad(theta, g, state["M"], state["V"], state["V_max"], *numbers)
    else:
        _adam(theta, g, state["M"], state["V"], *numbers)


@loop
def _nadam(
    theta: Array, g: Array, M: Array, V: Array, beta1: Any, beta2: Any, of_g: Any, of_m: Any, epsilon: Any
) -> None:
    for i in range(theta.size):
        M[i] = M[i] * beta1 + g[i]
        V[i] = V[i] * beta2 + g[i] * g[i]
        theta[i] -= (g[i] * of_g + M[i] * of_m) / (sqrt(V[i]) + epsilon)


def nadam(self: Nadam, theta: Array, g: Array, state: State, c: Coefficients, work: Work) -> None:
    """Nadam."""
    number = theta.dtype.type
    _nadam(theta, g, state["M"], state["V"], number(self.beta1), number(self.beta2), *map(number, c))


@loop
def _heavy(theta: Array, g: Array, M: Array, V: Array, beta1: Any, beta2: Any, rate: Any) -> None:
    for i in range(theta.size):
        M[i] = M[i] * beta1 + g[i]
        V[i] = V[i] * beta2 + g[i] * g[i]
        theta[i] -= M[i] * rate


def radam(self: RAdam, theta: Array, g: Array, state: State, c: Coefficients, work: Work) -> None:
    """Rectified Adam."""
    rate, epsilon, rectified = c
    number = theta.dtype.type
    numbers = number(self.beta1), number(self.beta2), number(rate)
    if rectified:
        _adam(theta, g, state["M"], state["V"], *numbers, number(epsilon))
    else:
        _heavy(theta, g, state["M"], state["V"], *numbers)


@loop
def _adamax(
    theta: Array, g: Array, m: Array, u: Array, beta1: Any, share: Any, beta2: Any, epsilon: Any, rate: Any
) -> None:
    for i in range(theta.size):
        m[i] = m[i] * beta1 + g[i] * share
        kept, size = u[i] * beta2, abs(g[i]) + epsilon
        u[i] = kept if (kept >= size) | (kept != kept) else size
        theta[i] -= m[i] / u[i] * rate


def adamax(self: AdaMax, theta: Array, g: Array, state: State, c: Coefficients, work: Work) -> None:
    """AdaMax."""
    number = theta.dtype.type
    numbers = (self.beta1, 1 - self.beta1, self.beta2, self.epsilon, c[0])
    _adamax(theta, g, state["m"], state["u"], *map(number, numbers))


@loop
def _adagrad(theta: Array, g: Array, S: Array, epsilon: Any, rate: Any) -> None:
    for i in range(theta.size):
        S[i] += g[i] * g[i]
        theta[i] -= g[i] / (sqrt(S[i]) + epsilon) * rate


def adagrad(self: Adagrad, theta: Array, g: Array, state: State, c: Coefficients, work: Work) -> None:
    """Adagrad."""
    number = theta.dtype.type
    _adagrad(theta, g, state["square_sum"], number(self.epsilon), number(c[0]))


@loop
def _adadelta(theta: Array, g: Array, E: Array, D: Array, rho: Any, share: Any, epsilon: Any, rate: Any) -> None:
    for i in range(theta.size):
        E[i] = E[i] * rho + g[i] * g[i] * share
        d = sqrt(D[i] + epsilon) / sqrt(E[i] + epsilon) * g[i]
        D[i] = D[i] * rho + d * d * share
        theta[i] -= d * rate


def adadelta(self: Adadelta, theta: Array, g: Array, state: State, c: Coefficients, work: Work) -> None:
    """Adadelta."""
    number = theta.dtype.type
    numbers = (self.rho, 1 - self.rho, self.epsilon, c[0])
    _adadelta(theta, g, state["square_gradient"], state["square_step"], *map(number, numbers))


@loop
def _averages(g: Array, E: Array, decay: Any, share: Any) -> None:
    for i in range(g.size):
        E[i] = E[i] * decay + g[i] * g[i] * share


@loop
def _deviations(g: Array, E: Array, m: Array, decay: Any, share: Any, zero: Any, out: Array) -> None:
    for i in range(g.size):
        E[i] = E[i] * decay + g[i] * g[i] * share
        m[i] = m[i] * decay + g[i] * share
        variance = E[i] - m[i] * m[i]
        out[i] = zero if variance < zero else variance  # rounding can take it below zero


@loop
def _divided(g: Array, E: Array, out: Array, epsilon: Any) -> None:
    for i in range(g.size):
        out[i] = g[i] / (sqrt(E[i]) + epsilon)


@loop
def _divided_inside(g: Array, E: Array, out: Array, epsilon: Any) -> None:
    for i in range(g.size):
        out[i] = g[i] / sqrt(E[i] + epsilon)


@loop
def _roll(theta: Array, u: Array, b: Array, mu: Any, rate: Any) -> None:
    for i in range(theta.size):
        b[i] = b[i] * mu + u[i]
        theta[i] -= b[i] * rate


def rmsprop(self: RMSprop, theta: Array, g: Array, state: State, c: Coefficients, work: Work) -> None:
    """RMSprop, in all its forms."""
    number, E, (u, variance) = theta.dtype.type, state["square"], work
    decay, share = number(self.decay), number(1 - self.decay)
    if self.centered:
        _deviations(g, E, state["mean"], decay, share, number(0), variance)
        E = variance
    else:
        _averages(g, E, decay, share)
    (_divided_inside if self.epsilon_inside_root else _divided)(g, E, u, number(self.epsilon))
    if self.momentum:
        _roll(theta, u, state["velocity"], number(self.momentum), number(c[0]))
    else:
        _descend(theta, u, number(c[0]))


KERNELS: dict[Callable[..., Any], Callable[..., Any]] = {
    Descent.update: descent,
    AdamRule.update: adam,
    Nadam.update: nadam,
    RAdam.update: radam,
    AdaMax.update: adamax,
    Adagrad.update: adagrad,
    Adadelta.update: adadelta,
    RMSprop.update: rmsprop,
}
