"""What can be said of an experiment before it is trained."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from nnctl.data.columns import CategoricalColumn
from nnctl.data.inputs.columns import FittedColumns
from nnctl.engine.means import counted
from nnctl.engine.network import Network
from nnctl.engine.parameters import Array
from nnctl.engine.randomness import stream
from nnctl.engine.shards import MeanLoss, plan_shards, weighted
from nnctl.engine.slot import Slot
from nnctl.engine.workers import Workers
from nnctl.layers import Activation
from nnctl.optimizers.stepper import Stepper
from nnctl.training.diagnostics import PROBED, gradient_shares
from nnctl.training.idle import idle
from nnctl.training.job import Job
from nnctl.training.report import trivial_answers
from nnctl.training.shares import overbearing
from nnctl.training.tally import named

#: The initial loss may be this many times what chance gives; usual weights on ten inputs come to 5 for a number.
LARGE_START = 10.0
OVERFIT_STEPS = 1000
#: A batch counts as memorised when its loss has fallen to this share of the first one.
OVERFIT_SHARE = 0.05


@dataclass(frozen=True)
class LayerRow:
    """One layer: its name, the shape of one example after it, and its parameters."""

    name: str
    type: str
    shape: tuple[int, ...]
    parameters: int
    trained: int


@dataclass(frozen=True)
class Memory:
    """Bytes that training takes, by what they hold."""

    parameters: int
    gradients: int
    optimizer: int
    activations: int
    data: int


@dataclass(frozen=True)
class InitialLoss:
    """The loss of the first batch before any step, beside that of outputs that are all 0.

    Outputs of 0 prefer nothing: cross-entropy is ln C there, binary cross-entropy ln 2, and for a
    standardized target the loss is that of predicting the mean. Where they cost nothing, as with the perceptron's
    criterion or a target that is the same in every row, there is nothing to compare with.
    """

    loss: float
    chance: float


@dataclass(frozen=True)
class Overfit:
    """Training on one batch alone: the loss before, after, and whether it was memorised."""

    examples: int
    steps: int
    before: float
    after: float

    @property
    def learned(self) -> bool:
        return self.after <= OVERFIT_SHARE * self.before


def layer_rows(network: Network) -> list[LayerRow]:
    """A row a layer, in order."""
    rows = []
    for name, node in network.nodes.items():
        own = network.layout.declarations.get(name, {}).values()  # nothing of its own where it has another's weights
        sizes = [(prod(p.shape), p.trainable) for p in own]
        rows.append(
            LayerRow(
                name,
                node.layer.kind,
                network.signals[name].shape,
                sum(n for n, _ in sizes),
                sum(n for n, t in sizes if t),
            )
        )
    return rows


def memory(job: Job) -> Memory:
    """What training takes, in bytes: the large arrays, not the interpreter and its libraries."""
    item = np.dtype(job.experiment.runtime.dtype).itemsize
    layout, batch = job.network.layout, job.batch_size
    optimizer, training = job.experiment.optimizer, job.experiment.training
    shards = len(plan_shards(job.network, batch, job.most_shards))
    values = sum(signal.repeats * prod(signal.shape) for signal in job.network.signals.values())
    return Memory(
        parameters=item * layout.size * (1 + (training.averaging is not None)),
        gradients=item * layout.size * (shards + (shards > 1) + (training.accumulate > 1)),
        optimizer=item * layout.trained.stop * len(optimizer.vectors),
        activations=2 * item * batch * values,  # each value and its gradient
        data=sum(data.nbytes for _, data in job.splits()),
    )


def column_kinds(job: Job) -> dict[str, str]:
    """What each column of a table is taken for, categories with how many there are; last those that are excluded."""
    kinds: dict[str, str] = {}
    for fitted in job.data.inputs.values():
        if not isinstance(fitted, FittedColumns):
            kinds |= dict.fromkeys(fitted.reads, fitted.type)
            continue
        for column in fitted.columns:
            many = f", {len(column.categories)} different" if isinstance(column, CategoricalColumn) else ""
            kinds[column.name] = job.data.resolved.types[column.name] + many
    return kinds | dict.fromkeys(job.data.resolved.exclude, "excluded")


def sample(job: Job, rows: int) -> Array:
    """Some training examples drawn at random, the same at every check."""
    return stream(job.experiment.seed, "check").permutation(len(job.data.train))[:rows]


def initial_loss(job: Job) -> InitialLoss:
    """The first batch's loss at the start, and at outputs of 0."""
    batch = job.data.train.take(sample(job, max(job.batch_size, 256)), "float64")
    theta = job.network.layout.initial(job.experiment.seed, dtype="float64")
    objective = MeanLoss(job.network, job.heads, theta)
    loss = objective(batch, backward=False)
    chance = {}
    for output, head in job.heads.items():
        t, w, shape = batch.targets[output], batch.weights[output], job.network.shape_of(output)
        undecided = np.zeros((len(t), *shape))
        if head.loss.takes_probabilities:  # as likely as not, or one class as likely as another
            undecided += 1 / shape[-1] if head.loss.contains == "softmax" else 0.5
        losses = head.loss.forward(undecided, t, Slot("float64"))
        weights, mass = head.loss.weighting(t, w)
        chance[output] = float(counted(losses, weights) @ weights / mass)
    return InitialLoss(loss, weighted(chance, job.heads))


def model_warnings(job: Job) -> Iterator[str]:
    """What looks wrong about the network itself."""
    network, layout = job.network, job.network.layout
    layers = {name: node.layer for name, node in network.nodes.items()}
    weights = [(name.rpartition(".")[0], p) for name, p in layout.parameters.items() if p.role == "weight"]
    # The last of a chain may start at zero: what follows tells its units apart.
    last = {name.rpartition(".")[0]: name for name, _ in weights}.values()
    equal = {name for name, parameter in weights if parameter.init.symmetric and name not in last}
    for name, layer in layers.items():
        if name in equal:
            yield (
                f"{name} starts with equal weights: its units compute the same and, where the next layer's weights are "
                "equal too, learn the same for ever; use init: glorot_uniform, he_normal or "
                "{type: uniform, epsilon: 0.12}"
            )
        if isinstance(layer, Activation) and layer.function.flat:
            function = layer.function.type
            yield f"{name} is a {function}, whose derivative is 0: nothing before it learns; use sigmoid or tanh"
    for end in network.outputs.values():
        ending = layers.get(end)
        if isinstance(ending, Activation) and ending.function.dies:
            yield f"the network ends in {end}, so that an output of 0 gets no gradient; leave it linear"
    rows = len(job.data.train)
    restrained = job.experiment.training.early_stopping is not None or job.experiment.regularization.l2
    if layout.trained.stop > 100 * rows and not restrained:
        yield (
            f"{layout.trained.stop} trained parameters for {rows} examples: the network can memorise them; "
            "use fewer units, dropout, regularization.l2 or early stopping"
        )


def training_warnings(job: Job) -> Iterator[str]:
    """What training is asked to do and ends before, or what is done already."""
    training = job.experiment.training
    yield from job.experiment.schedule.unreached(training.epochs)
    if training.early_stopping is not None:
        yield from training.early_stopping.unreached(training.epochs)
    yield from idle(job)
    yield from monitor_warnings(job)
    for split, data in job.splits():
        for output, truth in data.truths.items():
            if not len(truth.present):
                yield f"no row of the {split} split says anything of {output}, whose figures there are not numbers"
    for truth in job.data.train.truths.values():
        present = truth.present
        constant = (present == present[:1]).all(axis=0) if present.ndim == 2 and len(present) > 1 else ()
        for name, value in ((truth.target.columns[i], present[0, i]) for i in np.flatnonzero(constant)):
            yield f"the target {name!r} is {value:g} in every row of training; there is nothing to learn"


def monitor_warnings(job: Job) -> Iterator[str]:
    """Which of the figures that are watched cannot be a number: the examples leave it undefined, whatever is predicted.

    Told by a prediction that is a number for every example: that of the baseline.
    """
    data, answers = dict(job.splits()), trivial_answers(job)
    metrics = named({output: {m.key: (output, m) for m in own} for output, own in job.metrics.items()})
    for place, monitor in job.monitors().items():
        split, _, key = monitor.partition(".")
        if key not in metrics:
            continue
        output, metric = metrics[key]
        if np.isnan(metric.value(metric.summed(data[split].answered(output, answers[output])))):
            yield (
                f"{monitor} will not be a number in any epoch: {metric.key} is undefined for {metric.undefined}, which "
                f"is what the {split} split has; write {place}: {split}.loss, or give that split other examples"
            )


def share_warnings(job: Job) -> Iterator[str]:
    """Which output decides alone, at the start, what the layers learn that several depend on."""
    yield from overbearing(shares(job))


def shares(job: Job) -> dict[str, float]:
    """Each output's share, at the start, of the gradient in what several outputs depend on."""
    theta = job.network.layout.initial(job.experiment.seed, dtype="float64")
    batch = job.data.train.take(sample(job, PROBED), "float64")
    return gradient_shares(MeanLoss(job.network, job.heads, theta), batch, (job.experiment.seed, "check"))


def loss_warning(initial: InitialLoss, *, scaled: bool = False) -> str | None:
    """What an unexpected initial loss says; inputs that are `scaled` are not what it comes from."""
    if not np.isfinite(initial.loss):
        return "the initial loss is not a finite number; look at the data's scale and at the initialisation"
    if initial.chance > 1e-9 and initial.loss > LARGE_START * initial.chance:
        other = "" if scaled else ", or the inputs are not scaled (data.preprocess.numeric: standardize)"
        times = initial.loss / initial.chance
        return f"the initial loss is {times:.1f} times what chance gives: the weights start too large{other}"
    return None


def overfit(job: Job, workers: Workers) -> Overfit:
    """Train on the first batch alone, without dropout, noise, penalty or schedule.

    A network that cannot memorise a few examples will not learn many well: a mistake in data,
    loss or learning rate shows here within seconds.
    """
    network = job.network.without(lambda layer: layer.disturbs)
    dtype = job.experiment.runtime.dtype
    batch = job.data.train.take(sample(job, job.batch_size), dtype)
    theta = network.layout.initial(job.experiment.seed, dtype=dtype)
    optimizer = job.experiment.optimizer
    objective = MeanLoss(network, job.heads, theta, workers)
    stepper = Stepper(optimizer, network.layout, theta.dtype, workers)
    before = after = objective(batch)
    while stepper.t < OVERFIT_STEPS and np.isfinite(after) and after > OVERFIT_SHARE * before / 2:
        stepper.step(theta, objective.gradient, optimizer.learning_rate)
        after = objective(batch)
    return Overfit(len(batch), stepper.t, before, after)
