"""Schedules against closed formulas, known values, and the laws they all keep."""

import json
import math
from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nnctl.schedules import AnySchedule, Cosine, Exponential, Polynomial, Progress, ReduceOnPlateau, Step, preview
from nnctl.schedules.base import Schedule
from nnctl.schedules.decay import Constant

MEMBERS = get_args(get_args(AnySchedule)[0])
ADAPTER = TypeAdapter(AnySchedule)

# One of each with settings of their own; tests with `schedule` run over all of them.
CASES: list[Any] = [
    {"type": "constant"},
    {"type": "step", "every": 2},
    {"type": "step", "milestones": [1, 4.5], "factor": 0.5},
    {"type": "exponential", "decay": 0.7},
    {"type": "inverse_time", "decay": 2.0},
    {"type": "polynomial", "power": 2.0, "end": 0.1},
    {"type": "cosine", "end": 0.1},
    {"type": "cosine", "cycles": 3, "growth": 2.0},
    {"type": "one_cycle", "final_division": 100.0},
    {"type": "reduce_on_plateau"},
]
CONTINUOUS = ["exponential", "inverse_time", "polynomial", "cosine", "one_cycle", "constant"]
schedules = pytest.mark.parametrize("schedule", [ADAPTER.validate_python(case) for case in CASES], ids=str)


def scales(config: dict[str, Any], epochs: int, steps_per_epoch: int = 1) -> list[float]:
    return preview(ADAPTER.validate_python(config), 1.0, epochs, steps_per_epoch)


# Per epoch, from the formulas; `exponential`, `step` and `cosine` are what PyTorch's ExponentialLR,
# StepLR, MultiStepLR, CosineAnnealingLR and CosineAnnealingWarmRestarts give.
KNOWN: list[Any] = [
    ({"type": "constant"}, [1, 1, 1]),
    ({"type": "step", "every": 2}, [1, 1, 0.1, 0.1, 0.01]),
    ({"type": "step", "milestones": [1, 3], "factor": 0.5}, [1, 0.5, 0.5, 0.25]),
    ({"type": "exponential", "decay": 0.5}, [1, 0.5, 0.25, 0.125]),
    ({"type": "inverse_time", "decay": 0.5}, [1, 1 / 1.5, 1 / 2, 1 / 2.5]),
    ({"type": "polynomial"}, [1, 0.75, 0.5, 0.25]),
    ({"type": "polynomial", "power": 2.0, "end": 0.2}, [1, 0.65, 0.4, 0.25]),
    ({"type": "cosine"}, [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2]),
    ({"type": "cosine", "end": 0.5}, [1, 0.75]),
    ({"type": "cosine", "cycles": 2}, [1, 0.5, 1, 0.5]),
    (
        {"type": "cosine", "cycles": 2, "growth": 2.0},
        [1, 0.5, 1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2],
    ),
    ({"type": "one_cycle", "peak_at": 0.5, "final_division": 4.0}, [0.04, 0.52, 1, 0.505]),
    ({"type": "reduce_on_plateau"}, [1, 1, 1]),
    ({"type": "constant", "warmup": 4}, [0.25, 0.5, 0.75, 1, 1, 1]),
    ({"type": "constant", "warmup": 2, "warmup_start": 0.5}, [0.75, 1, 1]),
    ({"type": "step", "every": 2, "warmup": 2}, [0.5, 1, 1, 1, 0.1, 0.1]),
    ({"type": "cosine", "warmup": 2}, [0.5, 1, 1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2]),
]


@pytest.mark.parametrize(("config", "expected"), KNOWN)
def test_known_values(config: dict[str, Any], expected: Sequence[float]) -> None:
    assert scales(config, len(expected)) == pytest.approx(expected, rel=1e-12)


def test_complete() -> None:
    names = {member.model_fields["type"].default for member in MEMBERS}
    assert names == {case["type"] for case in CASES} == {config["type"] for config, _ in KNOWN}


@pytest.mark.parametrize("member", MEMBERS)
def test_every_field_is_described(member: type[Schedule]) -> None:
    assert all(field.description for name, field in member.model_fields.items() if name != "type")


@schedules
def test_round_trip(schedule: Schedule) -> None:
    assert ADAPTER.validate_json(json.dumps(schedule.model_dump(mode="json"))) == schedule


@schedules
@given(warmup=st.floats(0, 3), start=st.floats(0, 1), spe=st.integers(1, 50), epochs=st.integers(1, 20))
def test_laws(schedule: Constant, warmup: float, start: float, spe: int, epochs: int) -> None:
    warmed = schedule.model_copy(update={"warmup": warmup, "warmup_start": start})
    values = preview(warmed, 1.0, epochs, spe)
    assert len(values) == epochs * spe
    assert values[0] > 0  # the first step moves
    assert all(0 <= value <= 1 for value in values)
    climb = values[: math.ceil(warmup * spe)]
    assert all(a <= b * (1 + 1e-12) for a, b in pairwise(climb))


@schedules
def test_after_the_warmup_it_is_the_schedule_without(schedule: Schedule) -> None:
    warmed = schedule.model_copy(update={"warmup": 2.0})
    assert preview(warmed, 0.5, 12, 8)[16:] == pytest.approx(preview(schedule, 0.5, 10, 8), rel=1e-9)


@pytest.mark.parametrize("case", [c for c in CASES if c["type"] in CONTINUOUS and "cycles" not in c], ids=str)
def test_no_jumps(case: dict[str, Any]) -> None:
    """With ever more steps an epoch, neighbouring steps come ever closer."""
    for steps_per_epoch in (100, 1000):
        values = scales(case | {"warmup": 1}, 4, steps_per_epoch)
        assert max(abs(a - b) for a, b in pairwise(values)) < 4 / steps_per_epoch


@pytest.mark.parametrize("member", [Cosine, Polynomial])
@given(end=st.floats(0, 1), done=st.floats(0, 2))
def test_ends_where_it_should(member: type[Cosine], end: float, done: float) -> None:
    schedule = member(end=end)
    assert schedule.shape(10.0 * max(done, 1.0), 10.0, {}) == pytest.approx(end, abs=1e-15)
    assert end - 1e-15 <= schedule.shape(10.0 * done, 10.0, {}) <= 1


def test_one_cycle_ends() -> None:
    values = scales({"type": "one_cycle"}, 10, 1000)
    assert max(values) == values[3000] == 1
    assert values[0] == pytest.approx(1 / 25)
    assert values[-1] == pytest.approx(1 / 25 / 1e4, rel=0.02)


@pytest.mark.parametrize(("every", "steps_per_epoch"), [(0.1, 10), (0.3, 10), (0.7, 10), (1 / 3, 3)])
def test_steps_fall_on_time_whatever_the_rounding(every: float, steps_per_epoch: int) -> None:
    values = scales({"type": "step", "every": every, "factor": 0.5}, 10, steps_per_epoch)
    length = round(every * steps_per_epoch)
    assert values == [0.5 ** (step // length) for step in range(len(values))]


@pytest.mark.parametrize("steps_per_epoch", [1, 3, 7, 10, 12, 30])
@pytest.mark.parametrize("key", ["every", "milestones"])
def test_a_fall_after_a_warmup_comes_with_its_step(key: str, steps_per_epoch: int) -> None:
    """Whole steps of warm-up and whole steps to the fall: 2.3 - 0.3 < 2 in floats, and yet 2 epochs are over."""
    for warm, length in product(range(3 * steps_per_epoch), range(1, 3 * steps_per_epoch)):
        fall = length / steps_per_epoch
        schedule = Step.model_validate({key: fall if key == "every" else (fall,), "warmup": warm / steps_per_epoch})
        before, after = (schedule.scale(Progress(warm + length - i, steps_per_epoch, 9), {}) for i in (1, 0))
        assert (before, after) == (1.0, 0.1), (warm, length)


LATE = [
    ({"type": "constant", "warmup": 5}, "schedule.warmup is 5 epochs and training.epochs is 5"),
    ({"type": "cosine", "warmup": 7.5}, "schedule.warmup is 7.5 epochs"),
    ({"type": "step", "milestones": [1, 5, 6.5]}, "schedule.milestones is 5, 6.5 epochs and training.epochs is 5"),
    ({"type": "step", "milestones": [2], "warmup": 3}, "schedule.milestones is 2 epochs after a warm-up of 3"),
    ({"type": "step", "every": 5}, "schedule.every is 5 epochs"),
    ({"type": "reduce_on_plateau", "patience": 4}, "schedule.patience is 4 epochs"),
]
IN_TIME = [
    {"type": "constant", "warmup": 4.9},
    {"type": "step", "milestones": [1, 4.9]},
    {"type": "step", "every": 2, "warmup": 2.5},
    {"type": "reduce_on_plateau", "patience": 3},
]


@pytest.mark.parametrize(("config", "words"), LATE)
def test_what_five_epochs_do_not_reach_is_said(config: dict[str, Any], words: str) -> None:
    (said,) = ADAPTER.validate_python(config).unreached(5)
    assert said.startswith(words)


@pytest.mark.parametrize("config", IN_TIME)
def test_what_five_epochs_reach_is_not(config: dict[str, Any]) -> None:
    assert list(ADAPTER.validate_python(config).unreached(5)) == []


def rates_of_a_plateau(patience: int, epochs: int) -> list[float]:
    memory: dict[str, Any] = {}
    schedule, rates = ReduceOnPlateau(patience=patience), []
    for epoch in range(epochs):
        rates.append(schedule.scale(Progress(epoch, 1, epochs), memory))
        schedule.observe(1.0, memory)
    return rates


@pytest.mark.parametrize("patience", range(1, 7))
def test_a_plateau_that_is_said_to_do_nothing_does_nothing(patience: int) -> None:
    falls = set(rates_of_a_plateau(patience, 5)) != {1.0}
    assert falls != bool(list(ReduceOnPlateau(patience=patience).unreached(5)))


@settings(max_examples=40)
@given(st.integers(1, 7), st.sampled_from([1.0, 1.5, 2.0]), st.integers(1, 60))
def test_cosine_cycles_fill_the_training(cycles: int, growth: float, epochs: int) -> None:
    schedule = Cosine(cycles=cycles, growth=growth)
    shortest = epochs * 100 / sum(growth**i for i in range(cycles))  # steps
    assume(shortest >= 2)  # or two restarts may fall between one step and the next
    values = preview(schedule, 1.0, epochs, 100)
    assert sum(a < b for a, b in pairwise(values)) == cycles - 1
    assert schedule.shape(epochs, epochs, {}) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("cycles", range(1, 30))
def test_cosine_restarts_on_time_whatever_the_rounding(cycles: int) -> None:
    values = scales({"type": "cosine", "cycles": cycles}, 7 * cycles)
    assert values == pytest.approx(scales({"type": "cosine"}, 7) * cycles, abs=1e-9)


@pytest.mark.parametrize("fields", [{}, {"every": 2.0, "milestones": [3.0]}])
def test_step_takes_one_of_two(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"of every and milestones; give one: `every: 10` or"):
        Step(**fields)


def test_exponential_is_smooth_within_an_epoch() -> None:
    assert Exponential(decay=0.81).scale(Progress(1, 2, 5), {}) == pytest.approx(0.9)


# (settings, figures at the ends of epochs, scale after each)
PLATEAUS = [
    ({"patience": 2}, [5, 4, 4, 4, 4, 4], [1, 1, 1, 0.1, 0.1, 0.01]),
    ({"patience": 1}, [5, 6, 5, 4], [1, 0.1, 0.01, 0.01]),
    ({"patience": 1, "min_delta": 0.5}, [5, 4.6, 4.4, 4.3], [1, 0.1, 0.1, 0.01]),
    ({"patience": 1, "cooldown": 2}, [5, 5, 5, 5, 5, 5], [1, 0.1, 0.1, 0.1, 0.01, 0.01]),
    ({"patience": 1, "factor": 0.5, "minimum": 0.2}, [5, 5, 5, 5, 5], [1, 0.5, 0.25, 0.2, 0.2]),
    ({"patience": 2}, [math.nan, math.nan, 5, math.inf, 4], [1, 0.1, 0.1, 0.1, 0.1]),
    ({"patience": 1}, [-1, -2, -2], [1, 1, 0.1]),
]


@pytest.mark.parametrize(("fields", "figures", "expected"), PLATEAUS)
def test_plateaus(fields: dict[str, Any], figures: Sequence[float], expected: Sequence[float]) -> None:
    memory: dict[str, Any] = {}
    schedule, found = ReduceOnPlateau(**fields), []
    for epoch, figure in enumerate(figures):
        schedule.observe(figure, memory)
        memory = json.loads(json.dumps(memory, allow_nan=False))  # as through a checkpoint
        found.append(schedule.scale(Progress(epoch + 1, 1, 10), memory))
    assert found == pytest.approx(expected, rel=1e-12)


@schedules
def test_only_plateaus_watch(schedule: Schedule) -> None:
    memory: dict[str, Any] = {}
    schedule.observe(1.0, memory)
    assert (schedule.monitored is not None) == bool(memory) == isinstance(schedule, ReduceOnPlateau)
