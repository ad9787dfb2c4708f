"""The preprocessing a model carries: fitted once, plain data, exact in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import model_validator

from nnctl.data.columns import finite_numbers
from nnctl.data.inputs import AnyFitted
from nnctl.data.sources import Arrays, Source
from nnctl.data.tables import Table
from nnctl.data.targets import AnyTarget
from nnctl.engine.batch import INPUT, OUTPUT
from nnctl.engine.parameters import Array
from nnctl.errors import DataError
from nnctl.spec import Spec

#: The fields that say what training had, and change nothing that is computed.
SEEN = ("seen", "unknown")


class Fitted(Spec):
    """Inputs and targets as they were in training, by their names, and the column of sample weights."""

    inputs: dict[str, AnyFitted]
    outputs: dict[str, AnyTarget]
    weight: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_version_1(cls, value: Any) -> Any:
        """Model files of version 1 have one encoder, of a table or of an array, which holds the target."""
        if not isinstance(value, Mapping) or "kind" not in value:
            return value
        own = {key: entry for key, entry in value.items() if key not in ("kind", "target", "weight")}
        kind = {"table": "columns"}.get(value["kind"], value["kind"])
        outputs = {OUTPUT: value.get("target")}
        return {"inputs": {INPUT: {"type": kind, **own}}, "outputs": outputs, "weight": value.get("weight")}

    def transforms_as(self, other: Fitted) -> bool:
        """Whether both make the same of the same data; what new data are only held against may differ."""
        return bool(_transforming(self.model_dump(mode="json")) == _transforming(other.model_dump(mode="json")))

    @property
    def of_table(self) -> bool:
        """Whether the examples are rows of a table."""
        return all(fitted.of_table for fitted in self.inputs.values())

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of a table that inputs are made of."""
        return tuple(dict.fromkeys(name for fitted in self.inputs.values() for name in fitted.reads))

    @property
    def numeric(self) -> tuple[str, ...]:
        """Those of them that hold numbers, and are nothing else."""
        numbers = {name for fitted in self.inputs.values() for name in fitted.numeric}
        other = {name for each in self.inputs.values() for name in each.reads if name not in each.numeric}
        return tuple(name for name in self.reads if name in numbers - other)

    @property
    def target_columns(self) -> tuple[str, ...]:
        """The columns of all targets."""
        return tuple(name for target in self.outputs.values() for name in target.columns)

    def suited(self, source: Source) -> Source:
        """A source that gives examples of the kind trained on, where it has a choice."""
        for fitted in self.inputs.values():
            source = fitted.suited(source)
        return source

    def weights(self, table: Table) -> Array | None:
        """The sample weights (n,), or None where the table has none; all are 1 then."""
        return None if self.weight is None or self.weight not in table.columns else read_weights(table, self.weight)

    def ignored(self, data: Table | Arrays) -> list[str]:
        """The columns of a table that play no part; arrays have none."""
        known = {*self.reads, *self.target_columns, self.weight}
        return [name for name in data.columns if name not in known] if isinstance(data, Table) else []


def _transforming(dumped: Any) -> Any:
    """A dump without what was only seen in training, which models of earlier versions do not say."""
    if isinstance(dumped, list):
        return [_transforming(part) for part in dumped]
    if isinstance(dumped, dict):
        return {key: _transforming(part) for key, part in dumped.items() if key not in SEEN}
    return dumped


def read_weights(table: Table, name: str) -> Array:
    """The column of sample weights (n,).

    Raises:
        DataError: where one is missing, negative or no number.
    """
    weights = finite_numbers(table, name)
    wrong = ~(weights >= 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{table.place(row)}: the weight {name!r} is {table[name][row]!r}; weights are numbers from 0")
    return weights
