"""What one of a network's outputs predicts, as the experiment file says it."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from nnctl.losses import AnyLoss
from nnctl.metrics import AnyMetric, Task, unique_keys
from nnctl.spec import Listed, Positive, Reticent

Order = Annotated[tuple[str | int, ...], Listed, Field(min_length=2)]
ORDER = (
    "The classes from the lowest to the highest; left out, they are in order of their value where all are numbers, and "
    "else of their spelling."
)

TASK = (
    "What the target is; auto: several 0/1 columns are multilabel, text and up to 20 different whole numbers are "
    "classification, else regression, as far as the loss allows it."
)


class Output(Reticent):
    """What one of several outputs predicts, and how far it is wrong.

    An empty cell in its target means that this row says nothing of it: the output's loss is the mean over the rows
    that say something, and 0 in a batch where none does. What is made small is the sum over the outputs,

        J = sum_h weight_h J_h

    ```yaml
    {target: price, loss: huber, weight: 0.5, metrics: [mae]}
    ```
    """

    unsaid: ClassVar[tuple[str, ...]] = ("order",)

    target: str | Annotated[tuple[str, ...], Listed, Field(min_length=1)] = Field(
        description="The column to predict, or several."
    )
    task: Literal["auto"] | Task = Field("auto", description=TASK)
    order: Order | None = Field(None, description=ORDER)
    loss: AnyLoss | None = Field(None, description="What training makes small; left out, what suits the target.")
    weight: Positive = Field(1.0, description="How much the output's loss counts in the sum over all outputs.")
    metrics: Annotated[tuple[AnyMetric, ...], Listed, AfterValidator(unique_keys)] | None = Field(
        None, description="What to report beside the loss; left out, what suits the target."
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """The target columns, however many."""
        return (self.target,) if isinstance(self.target, str) else self.target
