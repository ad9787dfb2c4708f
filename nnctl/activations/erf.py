"""The error function, vectorised.

Source: Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23, 1969;
the coefficients are those of his `CALERF`.
"""

from collections.abc import Sequence

import numpy as np

from nnctl.engine.parameters import Array

# Highest power first. erf(x) = x P(x^2) / Q(x^2) for |x| <= 0.46875
NEAR_P = (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
          3.20937758913846947e3)  # fmt: skip
NEAR_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
# erfc(x) = exp(-x^2) P(x) / Q(x) for 0.46875 <= x <= 4
FAR_P = (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
         2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
         1.23033935479799725e3)  # fmt: skip
FAR_Q = (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
         3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3)  # fmt: skip


def erf(x: Array) -> Array:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, to a few units in the last place.

    Both formulas are evaluated everywhere: picking out the elements of each costs more than that.
    """
    size = np.abs(x)
    # From 6 on erf is 1 in float64. Between 4 and 6 the second formula is off by 1e-12 of erfc,
    # which is itself below 2e-8: Cody's third range only matters to erfc.
    np.minimum(size, 6, out=size)
    square = size * size
    near = horner(NEAR_P, square)
    near /= horner(NEAR_Q, square)
    near *= size
    far = horner(FAR_P, size)
    far /= horner(FAR_Q, size)
    np.negative(square, out=square)
    far *= np.exp(square, out=square)
    np.subtract(1, far, out=far)
    return np.copysign(np.where(size <= 0.46875, near, far), x)


def horner(coefficients: Sequence[float], x: Array) -> Array:
    """The polynomial with these coefficients, highest power first."""
    y = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        y *= x
        y += coefficient
    return y
