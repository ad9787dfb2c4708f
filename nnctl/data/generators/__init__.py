"""Small made-up data sets, for learning and for tests.

The same settings give the same table everywhere: each generator has a random stream of its own, named
by its seed and type, and values are rounded to six decimals, beyond which mathematical libraries may
differ. In the equations n ~ N(0, noise^2), drawn anew for every number, U is the uniform distribution,
and row i of C classes has class i mod C, so that classes are as equal as the size allows.
"""

from typing import Annotated

from nnctl.data.generators.base import Generator, Table, cells, write_csv
from nnctl.data.generators.cars import Cars
from nnctl.data.generators.points import Blobs, Circles, Linear, Moons, Multilabel, Sine, Spiral, Xor
from nnctl.data.generators.purchases import Purchases
from nnctl.spec import type_short_form

__all__ = ["AnyGenerator", "Cars", "Circles", "Generator", "Table", "cells", "write_csv"]

AnyGenerator = Annotated[
    Moons | Circles | Xor | Spiral | Blobs | Linear | Sine | Multilabel | Purchases | Cars,
    type_short_form,
]
