"""The `data` section of the experiment file."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nnctl.data.augmentation import AnyAugmentation
from nnctl.data.inputs import AnyInput
from nnctl.data.outputs import ORDER, TASK, Order, Output
from nnctl.data.preprocess import Kind, Preprocess
from nnctl.data.sources import AnySource
from nnctl.metrics import Task
from nnctl.spec import Fraction, Listed, Reticent

PartName = Literal["validation", "test"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]

#: The share of a split, where its `split` entry is left out.
DEFAULT_SHARE = 0.15


class Split(Reticent):
    """How `source` is cut into training, validation and test rows.

    At random, by the experiment's seed; or `by: time`, where the rows with the latest dates or numbers in a column are
    the test split and those before them the validation split, so that a model is measured on what comes after all it
    learned from; or `by: group`, where the rows that have the same value in a column, such as those of a customer, are
    all in one split, so that it is measured on customers it has never met.

    ```yaml
    {by: time, column: date, validation: 0.15, test: 0.15}
    ```
    """

    unsaid: ClassVar[tuple[str, ...]] = ("by", "column")

    by: Literal["row", "time", "group"] = Field(
        "row",
        description="What decides where a row goes: chance (row), the order of a column (time; rows of the same time "
        "stay together), or chance for all rows together that have the same value in a column (group).",
    )
    column: str | None = Field(
        None,
        description="The column of times or groups; it need not be learned from, and groups are not unless asked to.",
    )
    validation: Fraction | None = Field(
        None, description="Share of the rows for validation; left out, 0.15, or none where a file is given for it."
    )
    test: Fraction | None = Field(
        None, description="Share of the rows for the test; left out, 0.15, or none where a file is given for it."
    )
    stratify: Literal["auto"] | bool = Field(
        "auto",
        description="Whether every split has the classes in the same proportions; auto: where there are classes, and "
        "rows are split by chance.",
    )

    @model_validator(mode="after")
    def _by_a_column(self) -> Self:
        if self.by == "row" and self.column is not None:
            raise ValueError(f"column is {self.column}, and by is row; write by: time or by: group, or take column out")
        if self.by != "row" and self.column is None:
            raise ValueError(f"by is {self.by}; name the column of {self.by}s, as in `column: date`")
        if self.by != "row" and self.stratify is True:
            raise ValueError(f"by is {self.by}, which decides where every row goes, and stratify is true; take one out")
        return self

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if (self.validation or 0) + (self.test or 0) >= 1:
            raise ValueError("validation and test together take every row; their shares must sum to less than 1")
        return self


class DataSpec(Reticent):
    """Where the examples are, what to predict, and how to prepare them.

    `source` is dealt out to the splits, but for those that have a file of their own; `train` instead of
    `source` is used whole. A network with one input and one output needs no names for them; several are
    named by `inputs` and `outputs`.

    ```yaml
    source: {type: csv, path: iris.csv}
    target: species
    split: {validation: 0.2, test: 0.2}
    ```
    """

    unsaid: ClassVar[tuple[str, ...]] = ("inputs", "outputs", "order")

    source: AnySource | None = Field(None, description="Examples to be split.")
    train: AnySource | None = Field(None, description="Training examples, used whole; instead of `source`.")
    validation: AnySource | None = Field(None, description="Validation examples.")
    test: AnySource | None = Field(None, description="Test examples.")
    target: str | Annotated[tuple[str, ...], Listed, Field(min_length=1)] | None = Field(
        None, description="The column to predict, or several; arrays have their own."
    )
    inputs: dict[Name, AnyInput] = Field(
        {}, description="Several inputs, or one of another kind, by name; instead of `features`."
    )
    outputs: dict[Name, Output] = Field({}, description="Several outputs, by name; instead of `target`.")
    task: Literal["auto"] | Task = Field("auto", description=TASK)
    order: Order | None = Field(None, description=ORDER)
    features: Annotated[tuple[str, ...], Listed, Field(min_length=1)] | None = Field(
        None, description="The columns to learn from; left out, all but target, weight and `exclude`."
    )
    exclude: Annotated[tuple[str, ...], Listed] = Field((), description="Columns not to learn from.")
    weight: str | None = Field(None, description="The column of sample weights, numbers from 0.")
    types: dict[str, Kind] = Field(
        {},
        description="Columns that are numeric, categorical or dates against appearances: date has the year first, "
        "date_dmy the day and date_mdy the month, as 03/04/2021 may have.",
    )
    missing_target: Literal["error", "drop"] = Field(
        "error", description="Rows without target: error refuses them, drop leaves them out and counts them."
    )
    malformed: Literal["error", "skip"] = Field(
        "error", description="Rows that cannot be read: error refuses them, skip leaves them out and names them."
    )
    split: Split = Field(Split(), description="How `source` is split.")
    preprocess: Preprocess = Field(Preprocess(), description="How columns become numbers.")
    augment: Annotated[tuple[AnyAugmentation, ...], Listed] = Field(
        (), description="Random changes of the training batches of arrays, one after another, before `preprocess`."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.source is None) == (self.train is None):
            raise ValueError(
                "write `source` (examples to be split) or `train` (training examples, used whole), one of them"
            )
        for part in ("validation", "test"):
            share = getattr(self.split, part)
            if share and (getattr(self, part) is not None or self.train is not None):
                has, remedy = "`train` is used whole", ", or write `source:` instead of `train:`"
                if getattr(self, part) is not None:
                    has, remedy = f"`{part}` has examples of its own", ""
                raise ValueError(f"split.{part} is {share}, but {has}; leave split.{part} out{remedy}")
        if self.split.by != "row":
            if self.train is not None or (self.validation is not None and self.test is not None):
                raise ValueError(f"split.by is {self.split.by}, and every split has examples of its own; take it out")
            if self.split.column in self.target_columns:
                raise ValueError(f"split.column is {self.split.column}, which is to be predicted; name another column")
        return self

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        for name in ("features", "exclude", "augment"):
            if self.inputs and getattr(self, name):
                first = next(iter(self.inputs))
                key = "augment" if name == "augment" else "columns"
                raise ValueError(f"`{name}` is for one input without a name; write `inputs.{first}.{key}` instead")
        for name in ("target", "task", "order"):
            if self.outputs and getattr(self, name) != type(self).model_fields[name].default:
                first = next(iter(self.outputs))
                raise ValueError(f"`{name}` is for one output without a name; write `outputs.{first}.{name}` instead")
        both = sorted(set(self.inputs) & set(self.outputs))
        if both:
            raise ValueError(f"{', '.join(both)} is the name of an input and of an output; give one another name")
        mixed = [name for name, each in self.inputs.items() if any(change.mixes for change in each.augmentations)]
        if mixed and (len(self.inputs) > 1 or len(self.outputs) > 1):
            raise ValueError(
                f"inputs.{mixed[0]}.augment: mixup mixes the examples of one input with one output; take it out"
            )
        return self

    @model_validator(mode="after")
    def _columns_once(self) -> Self:
        special = [*self.targets, *([self.weight] if self.weight else [])]
        named = [*special, *(self.features or ())]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(
                f"{', '.join(twice)} named twice among target, weight and features; a column has one part to play"
            )
        both = sorted(set(self.exclude) & set(named))
        if both:
            raise ValueError(
                f"{', '.join(both)} is excluded and used as target, weight or feature; drop one of the two"
            )
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns, however many."""
        return (self.target,) if isinstance(self.target, str) else self.target or ()

    @property
    def target_columns(self) -> tuple[str, ...]:
        """The target columns of all outputs."""
        return self.targets or tuple(name for output in self.outputs.values() for name in output.columns)

    def share(self, part: PartName) -> float:
        """The share of `source` that goes to a split."""
        own = getattr(self.split, part)
        if self.train is not None or getattr(self, part) is not None:
            return 0.0
        return DEFAULT_SHARE if own is None else float(own)
