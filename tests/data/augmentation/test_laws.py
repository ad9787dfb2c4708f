"""What every augmentation keeps: documentation, addresses, shapes, and settings that change nothing."""

import inspect
import re
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nnctl.data.augmentation import AnyAugmentation, augment, check, check_loss
from nnctl.data.augmentation.base import Augmentation
from nnctl.errors import ConfigError
from nnctl.losses import AnyLoss
from tests.data.augmentation.images import IMAGES, TARGETS, of

MEMBERS = get_args(get_args(AnyAugmentation)[0])
EXAMPLE = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
every = pytest.mark.parametrize("name", [m.model_fields["type"].default for m in MEMBERS])


@pytest.mark.parametrize("member", MEMBERS, ids=lambda m: m.__name__)
def test_documented(member: type[Augmentation]) -> None:
    (example,) = EXAMPLE.findall(inspect.getdoc(member) or "")
    assert isinstance(of(yaml.safe_load(example)), member)
    assert "Source:" in (member.__doc__ or "")
    assert not [key for key, field in member.model_fields.items() if key != "type" and not field.description]


@every
def test_the_address_decides_and_nothing_else(name: str) -> None:
    first, again, *others = (
        augment([of(name)], IMAGES.copy(), TARGETS, *address)
        for address in [(7, 0, 3), (7, 0, 3), (7, 0, 4), (7, 1, 3), (8, 0, 3)]
    )
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    for x, _ in others:
        assert (x != first[0]).any()


@every
def test_an_augmentation_does_not_disturb_those_after_it(name: str) -> None:
    """Streams are addressed: what noise draws does not depend on how much was drawn before."""
    noise = of({"type": "noise", "deviation": 5})
    x, _ = augment([of(name), noise], IMAGES.copy(), TARGETS, 7, 0, 3)
    before, _ = augment([of(name)], IMAGES.copy(), TARGETS, 7, 0, 3)
    drawn, _ = augment([of("flip"), noise], np.zeros_like(IMAGES), TARGETS, 7, 0, 3)
    np.testing.assert_allclose(x - before, drawn, atol=1e-4)


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_dtype_and_targets_stay(name: str, dtype: type[Any]) -> None:
    t = TARGETS.copy()
    x, targets = augment([of(name)], IMAGES.astype(dtype), t, 0, 0, 0)
    assert x.shape == IMAGES.shape
    assert x.dtype == dtype
    assert targets.shape == TARGETS.shape
    np.testing.assert_array_equal(t, TARGETS)
    if name != "mixup":
        np.testing.assert_array_equal(targets, TARGETS)


@every
def test_float32_is_float64_rounded(name: str) -> None:
    low, _ = augment([of(name)], IMAGES.copy(), TARGETS, 3, 0, 0)
    high, _ = augment([of(name)], IMAGES.astype(np.float64), TARGETS, 3, 0, 0)
    np.testing.assert_allclose(low, high, atol=0.02)


@every
def test_a_grey_image_needs_no_channel(name: str) -> None:
    grey = IMAGES[..., :1]
    with_axis, _ = augment([of(name)], grey.copy(), TARGETS, 5, 0, 0)
    without, _ = augment([of(name)], grey[..., 0].copy(), TARGETS, 5, 0, 0)
    np.testing.assert_array_equal(with_axis[..., 0], without)


@every
def test_channels_are_treated_alike(name: str) -> None:
    if name == "noise":
        return
    grey = np.repeat(IMAGES[..., :1], 3, axis=-1)
    x, _ = augment([of(name)], grey, TARGETS, 5, 0, 0)
    np.testing.assert_array_equal(x[..., 0], x[..., 1])
    np.testing.assert_array_equal(x[..., 0], x[..., 2])


IDENTITIES = [
    {"type": "shift", "pixels": 0},
    {"type": "shift", "pixels": [0, 0]},
    {"type": "crop", "padding": 0},
    {"type": "flip", "horizontal": False},
    {"type": "rotate", "degrees": 0},
    {"type": "scale", "range": [1, 1]},
    {"type": "brightness", "amount": 0},
    {"type": "contrast", "range": [1, 1]},
    {"type": "noise", "deviation": 0},
    {"type": "cutout", "size": 0},
]


@pytest.mark.parametrize("spec", IDENTITIES, ids=str)
def test_settings_that_change_nothing(spec: dict[str, Any]) -> None:
    x, t = augment([of(spec)], IMAGES.copy(), TARGETS, 1, 2, 3)
    np.testing.assert_array_equal(x, IMAGES)
    np.testing.assert_array_equal(t, TARGETS)


def test_no_augmentation_is_the_identity() -> None:
    x, t = augment([], IMAGES.copy(), TARGETS, 0)
    np.testing.assert_array_equal(x, IMAGES)
    assert t is TARGETS


@given(st.integers(1, 7), st.integers(1, 9), st.integers(1, 3), st.integers(0, 50))
def test_any_size_of_image(height: int, width: int, channels: int, step: int) -> None:
    x = np.random.default_rng(step).uniform(0, 255, (3, height, width, channels)).astype(np.float32)
    low, high = x.min(), x.max()
    for name in ("shift", "flip", "rotate", "scale", "cutout", {"type": "crop", "extend": "edge"}):
        y, _ = augment([of(name)], x.copy(), TARGETS[:3], 0, step)
        assert y.shape == x.shape
        # Every new value is an old one, one between two old ones, or the fill.
        assert y.min() >= min(low, 0) - 1e-3
        assert y.max() <= max(high, 0) + 1e-3


REFUSED = [
    ({"type": "scale", "range": [1.2, 0.8]}, "write the smaller number first"),
    ({"type": "contrast", "range": [0, 1]}, "greater than 0"),
    ({"type": "rotate", "degrees": -1}, "greater than or equal to 0"),
    ({"type": "shift", "pixels": -1}, "greater than or equal to 0"),
    ({"type": "mixup", "alpha": 0}, "greater than 0"),
    ({"type": "twist"}, "twist"),
]


@pytest.mark.parametrize(("spec", "message"), REFUSED, ids=str)
def test_settings_that_make_no_sense(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        of(spec)


@every
def test_examples_that_are_no_images(name: str) -> None:
    spec = of(name)
    if spec.spatial:
        with pytest.raises(ConfigError, match=rf"data.augment: {name} works on images .* the examples are \(30,\)"):
            check([spec], (30,), "data.augment")
    else:
        check([spec], (30,), "data.augment")
        x = np.arange(60, dtype=np.float32).reshape(2, 30)
        assert augment([spec], x, TARGETS[:2], 0, 0)[0].shape == (2, 30)


def test_more_reflection_than_there_is_image() -> None:
    check([of({"type": "crop", "padding": 3, "extend": "reflect"})], (4, 9), "data.augment")
    with pytest.raises(ConfigError, match="images of 4 x 9 have 3 to reflect"):
        check([of({"type": "crop", "padding": 4, "extend": "reflect"})], (4, 9), "data.augment")


@pytest.mark.parametrize("loss", [m.model_fields["type"].default for m in get_args(get_args(AnyLoss)[0])])
def test_losses_that_mixup_goes_with(loss: str) -> None:
    """A loss takes mixed targets where it is linear in the target, or between the two ends it mixes."""
    spec = TypeAdapter(AnyLoss).validate_python(loss)
    check_loss([of("rotate")], spec, "data.augment")
    if loss in ("hinge", "perceptron"):
        with pytest.raises(ConfigError, match=f"mixup makes targets of several classes at once, and {loss} takes one"):
            check_loss([of("rotate"), of("mixup")], spec, "data.augment")
    else:
        check_loss([of("mixup")], spec, "data.augment")
