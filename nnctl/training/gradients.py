"""The gradient check of a whole model: its loss and penalty, a batch of its data, float64."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Literal

import numpy as np

from nnctl.engine.batch import Batch
from nnctl.engine.gradcheck import GradientCheck, Point, Settings, TensorCheck
from nnctl.engine.loss import Head
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array
from nnctl.engine.randomness import stream
from nnctl.engine.sequences import Sequences
from nnctl.engine.shards import MeanLoss
from nnctl.errors import Diverged
from nnctl.regularization import Penalty, Regularization
from nnctl.training.job import Job

#: Examples of the batch: enough that every class and most units take part, few enough to be quick.
BATCH = 16
DEFAULTS = Settings()
#: How far beside a start that lies on a kink the check is made instead; steps are shorter.
ASIDE = 0.01
ALL = "all parameters"


@dataclass(frozen=True)
class GradientReport:
    """What the check found: one entry a trained tensor, one for all of them together, one for the input.

    Inputs that are whole numbers, such as tokens, have no gradient and no entry. `frozen` are the tensors that are not
    trained, which have no gradient to check. `aside` is the standard deviation of the random numbers that were added to
    the parameters before.
    """

    checks: list[TensorCheck]
    frozen: list[str]
    loss: float
    penalty: float
    examples: int
    settings: Settings
    aside: float = 0.0

    @property
    def failed(self) -> list[TensorCheck]:
        """The tensors over the tolerance."""
        return [check for check in self.checks if not check.worst <= self.settings.tolerance]

    @property
    def undecided(self) -> list[TensorCheck]:
        """The tensors in which nothing could be compared, and all together where rounding hides their derivative."""
        return [check for check in self.checks if not check.compared or (check.name == ALL and not check.resolved)]

    @property
    def verdict(self) -> Literal["passed", "failed", "undecided"]:
        """What the check says: only what could be compared, and agrees, has passed."""
        return "failed" if self.failed else "undecided" if self.undecided else "passed"

    @property
    def worst(self) -> TensorCheck:
        """The tensor with the largest error."""
        return max(self.checks, key=lambda check: (check.worst, check.compared))


def check_job(
    job: Job, theta: Array | None = None, batch: int = BATCH, settings: Settings = DEFAULTS
) -> GradientReport:
    """Check the gradients a job trains on, at its first initialisation or at given parameters.

    Takes `batch` training examples at random, with their sample weights; dropout masks are held still,
    batch normalisation uses the batch. Biases start at 0, and over the black ground of an image ReLU's net is then
    0 exactly, on its kink: where a tensor cannot be compared at the start, the check is made a little beside it.

    Raises:
        Diverged: where the loss is not finite there.
    """
    seed, train = job.experiment.seed, job.data.train
    rows = stream(seed, "gradcheck batch").permutation(len(train))[:batch]
    examples = train.take(rows, np.float64)
    layout = job.network.layout
    place = layout.initial(seed, dtype=np.float64) if theta is None else theta
    report = check_network(job.network, job.heads, place, examples, job.penalty(), seed, settings)
    if theta is not None or all(check.compared for check in report.checks):
        return report
    place[layout.trained] += stream(seed, "gradcheck aside").normal(0, ASIDE, layout.trained.stop)
    beside = check_network(job.network, job.heads, place, examples, job.penalty(), seed, settings)
    return replace(beside, aside=ASIDE)


def check_network(
    network: Network,
    heads: Mapping[str, Head],
    theta: Array,
    batch: Batch,
    penalty: Penalty | None = None,
    seed: int = 0,
    settings: Settings = DEFAULTS,
) -> GradientReport:
    """Check the gradient of the mean loss of a batch, plus the penalty, at theta.

    Whole numbers as inputs stay what they are: there is nothing between two tokens.
    """
    layout, theta = network.layout, theta.astype(np.float64)
    batch = Batch({name: _own(x) for name, x in batch.inputs.items()}, batch.targets, batch.weights)
    numbers = {name: _array(x) for name, x in batch.inputs.items() if _array(x).dtype.kind == "f"}
    penalty = penalty or Penalty(Regularization(), layout)
    objective = MeanLoss(network, heads, theta, to_input=True)

    def evaluate(*, backward: bool = False) -> Point:
        # One address for all evaluations: the same dropout masks, the same noise.
        value = objective(batch, address=(seed, "gradcheck"), backward=backward)
        return Point(value + penalty.value(theta), [*objective.pieces(), *_pieces(penalty, theta)])

    with np.errstate(all="ignore"):  # what is not finite shows in the result
        value = evaluate(backward=True).value
        if not isfinite(value):
            raise Diverged(f"the loss of the checked batch is {value}, so it has no gradient to check")
        gradient, to_inputs = objective.gradient, objective.input_gradients
        penalty.add_gradient(theta, gradient)

        trained = theta[layout.trained]
        check = GradientCheck(evaluate, [trained, *numbers.values()], stream(seed, "gradcheck entries"), settings)
        names = [name for name, parameter in layout.parameters.items() if parameter.trainable]
        checks = [check.tensor(name, layout.view(theta, name), layout.view(gradient, name)) for name in names]
        if names:
            checks.append(check.directions(ALL, trained, gradient[layout.trained]))
        checks += [check.tensor(name, x, to_inputs[name]) for name, x in numbers.items()]
    frozen = [name for name, parameter in layout.parameters.items() if not parameter.trainable]
    size = penalty.value(theta)
    return GradientReport(checks, frozen, value - size, size, len(batch), settings)


def _array(x: Any) -> Array:
    """The numbers of an input; of sequences, those of all steps."""
    return x.values if isinstance(x, Sequences) else np.asarray(x)


def _own(x: Any) -> Any:
    """A copy in float64 that may be changed in place; whole numbers, such as tokens, stay what they are."""
    if isinstance(x, Sequences):
        return Sequences(_own(x.values), x.lengths)
    x = np.asarray(x[:])
    return np.array(x, np.float64 if x.dtype.kind == "f" else x.dtype)


def _pieces(penalty: Penalty, theta: Array) -> list[Any]:
    """The penalty's kinks: |w| has one at 0."""
    return [np.sign(theta[term.span]) for term in penalty.terms if term.l1]
