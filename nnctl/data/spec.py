"""The `data` section of the experiment file."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nnctl.data.augmentation import AnyAugmentation
from nnctl.data.sources import AnySource
from nnctl.spec import Fraction, Listed, Spec

Task = Literal["classification", "regression", "multilabel"]
Kind = Literal["numeric", "categorical"]
PartName = Literal["validation", "test"]
Numeric = Literal["auto", "standardize", "min_max", "robust", "scale", "none"]
Categorical = Literal["one_hot", "ordinal"]
Missing = Literal["mean", "median", "most_frequent", "indicator", "error"]
Unseen = Literal["error", "other"]
TargetScaling = Literal["auto", "standardize", "none"]

#: The share of a part that is split off, where its `split` entry is left out.
DEFAULT_SHARE = 0.15

NUMERIC = (
    "How a numeric column x becomes (x - centre) / scale: standardize (mean, standard deviation), min_max (to 0..1), "
    "robust (median, distance of the quartiles), scale (arrays of unsigned bytes: divided by 255), none; "
    "auto is scale for unsigned bytes and standardize for all else."
)
CATEGORICAL = "How a category becomes numbers: one_hot (a 0/1 column each) or ordinal (its number, from 0)."
MISSING = (
    "What fills a missing value: the column's mean, median or most_frequent value (categories: most frequent in all "
    "three), indicator (mean, and a 0/1 column that says it was missing); error refuses it."
)
UNSEEN = "A category that training did not have: error refuses it, other is all zeros (ordinal: -1)."


class ColumnOptions(Spec):
    """How one column is prepared where it differs from the rest; keys left out follow the rest.

    ```yaml
    {numeric: robust, missing: median}
    ```
    """

    numeric: Numeric | None = Field(None, description=NUMERIC)
    categorical: Categorical | None = Field(None, description=CATEGORICAL)
    missing: Missing | None = Field(None, description=MISSING)
    unseen: Unseen | None = Field(None, description=UNSEEN)


class Preprocess(Spec):
    """How columns become the network's inputs. Every number is taken from the training split alone.

        z = (x - centre) / scale

    | numeric | centre | scale |
    |---|---|---|
    | standardize | mean | standard deviation (divided by n) |
    | min_max | smallest | largest - smallest |
    | robust | median | third - first quartile, or the standard deviation where these are equal |
    | none | 0 | 1 |

    The scale of a constant column is 1, as in scikit-learn, whose RobustScaler leaves the scale of equal
    quartiles 1 as well. A number-valued target is standardized too, and predictions are mapped back; its
    loss is then in standard deviations, its metrics in its own units. In arrays, each value of an example
    has its own centre and scale, or with `by: channel` each channel: the last axis of images (h, w,
    channels), while a grey image (h, w) is one. Source: LeCun et al., "Efficient BackProp" (1998), section 4.3.

    ```yaml
    {numeric: standardize, categorical: one_hot, missing: mean, columns: {age: {numeric: robust, missing: median}}}
    ```
    """

    numeric: Numeric = Field("auto", description=NUMERIC)
    by: Literal["value", "channel"] = Field(
        "value",
        description="What in an array has a centre and a scale of its own: each value or each channel; by channel, "
        "numeric is standardize where it is auto.",
    )
    categorical: Categorical = Field("one_hot", description=CATEGORICAL)
    missing: Missing = Field("mean", description=MISSING)
    unseen: Unseen = Field("error", description=UNSEEN)
    target: TargetScaling = Field(
        "auto",
        description="Scaling of a target of numbers; auto is standardize, and none for a loss of counts. Predictions "
        "are mapped back.",
    )
    max_categories: int = Field(1000, ge=2, description="The most categories one_hot makes columns of.")
    columns: dict[str, ColumnOptions] = Field({}, description="Exceptions, by column.")

    @model_validator(mode="after")
    def _can_be_put_together(self) -> Self:
        if self.by == "channel" and self.numeric == "robust":
            raise ValueError(
                "robust needs a median, which is not computed by channel; standardize, min_max, scale and none are"
            )
        return self

    def options(self, column: str) -> ColumnOptions:
        """What holds for one column, every key filled in."""
        own = self.columns.get(column, ColumnOptions())
        return ColumnOptions(
            numeric=own.numeric or self.numeric,
            categorical=own.categorical or self.categorical,
            missing=own.missing or self.missing,
            unseen=own.unseen or self.unseen,
        )


class Split(Spec):
    """How `source` is cut into training, validation and test rows: at random, by the experiment's seed.

    ```yaml
    {validation: 0.15, test: 0.15, stratify: auto}
    ```
    """

    validation: Fraction | None = Field(
        None, description="Share of the rows for validation; left out, 0.15, or none where a file is given for it."
    )
    test: Fraction | None = Field(
        None, description="Share of the rows for the test; left out, 0.15, or none where a file is given for it."
    )
    stratify: Literal["auto"] | bool = Field(
        "auto", description="Whether every part has the classes in the same proportions; auto: where there are classes."
    )

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if (self.validation or 0) + (self.test or 0) >= 1:
            raise ValueError("validation and test together take every row; their shares must sum to less than 1")
        return self


class DataSpec(Spec):
    """Where the examples are, what to predict, and how to prepare them.

    `source` is split into parts, except those that have a file of their own; `train` instead of
    `source` is used whole.

    ```yaml
    source: {type: csv, path: iris.csv}
    target: species
    split: {validation: 0.2, test: 0.2}
    ```
    """

    source: AnySource | None = Field(None, description="Examples to be split.")
    train: AnySource | None = Field(None, description="Training examples, used whole; instead of `source`.")
    validation: AnySource | None = Field(None, description="Validation examples.")
    test: AnySource | None = Field(None, description="Test examples.")
    target: str | Annotated[tuple[str, ...], Listed, Field(min_length=1)] | None = Field(
        None, description="The column to predict, or several; arrays have their own."
    )
    task: Literal["auto"] | Task = Field(
        "auto",
        description="What the target is; auto: several 0/1 columns are multilabel, text and up to 20 different whole "
        "numbers are classification, else regression, as far as the loss allows it.",
    )
    features: Annotated[tuple[str, ...], Listed, Field(min_length=1)] | None = Field(
        None, description="The columns to learn from; left out, all but target, weight and `exclude`."
    )
    exclude: Annotated[tuple[str, ...], Listed] = Field((), description="Columns not to learn from.")
    weight: str | None = Field(None, description="The column of sample weights, numbers from 0.")
    types: dict[str, Kind] = Field({}, description="Columns that are numeric or categorical against appearances.")
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

    def share(self, part: PartName) -> float:
        """The share of `source` that goes to a part."""
        own = getattr(self.split, part)
        if self.train is not None or getattr(self, part) is not None:
            return 0.0
        return DEFAULT_SHARE if own is None else float(own)
