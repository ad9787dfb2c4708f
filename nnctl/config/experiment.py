"""`Experiment`, the root of the experiment file."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nnctl.config.model import Model
from nnctl.data.spec import DataSpec
from nnctl.losses import AnyLoss
from nnctl.metrics import AnyMetric, unique_keys
from nnctl.optimizers import Adam, AnyOptimizer
from nnctl.regularization import Regularization
from nnctl.schedules import AnySchedule, Constant
from nnctl.spec import Fraction, Listed, Spec


class EarlyStopping(Spec):
    """Stop when a figure has not improved for a while.

    An epoch improves when its figure beats the best so far by more than `min_delta`; after `patience`
    epochs in a row without, training stops. Source: Prechelt, "Early stopping - but when?", in Neural
    Networks: Tricks of the Trade (1998).

    ```yaml
    {monitor: validation.loss, patience: 8, min_delta: 0.0, restore_best: true}
    ```
    """

    monitor: str = Field("validation.loss", description="What to watch: a key of metrics.jsonl.")
    patience: int = Field(8, ge=1, description="Epochs without improvement before training stops.")
    min_delta: float = Field(0.0, ge=0, description="An improvement must be larger than this.")
    baseline: float | None = Field(None, description="The first value to beat; left out, none.")
    warmup: int = Field(0, ge=0, description="Epochs at the start that do not count as waiting.")
    restore_best: bool = Field(True, description="Keep the weights of the best epoch, not those of the last.")

    def unreached(self, epochs: int) -> Iterator[str]:
        """What these settings ask for and a training of `epochs` epochs ends before; a clause for each."""
        if self.warmup >= epochs:
            yield (
                f"training.early_stopping.warmup is {self.warmup} epochs and training.epochs is {epochs}: no epoch "
                "counts as waiting; shorten the warm-up, or train longer"
            )


class Averaging(Spec):
    """Average the weights over the last steps, against the noise of single batches.

    After step t the average s of the parameters theta moves by a share of the way to them,

        s_t = s_{t-1} + a_t (theta_t - s_{t-1})        a_t = (1 - decay) / (1 - decay^t)

    which is the mean of theta_1 ... theta_t with weights decay^(t - i): that of about the last 1 / (1 - decay) steps,
    in which, as in Adam, the start has no part. Training goes on from theta; validation, early stopping, evaluation
    and the model take s, running statistics of normalisations with it. Keras's `use_ema` and PyTorch's
    `AveragedModel` have a_t = 1 - decay for all t but the first, so that theta_1 counts for long. Sources: Polyak and
    Juditsky, "Acceleration of stochastic approximation by averaging", 1992; with weights that fall exponentially as in
    Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016, section 8.

    ```yaml
    {decay: 0.999}
    ```
    """

    decay: Fraction = Field(0.999, description="What each step leaves of the weight of those before; 0.99 is short.")

    def share(self, step: int) -> float:
        """a_t, how far the average moves with step t, counted from 1."""
        return float((1 - self.decay) / (1 - self.decay**step))


class Training(Spec):
    """How long and in what steps to train.

    ```yaml
    epochs: 60
    batch_size: 32
    clip_norm: 5.0
    early_stopping: {patience: 8}
    ```
    """

    epochs: int = Field(50, ge=1, description="Passes over the training data, at most.")
    batch_size: Annotated[int, Field(ge=1)] | Literal["full"] = Field(
        32, description="Examples a batch: 1 is stochastic, `full` is batch gradient descent."
    )
    accumulate: int = Field(
        1,
        ge=1,
        description="Batches a step: their gradients are put together to that of one batch so many times as large, in "
        "the memory of a small one. Batch normalisation still sees small ones.",
    )
    shuffle: bool = Field(True, description="Whether every epoch takes the examples in a new order.")
    clip_norm: float | None = Field(
        None,
        gt=0,
        description="Largest norm of the gradient, with that of the penalties l1 and l2 in it; longer ones are scaled. "
        "(PyTorch's `weight_decay` is added after clipping.)",
    )
    clip_norm_each: float | None = Field(
        None,
        gt=0,
        description="Largest norm of the gradient of one tensor, such as a layer's weights, after `clip_norm`.",
    )
    clip_value: float | None = Field(
        None, gt=0, description="Largest absolute value of a gradient's entry, after clipping by norms and like it."
    )
    early_stopping: EarlyStopping | None = Field(None, description="When to stop before the last epoch; null: never.")
    averaging: Averaging | None = Field(
        None, description="Whether the model is an average of the weights over the last steps; null: the last weights."
    )
    restarts: int = Field(1, ge=1, description="Random initialisations to train; the best on validation is kept.")
    shards: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = Field(
        "auto",
        description="The most pieces a batch is cut into, which run at the same time. Their gradients are added in "
        "order: this number may change last digits, which the number of threads never does. `auto` is 4.",
    )


class Runtime(Spec):
    """How to compute; none of it changes what is learned, but for `dtype`.

    ```yaml
    {dtype: float32, threads: auto, checkpoint_seconds: 10}
    ```
    """

    dtype: Literal["float32", "float64"] = Field("float32", description="Precision of all arithmetic.")
    threads: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = Field(
        "auto", description="Threads to train on; `auto` is one a core. The result is the same with any number."
    )
    ranks: int = Field(
        1,
        ge=1,
        le=512,
        description="Processes that train together, each on its own shards of a batch, in place of threads. The result "
        "is the same with any number.",
    )
    kernels: Literal["auto", "numpy", "compiled"] = Field(
        "auto",
        description="Whether short loops run compiled, which needs the extra `[fast]` and changes no bit; `auto` "
        "compiles them for trainings that are long enough to gain by it.",
    )
    checkpoint_seconds: float = Field(
        10.0, ge=0, description="Seconds between checkpoints; 0 writes one after every epoch."
    )


class Experiment(Spec):
    """An experiment: the data, the model, and how to train it."""

    name: str = Field("run", pattern=r"^[A-Za-z0-9][\w.-]*$", description="Names the run's directory.")
    seed: int = Field(0, ge=0, description="Where all randomness comes from: split, start, shuffles, dropout.")
    data: DataSpec = Field(description="Where the examples are, what to predict, how to prepare them.")
    model: Model = Field(Model(), description="The network.")
    loss: AnyLoss | None = Field(
        None,
        description="What training makes small; left out: cross_entropy for classes, binary_cross_entropy for two "
        "classes or several labels, mean_squared_error for numbers.",
    )
    optimizer: AnyOptimizer = Field(Adam(), description="How weights follow the gradient.")
    schedule: AnySchedule = Field(Constant(), description="How the learning rate changes over the epochs.")
    regularization: Regularization = Field(Regularization(), description="What keeps weights small.")
    training: Training = Field(Training(), description="How long and in what steps to train.")
    metrics: Annotated[tuple[AnyMetric, ...], Listed, AfterValidator(unique_keys)] | None = Field(
        None, description="What to report beside the loss; left out, what suits the task."
    )
    runtime: Runtime = Field(Runtime(), description="Precision and threads.")
