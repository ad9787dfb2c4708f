"""Early stopping, restarts, the health of layers, and what is said of a divergence."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from nnctl.activations import Relu, Tanh
from nnctl.config.experiment import EarlyStopping, Experiment
from nnctl.engine.batch import INPUT, single
from nnctl.engine.network import Pass, chain
from nnctl.engine.workers import Workers
from nnctl.errors import Diverged
from nnctl.layers import Activation, Dense
from nnctl.layers.blocks import Residual
from nnctl.optimizers import SGD
from nnctl.optimizers.stepper import Stepper
from nnctl.training.assemble import assemble
from nnctl.training.diagnostics import first_non_finite, layer_health, unit_health
from nnctl.training.job import Job
from nnctl.training.loop import EpochDone, Finished, start, train
from nnctl.training.state import State
from nnctl.training.stopping import Monitor
from nnctl.training.trials import Trials
from tests.experiments import SHIPPED


def state() -> State:
    made = job()
    theta = made.network.layout.initial(0)
    return State(theta, Stepper(SGD(), made.network.layout, "f4"), made.objective(theta, theta, 0, Workers()))


def epochs(monitor: Monitor, values: Sequence[float]) -> tuple[int, int, float | None]:
    """Feed a monitor one value an epoch; the epochs it ran, and which was the best."""
    s = state()
    for value in values:
        s.epoch += 1
        monitor.observe(value, s)
        if monitor.exhausted(s):
            break
    return s.epoch, s.best_epoch, s.best_value


@pytest.mark.parametrize(
    ("rule", "values", "ended", "best"),
    [
        ({"patience": 2}, [3, 2, 2.5, 2.4, 1], 4, 2),
        ({"patience": 2}, [3, 2, 2.5, 1.9, 1.95, 2, 0], 6, 4),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.6, 1], 2, 1),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.4, 2.3, 1], 3, 2),
        ({"patience": 2, "baseline": 1.0}, [3, 2, 1.5], 2, 0),
        ({"patience": 1, "warmup": 3}, [1, 2, 3, 4, 5], 4, 1),
        ({"patience": 2}, [float("nan"), 2, float("nan"), float("nan")], 4, 2),
    ],
)
def test_when_it_ends_and_what_was_best(rule: dict[str, Any], values: Sequence[float], ended: int, best: int) -> None:
    epoch, best_epoch, _ = epochs(Monitor(EarlyStopping(**rule), "validation.loss", higher_is_better=False), values)
    assert (epoch, best_epoch) == (ended, best)


def test_higher_may_be_better() -> None:
    monitor = Monitor(EarlyStopping(patience=2), "validation.accuracy", higher_is_better=True)
    assert epochs(monitor, [0.1, 0.5, 0.4, 0.45, 0.9]) == (4, 2, 0.5)


def test_the_best_restart_is_kept_and_one_without_a_figure_is_not() -> None:
    monitor = Monitor(None, "validation.loss", higher_is_better=False)
    trials = Trials(lambda _: state(), state())
    for value in (float("nan"), 0.4, 0.2, 0.3):
        trials.state.last_value, trials.state.theta = value, np.full(1, value, "f4")
        trials.close(monitor)
        trials.next()
    assert trials.kept(monitor)["restart"] == 3
    assert trials.champion == np.float32(0.2)


def test_health_of_a_step() -> None:
    network = chain([Dense(units=2, bias=False), Dense(units=1, bias=False)], (1,))
    before = np.array([3.0, 4.0, 1.0, 0.0])
    gradient = np.array([0.0, 2.0, 3.0, 4.0])
    health = layer_health(network, before + np.array([0.3, 0.4, 0, 0.5]), before, gradient)
    assert health == {
        "dense1": {"gradient_norm": 2.0, "update_ratio": pytest.approx(0.1)},
        "dense2": {"gradient_norm": 5.0, "update_ratio": pytest.approx(0.5)},
    }


def test_dead_and_saturated_units() -> None:
    network = chain([Activation(function=Relu()), Activation(function=Tanh())], (4,))
    x = np.array([[-1.0, 1.0, -1.0, 9.0], [-2.0, -1.0, -3.0, 8.0]])
    health = unit_health(network, Pass(network, network.layout.initial(0, dtype="f8")), {INPUT: x})
    assert health == {"relu1": {"dead": 0.5}, "tanh1": {"saturated": 0.25}}


def test_health_inside_a_block() -> None:
    inside = (Dense(units=1, bias=False), Activation(function=Relu()), Dense(units=1, bias=False))
    network = chain([Residual(layers=inside)], (1,))
    before = np.array([4.0, 5.0])  # the weights of the two dense layers
    health = layer_health(network, before + np.array([0.4, 0.0]), before, np.array([2.0, 3.0]))
    assert health == {
        "residual1.layers.dense1": {"gradient_norm": 2.0, "update_ratio": pytest.approx(0.1)},
        "residual1.layers.dense2": {"gradient_norm": 3.0, "update_ratio": 0.0},
    }
    dead = unit_health(network, Pass(network, before), {INPUT: np.array([[-1.0], [-2.0]])})
    assert dead == {"residual1.layers.relu1": {"dead": 1.0}}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda x, theta, g: x.fill(np.inf), "the inputs already hold"),
        (lambda x, theta, g: theta.__setitem__(0, np.nan), "the parameter dense1.weight"),
        (lambda x, theta, g: theta.__imul__(1e200), "the output of layer dense2"),
        (lambda x, theta, g: g.__setitem__(slice(None), np.nan), "the gradient of dense2.bias"),
    ],
)
def test_a_divergence_names_the_place(spoil: Callable[..., Any], words: str) -> None:
    network = chain([Dense(units=3), Dense(units=2)], (2,))
    theta = network.layout.initial(0, dtype="f8")
    gradient, x = np.zeros_like(theta), np.ones((4, 2))
    spoil(x, theta, gradient)
    with np.errstate(all="ignore"):
        assert words in first_non_finite(network, theta, gradient, single(x, np.zeros(4, int)))


def job(**changes: dict[str, Any]) -> Job:
    data = {"source": {"type": "generated", "generator": {"type": "moons", "size": 120}}, "target": "label"}
    return assemble(Experiment.model_validate({"data": data, "model": {"hidden": [8]}, **changes}), SHIPPED[0].parent)


def events(made: Job) -> list[Any]:
    with Workers() as workers, np.errstate(all="ignore"):
        return list(train(made, start(made, workers)))


def test_the_events_of_a_training() -> None:
    made = job(training={"epochs": 3, "batch_size": 20, "restarts": 2})
    seen = events(made)
    rows = [event.row.as_json() for event in seen if isinstance(event, EpochDone)]
    assert [(row["restart"], row["epoch"], row["step"]) for row in rows] == [
        (1, 1, 5), (1, 2, 10), (1, 3, 15), (2, 1, 5), (2, 2, 10), (2, 3, 15),
    ]  # fmt: skip
    assert {"train.loss", "validation.loss", "validation.accuracy", "gradient_norm", "layers"} <= set(rows[0])
    last = seen[-1]
    assert isinstance(last, Finished)
    assert [score["restart"] for score in last.scores] == [1, 2]
    assert last.kept["value"] == min(score["value"] for score in last.scores)


def test_a_wild_learning_rate_diverges() -> None:
    made = job(optimizer={"type": "sgd", "learning_rate": 1e30}, training={"epochs": 5})
    with pytest.raises(Diverged, match="training diverged in epoch 1, step"):
        events(made)
