"""Every initialiser: moments and bounds by formula, laws, errors."""

import re
from collections.abc import Sequence
from math import erf, prod, sqrt
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter, ValidationError
from safetensors.numpy import save_file

from nnctl.engine.parameters import Array, Shape
from nnctl.errors import ConfigError
from nnctl.initializers import AnyInitializer
from nnctl.initializers.base import InitializerSpec
from nnctl.initializers.file import File
from nnctl.initializers.fixed import Constant, Values, Zeros
from nnctl.initializers.orthogonal import Orthogonal
from nnctl.initializers.random import Normal, TruncatedNormal, Uniform, truncated_deviation
from nnctl.initializers.scaled import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LeCunNormal,
    LeCunUniform,
    VarianceScaling,
)

MEMBERS = get_args(get_args(AnyInitializer)[0])
SHAPE, FAN_IN, FAN_OUT = (300, 200), 300, 200

# With the bound (uniform) or the standard deviation (normal) each should have.
BOUNDED = [
    (Uniform(), 0.12),
    (Uniform(epsilon=0.5), 0.5),
    (GlorotUniform(), sqrt(6 / 500)),
    (HeUniform(), sqrt(6 / 300)),
    (LeCunUniform(), sqrt(3 / 300)),
]
BELL = [
    (Normal(), 0.05),
    (Normal(deviation=2.0), 2.0),
    (GlorotNormal(), sqrt(2 / 500)),
    (HeNormal(), sqrt(2 / 300)),
    (LeCunNormal(), sqrt(1 / 300)),
    (VarianceScaling(scale=3.0, mode="fan_out", distribution="normal"), sqrt(3 / 200)),
]
# With the largest absolute value and the standard deviation; 0.87962566103423978 is the constant in Keras's source.
KERAS = 0.87962566103423978
CUT = [
    (TruncatedNormal(), 0.1, 0.05 * KERAS),
    (TruncatedNormal(deviation=2.0, cut=2.0), 4.0, 2 * KERAS),
    (VarianceScaling(), 2 * sqrt(1 / 300) / KERAS, sqrt(1 / 300)),
    (VarianceScaling(scale=2.0, mode="fan_avg"), 2 * sqrt(2 / 250) / KERAS, sqrt(2 / 250)),
]
OTHERS = [
    Orthogonal(), Orthogonal(gain=1.5), Zeros(), Constant(value=0.3), Values(values=((1.0, 2.0),)), File(path="w.npy"),
]  # fmt: skip


def sample(
    initializer: InitializerSpec,
    shape: Shape = SHAPE,
    fan_in: int = FAN_IN,
    fan_out: int = FAN_OUT,
    seed: int = 5,
) -> Array:
    w = initializer.sample(shape, fan_in, fan_out, np.random.default_rng(seed))
    assert w.dtype == np.float64
    assert w.shape == shape
    return w


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.__name__)
def test_every_member_has_a_case_documentation_and_a_valid_example(member: type[InitializerSpec]) -> None:
    assert member in {type(i) for i in [*(i for i, _ in BOUNDED + BELL), *(i for i, _, _ in CUT), *OTHERS]}
    assert "W ~" in (member.__doc__ or "") or "W = " in (member.__doc__ or "")
    (example,) = re.findall(r"```yaml\n(.*?)```", (member.__doc__ or ""), re.DOTALL)
    read = TypeAdapter(AnyInitializer).validate_python(yaml.safe_load(example)["init"])
    assert type(read) is member
    assert TypeAdapter(AnyInitializer).validate_python(read.model_dump(mode="json")) == read
    assert all(field.description for name, field in member.model_fields.items() if name != "type")


@pytest.mark.parametrize(("initializer", "bound"), BOUNDED)
def test_uniform(initializer: InitializerSpec, bound: float) -> None:
    w = sample(initializer)
    assert bound * 0.999 < np.abs(w).max() <= bound
    assert abs(w.mean()) < 4 * bound / sqrt(3 * w.size)
    assert w.var() == pytest.approx(bound**2 / 3, rel=0.02)


@pytest.mark.parametrize(("initializer", "deviation"), BELL)
def test_normal(initializer: InitializerSpec, deviation: float) -> None:
    w = sample(initializer)
    assert abs(w.mean()) < 4 * deviation / sqrt(w.size)
    assert w.std() == pytest.approx(deviation, rel=0.02)
    assert np.abs(w).max() > 3.5 * deviation, "not truncated"
    assert (w**4).mean() / w.var() ** 2 == pytest.approx(3, abs=0.15)


@pytest.mark.parametrize(("initializer", "most", "deviation"), CUT)
def test_truncated(initializer: InitializerSpec, most: float, deviation: float) -> None:
    w = sample(initializer)
    assert 0.999 * most < np.abs(w).max() <= most
    assert abs(w.mean()) < 4 * deviation / sqrt(w.size)
    assert w.std() == pytest.approx(deviation, rel=0.01)
    for share in (0.25, 0.5, 0.75):  # of the way to the cut, at which lie two deviations
        within = erf(2 * share / sqrt(2)) / erf(2 / sqrt(2))
        assert (np.abs(w) < share * most).mean() == pytest.approx(within, abs=0.01)


@pytest.mark.parametrize("cut", [0.1, 0.5, 1.0, 2.0, 3.7])
def test_the_deviation_that_a_cut_leaves(cut: float) -> None:
    z = np.linspace(-cut, cut, 200_001)
    density = np.exp(-(z**2) / 2)
    assert truncated_deviation(cut) == pytest.approx(sqrt((density * z**2).sum() / density.sum()), rel=1e-4)
    assert np.abs(sample(TruncatedNormal(deviation=1.0, cut=cut))).max() <= cut
    assert truncated_deviation(2.0) == pytest.approx(KERAS, rel=1e-14)


@pytest.mark.parametrize(
    ("short", "scale", "mode", "distribution"),
    [
        (GlorotUniform(), 1.0, "fan_avg", "uniform"),
        (GlorotNormal(), 1.0, "fan_avg", "normal"),
        (HeUniform(), 2.0, "fan_in", "uniform"),
        (HeNormal(), 2.0, "fan_in", "normal"),
        (LeCunUniform(), 1.0, "fan_in", "uniform"),
        (LeCunNormal(), 1.0, "fan_in", "normal"),
    ],
)
def test_cases_of_variance_scaling(short: InitializerSpec, scale: float, mode: str, distribution: str) -> None:
    scaling = VarianceScaling.model_validate({"scale": scale, "mode": mode, "distribution": distribution})
    np.testing.assert_allclose(sample(scaling), sample(short), rtol=1e-14)


@pytest.mark.parametrize(
    "initializer", [i for i, _ in BOUNDED + BELL] + [i for i, _, _ in CUT] + [Orthogonal()], ids=str
)
def test_the_stream_decides(initializer: InitializerSpec) -> None:
    np.testing.assert_array_equal(sample(initializer), sample(initializer))
    assert (sample(initializer) != sample(initializer, seed=6)).all()


@pytest.mark.parametrize(
    ("initializer", "ratio"),
    [(GlorotNormal(), 510 / 20), (HeNormal(), 1 / 50), (LeCunUniform(), 1 / 50), (Uniform(), 1), (Normal(), 1)],
)
def test_which_fan_counts(initializer: InitializerSpec, ratio: float) -> None:
    """Fans (10, 500) against (500, 10) and against (10, 10), which tells in, out and average apart."""
    w, swapped, small = (sample(initializer, fan_in=i, fan_out=o).var() for i, o in ((10, 500), (500, 10), (10, 10)))
    average = isinstance(initializer, GlorotNormal)
    assert swapped / w == pytest.approx(1 if average else ratio)
    assert small / w == pytest.approx(ratio if average else 1)


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (3, 3, 2, 8), (1, 4), (6,)])
@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_orthogonal(shape: tuple[int, ...], gain: float) -> None:
    w = sample(Orthogonal(gain=gain), shape).reshape(prod(shape[:-1]), shape[-1])
    gram = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(gram, gain**2 * np.eye(min(w.shape)), atol=1e-13)


def test_orthogonal_is_not_biased_by_the_signs_of_qr() -> None:
    """The mean of a uniformly distributed rotation is 0; without turning the columns its diagonal is not."""
    mean = np.mean([sample(Orthogonal(), (3, 3), seed=seed) for seed in range(3000)], axis=0)
    assert np.abs(mean).max() < 4 / sqrt(3 * 3000)


def test_fixed() -> None:
    assert not sample(Zeros()).any()
    assert (sample(Constant(value=-0.25)) == -0.25).all()
    np.testing.assert_array_equal(sample(Values(values=((1, 2.5), (3, 4))), (2, 2)), [[1, 2.5], [3, 4]])
    assert sample(Values(values=7.0), ()) == 7


def test_what_is_symmetric() -> None:
    assert {m.__name__ for m in MEMBERS if m.symmetric} == {"Zeros", "Constant"}


def test_values_of_another_shape() -> None:
    with pytest.raises(ConfigError, match=re.escape("values has shape (2, 1), but the parameter has shape (1, 2)")):
        sample(Values(values=((1.0,), (2.0,))), (1, 2))


@pytest.mark.parametrize("values", [[[1, 2], [3]], [[1], 2], ["a"], ["1"], [True], [[float("nan")]], None])
def test_values_that_are_no_array_of_numbers(values: Sequence[int | str | Sequence[float]] | None) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AnyInitializer).validate_python({"type": "values", "values": values})


W = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "w.npy", W)
    np.savez(tmp_path / "w.npz", first=W, second=W.T, words=np.array(["a"]))
    save_file({"hidden.W": W, "hidden.b": W[0]}, tmp_path / "w.safetensors")
    (tmp_path / "broken.npy").write_bytes(b"not an array")
    (tmp_path / "broken.npz").write_bytes(b"PK not an archive")
    (tmp_path / "broken.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    np.save(tmp_path / "objects.npy", np.array([{}], object))
    return tmp_path


@pytest.mark.parametrize(("name", "key"), [("w.npy", None), ("w.npz", "first"), ("w.safetensors", "hidden.W")])
def test_file(folder: Path, name: str, key: str | None) -> None:
    np.testing.assert_array_equal(sample(File(path=str(folder / name), key=key), (2, 3)), W)


@pytest.mark.parametrize(
    ("name", "key", "message"),
    [
        ("w.npz", "second", r"'second' in .*w.npz has shape \(3, 2\), but the parameter has shape \(2, 3\)"),
        ("w.npz", "fist", r"w.npz holds no tensor 'fist'; did you mean 'first'\? There are first, second, words"),
        ("w.npz", None, r"w.npz holds first, second, words; say which with key: NAME"),
        ("w.npz", "words", "holds <U1 entries, but a parameter takes numbers"),
        (
            "w.safetensors",
            "hiden.W",
            r"holds no tensor 'hiden.W'; did you mean 'hidden.W'\? There are hidden.W, hidden.b",
        ),
        ("w.npy", "first", "holds one tensor without a name; leave out key: first"),
        ("none.npy", None, "none.npy cannot be read: No such file"),
        ("none.npz", "a", "none.npz cannot be read: No such file"),
        ("none.safetensors", "a", "none.safetensors cannot be read: No such file"),
        ("w.txt", None, r"w.txt ends in '.txt'; a file of weights ends in one of .npy, .npz, .safetensors"),
        ("broken.npy", None, "broken.npy is not a valid .npy file"),
        ("broken.npz", "a", "broken.npz is not a valid .npz file"),
        ("broken.safetensors", "a", "broken.safetensors is not a valid .safetensors file"),
        ("objects.npy", None, "objects.npy is not a valid .npy file"),
    ],
)
def test_file_errors(folder: Path, name: str, key: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sample(File(path=str(folder / name), key=key), (2, 3))
