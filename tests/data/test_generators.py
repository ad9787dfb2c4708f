"""Generated tables obey the formulas in their docstrings."""

import io
import re
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nnctl.data.generators import AnyGenerator, Generator, cells, write_csv
from nnctl.engine.parameters import Array

GENERATOR = TypeAdapter(AnyGenerator)
MEMBERS = get_args(get_args(AnyGenerator)[0])
NAMES = [m.model_fields["type"].default for m in MEMBERS]
#: One unit in the last of the six decimals, for the sum of a few rounded numbers.
CLOSE: dict[str, Any] = {"rtol": 0, "atol": 3e-6}


def make(**settings: Any) -> tuple[tuple[str, ...], dict[str, Array]]:
    return GENERATOR.validate_python(settings).generate()


def csv(table: tuple[tuple[str, ...], dict[str, Any]]) -> str:
    file = io.StringIO()
    write_csv(table, file)
    return file.getvalue()


def features(table: tuple[tuple[str, ...], dict[str, Any]]) -> Array:
    names, columns = table
    return np.stack([columns[n] for n in names if n.startswith("x")], axis=1)


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.__name__)
def test_documented(member: type[Generator]) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (member.__doc__ or ""), re.DOTALL)
    assert type(GENERATOR.validate_python(yaml.safe_load(example))) is member
    assert all(field.description for name, field in member.model_fields.items() if name != "type")


@pytest.mark.parametrize("name", NAMES)
def test_same_settings_same_table(name: str) -> None:
    assert csv(make(type=name, seed=3)) == csv(make(type=name, seed=3)) != csv(make(type=name, seed=4))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 2, 201])
def test_size_is_exact_and_columns_are_named_in_order(name: str, size: int) -> None:
    names, columns = make(type=name, size=size)
    assert names == tuple(columns)
    assert {len(c) for c in columns.values()} == {size}
    assert {c.dtype.kind for c in columns.values()} <= {"f", "i", "U"}


@given(st.sampled_from([("moons", 2), ("circles", 2), ("xor", 2), ("spiral", 2), ("blobs", 3)]), st.integers(1, 50))
def test_classes_are_as_equal_as_the_size_allows(kind: tuple[str, int], size: int) -> None:
    name, classes = kind
    _, counts = np.unique(make(type=name, size=size)[1]["label"], return_counts=True)
    counts = np.pad(counts, (0, classes - len(counts)))
    # The four corners of xor are dealt in the order even, odd, odd, even.
    assert counts.max() - counts.min() <= 1


def test_moons() -> None:
    names, columns = table = make(type="moons", noise=0.0)
    assert names == ("x1", "x2", "label")
    x = features(table)
    upper = columns["label"] == "upper"
    np.testing.assert_allclose(np.hypot(*x[upper].T), 1, **CLOSE)
    np.testing.assert_allclose(np.hypot(*(x[~upper] - [1, 0.5]).T), 1, **CLOSE)
    assert x[upper, 1].min() >= 0
    assert x[~upper, 1].max() <= 0.5


def test_circles() -> None:
    table = make(type="circles", noise=0.0, factor=0.3)
    radius = np.hypot(*features(table).T)
    np.testing.assert_allclose(radius, np.where(table[1]["label"] == "inner", 0.3, 1.0), **CLOSE)


def test_xor_is_the_textbooks_table() -> None:
    assert csv(make(type="xor", size=4, noise=0.0)) == (
        "x1,x2,label\n0.0,0.0,even\n0.0,1.0,odd\n1.0,0.0,odd\n1.0,1.0,even\n"
    )


def test_spiral() -> None:
    table = make(type="spiral", noise=0.0, classes=3, turns=1.5)
    x = features(table)
    r = np.hypot(*x.T)
    c = np.searchsorted(["a", "b", "c"], table[1]["label"])
    f = 2 * np.pi * (1.5 * r + c / 3)
    np.testing.assert_allclose(x, r[:, None] * np.stack([np.cos(f), np.sin(f)], axis=1), rtol=0, atol=2e-5)
    assert r.max() <= 1


def test_blobs() -> None:
    table = make(type="blobs", noise=0.0, centres=4, features=5, box=2.0)
    x = features(table)
    assert x.shape == (200, 5)
    assert len(np.unique(x, axis=0)) == 4
    assert np.abs(x).max() <= 2
    spread = make(type="blobs", noise=0.5, centres=4, features=5, box=2.0, size=20_000)
    for label in "abcd":
        cloud, centre = features(spread)[spread[1]["label"] == label], x[table[1]["label"] == label][0]
        np.testing.assert_allclose(cloud.mean(axis=0), centre, atol=0.05)
        np.testing.assert_allclose(cloud.std(axis=0), 0.5, atol=0.02)


@pytest.mark.parametrize(
    ("proportions", "size", "counts"),
    [([0.95, 0.05], 1000, [950, 50]), ([1, 1], 5, [3, 2]), ([2, 0, 1], 10, [7, 0, 3]), ([0.1] * 3, 100, [34, 33, 33])],
)
def test_proportions_are_exact(proportions: Sequence[float], size: int, counts: Sequence[int]) -> None:
    proportions = [float(v) for v in proportions]
    label = make(type="blobs", size=size, centres=len(counts), proportions=proportions)[1]["label"]
    assert [int((label == c).sum()) for c in "abc"[: len(counts)]] == counts


def test_linear() -> None:
    table = make(type="linear", weights=[2.0, -1.0, 0.5], bias=3.0, noise=0.0)
    x = features(table)
    assert table[0] == ("x1", "x2", "x3", "y")
    assert np.abs(x).max() <= 1
    np.testing.assert_allclose(table[1]["y"], x @ [2, -1, 0.5] + 3, rtol=0, atol=5.01e-7)
    noisy = make(type="linear", size=20_000, noise=0.3)
    assert np.std(noisy[1]["y"] - features(noisy) @ [2, -1] - 0.5) == pytest.approx(0.3, rel=0.03)


def test_sine() -> None:
    names, columns = make(type="sine", frequency=0.5, noise=0.0)
    assert names == ("x", "y")
    np.testing.assert_allclose(columns["y"], np.sin(np.pi * columns["x"]), **CLOSE)


def test_labels_depend_on_the_features_and_on_each_other() -> None:
    table = make(type="multilabel", size=5000, features=4, labels=3, noise=0.0)
    names, columns = table
    labels = np.stack([columns[n] for n in names if n.startswith("label")], axis=1)
    assert labels.shape == (5000, 3)
    assert np.all((labels == 0) | (labels == 1))
    assert 0.55 > labels.mean(axis=0)[0] > labels.mean(axis=0)[1] > labels.mean(axis=0)[2] > 0.1
    assert np.corrcoef(labels.T)[0, 1] > 0.2
    # Without noise a plane parts each label: the perceptron, whose steps are few then, finds it on some rows.
    x = np.column_stack([features(table), np.ones(5000)])[:200]
    for t in 2 * labels[:200].T - 1:
        w = np.zeros(5)
        for _ in range(5000):
            wrong = np.flatnonzero(t * (x @ w) <= 0)
            if not len(wrong):
                break
            w += t[wrong[0]] * x[wrong[0]]
        assert not len(wrong)


def test_purchases_follow_their_formula() -> None:
    """What the docstring says, written out row by row."""
    names, columns = make(type="purchases", size=300, noise=0.0, seed=2)
    region = {"east": 0.3, "north": -0.6, "south": 0.6, "west": -0.3}
    device = {"computer": 0.7, "phone": -0.7, "tablet": 0.0}
    answers = set()
    for row in zip(*(cells(columns[name]) for name in names), strict=True):
        r = dict(zip(names, row, strict=True))
        assert (r["days"] is None) == (r["orders"] == 0)
        z = (r["income"] - 40) / 20 - ((r["age"] - 45) / 18) ** 2 + region[r["region"]]
        z += -1 if r["orders"] == 0 else r["orders"] / 2 - 1 - r["days"] / 180
        z += (r["pages"] - 8) / 4 + device[r["device"]]
        assert r["bought"] == ("yes" if z > 0 else "no")
        amount = r["income"] / 2 + 2 * r["pages"] + (r["spent"] / r["orders"] / 2 if r["orders"] else 0)
        assert r["amount"] == (pytest.approx(amount, abs=0.01) if z > 0 else None)
        answers.add(r["bought"])
    assert answers == {"yes", "no"}


def test_the_worth_of_a_car_is_in_its_table_and_in_its_picture() -> None:
    """Colour and body are found in the drawing, pixel by pixel, and with them the formulas hold."""
    from PIL import Image

    cars = GENERATOR.validate_python({"type": "cars", "size": 120, "noise": 0.0, "seed": 2})
    names, columns = cars.generate()
    files = cars.files()
    colours = {
        (30, 30, 35): 1.5,
        (40, 70, 190): 0.75,
        (200, 30, 40): -1.5,
        (165, 170, 175): 0.0,
        (240, 240, 235): -0.75,
    }
    region, fuel = {"east": 0.5, "north": -1, "south": 1, "west": -0.5}, {"diesel": -1, "electric": 1, "petrol": 0}
    bodies, unknown = set(), 0
    for row in zip(*(cells(columns[name]) for name in names), strict=True):
        r = dict(zip(names, row, strict=True))
        picture = np.asarray(Image.open(io.BytesIO(files[r["picture"]])), np.int64)
        assert picture.shape == (16, 24, 3)
        colour = min(colours, key=lambda c: float(np.abs(picture[9, 8:14].mean(axis=0) - c).sum()))
        z = colours[colour] + region[r["region"]] + fuel[r["fuel"]] + (80 - r["mileage"]) / 60
        assert r["sold"] in (None, "yes" if z > 0 else "no")
        unknown += (r["sold"] is None) + (r["price"] is None)
        if r["price"] is not None:
            plain = 3 + 25 * np.exp(-(2024 - r["year"]) / 8) + r["power"] / 15 - r["mileage"] / 40
            bodies.add((round(r["price"] / plain, 1), windows(picture)))
    assert 10 < unknown < 45
    assert bodies == {(1.6, 6), (1.2, 15), (0.7, 8), (1.0, 9)}


def windows(picture: Array) -> int:
    """The length of a car's side window less its frame, found by its colour."""
    glass = (np.abs(picture - [150, 200, 230]) <= 8).all(axis=2)
    return int(glass.any(axis=0).sum()) + 2


@pytest.mark.parametrize("version", [{}, {"seed": 4}])
def test_pictures_are_files_of_their_recipe_alone(version: dict[str, Any]) -> None:
    recipe = {"type": "cars", "size": 5, **version}
    files, again = (GENERATOR.validate_python(recipe).files() for _ in range(2))
    assert files == again
    assert list(files) == [f"pictures/000{i}.png" for i in range(1, 6)]
    assert len(set(files.values())) == 5
    assert not GENERATOR.validate_python({"type": "moons"}).files()


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "moon"},
        {"type": "moons", "size": 0},
        {"type": "moons", "noise": -0.1},
        {"type": "moons", "factor": 0.5},
        {"type": "spiral", "classes": 1},
        {"type": "blobs", "proportions": [0.5, 0.5]},
        {"type": "blobs", "proportions": [0.0, 0.0, 0.0]},
        {"type": "linear", "weights": []},
    ],
)
def test_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GENERATOR.validate_python(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_csv_holds_the_very_numbers(name: str) -> None:
    names, columns = table = make(type=name, size=50)
    header, *lines = csv(table).splitlines()
    assert header == ",".join(names)
    for name, texts in zip(names, zip(*(line.split(",") for line in lines), strict=True), strict=True):
        values = cells(columns[name])
        assert [None if v is None else type(v)(text) for v, text in zip(values, texts, strict=True)] == values


def test_zero_has_no_sign() -> None:
    assert "-0.0," not in csv(make(type="xor", noise=1e-9))
