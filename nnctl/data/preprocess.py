"""The `data.preprocess` section: how columns and arrays become the network's inputs."""

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from nnctl.spec import Spec

Kind = Literal["numeric", "categorical", "date", "date_dmy", "date_mdy"]
DateKind = Literal["date", "date_dmy", "date_mdy"]
Numeric = Literal["auto", "standardize", "min_max", "robust", "scale", "none"]
By = Literal["value", "channel"]
Categorical = Literal["one_hot", "ordinal"]
Missing = Literal["mean", "median", "most_frequent", "indicator", "error"]
Unseen = Literal["error", "other"]
Logarithm = Literal["log", "log1p"]
ColumnNumeric = Literal["auto", "standardize", "min_max", "robust", "scale", "none", "log", "log1p"]
TargetScaling = Literal["auto", "standardize", "none", "log", "log1p"]

#: How dates are written: year first, day first, month first.
DATE_KINDS: tuple[DateKind, ...] = get_args(DateKind)
#: The logarithms that `numeric` of a column and `target` may ask for.
LOGARITHMIC: tuple[Logarithm, ...] = get_args(Logarithm)

NUMERIC = (
    "How a numeric column x becomes (x - centre) / scale: standardize (mean, standard deviation), min_max (to 0..1), "
    "robust (median, distance of the quartiles), scale (arrays of unsigned bytes: divided by 255), none; "
    "auto is scale for unsigned bytes and standardize for all else."
)
LOGARITHMS = (
    " log and log1p, for what is spread over powers of ten, as amounts of money are: the standardized logarithms "
    "ln x of numbers above 0, or ln(1 + x) of numbers from 0."
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
    {numeric: log, missing: median}
    ```
    """

    numeric: ColumnNumeric | None = Field(None, description=NUMERIC + LOGARITHMS)
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
    | log, log1p | mean of the logarithms | their standard deviation; z is of ln x, or of ln(1 + x) |

    The scale of a constant column is 1, as in scikit-learn, whose RobustScaler leaves the scale of equal
    quartiles 1 as well. A number-valued target is standardized too, and predictions are mapped back; its
    loss is then in standard deviations, its metrics in its own units. With `target: log` the
    logarithms ln y are standardized, and exp maps predictions back: an error is then a share of the number, not an
    amount. In arrays, each value of an example has its own centre and scale, or with `by: channel` each channel: the
    last axis of images (h, w, channels), while a grey image (h, w) is one. Source: LeCun et al., "Efficient BackProp"
    (1998), section 4.3.

    ```yaml
    {numeric: standardize, categorical: one_hot, missing: mean, columns: {age: {numeric: robust, missing: median}}}
    ```
    """

    numeric: Numeric = Field("auto", description=NUMERIC)
    by: By = Field(
        "value",
        description="What in an array has a centre and a scale of its own: each value or each channel; by channel, "
        "numeric is standardize where it is auto.",
    )
    categorical: Categorical = Field("one_hot", description=CATEGORICAL)
    missing: Missing = Field("mean", description=MISSING)
    unseen: Unseen = Field("error", description=UNSEEN)
    target: TargetScaling = Field(
        "auto",
        description="Scaling of a target of numbers; auto is standardize, and none for a loss of counts. log and log1p "
        "standardize the logarithms ln y of numbers above 0, or ln(1 + y) of numbers from 0. Predictions are mapped "
        "back.",
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
