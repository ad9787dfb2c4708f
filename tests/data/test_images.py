"""Folders and lists of images: what is read, what is refused, and the way through to a model."""

import os
import sys
import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from nnctl.data.loading import load, load_for_evaluation
from nnctl.data.sources import Idx, ImageFolder, ImageManifest, Npz, source_of
from nnctl.data.sources.base import without_labels
from nnctl.data.sources.images import Images
from nnctl.data.spec import DataSpec
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError
from nnctl.losses import CrossEntropy
from tests.data.pictures import COLOURED, GREY, encoded, shades, write
from tests.networks import arrays, input_of


def opened(folder: Path, skip: bool = False, **options: Any) -> Images:
    return ImageFolder(path=".", **options).open(folder, skip_malformed=skip)


def read(tmp_path: Path, content: Array | bytes, **options: Any) -> Any:
    """The one image of a folder, read back."""
    write(tmp_path, {"a/x.png": content})
    return opened(tmp_path, **options).x[0]


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    files = {"b/2.png": COLOURED, "b/10.png": 255 - COLOURED, "a/deep/er/1.png": COLOURED // 2}
    arrays = opened(write(tmp_path, files))
    assert arrays.files == ("a/deep/er/1.png", "b/10.png", "b/2.png")
    assert arrays.labels.tolist() == ["a", "b", "b"]
    np.testing.assert_array_equal(arrays.x, [files[name] for name in arrays.files])
    assert arrays.x.dtype == np.uint8


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.PNG": GREY, "a/.hidden.png": b"", "a/notes.txt": b"", ".git/x.png": b"", "LICENSE": b""})
    assert opened(tmp_path).files == ("a/1.PNG",)


def test_grey_has_no_channel_axis(tmp_path: Path) -> None:
    assert read(tmp_path, GREY, color="grey").tolist() == GREY.tolist()
    np.testing.assert_array_equal(read(tmp_path, GREY), np.repeat(GREY[..., None], 3, axis=-1))


def test_colour_becomes_grey_by_its_luma(tmp_path: Path) -> None:
    luma = COLOURED @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    np.testing.assert_allclose(read(tmp_path, COLOURED, color="grey"), luma, atol=1)


WIDE = (np.arange(30, dtype=np.uint16) * 2259).reshape(6, 5)
FORMATS = {
    "png": encoded(COLOURED),
    "bmp": encoded(COLOURED, "BMP"),
    "webp": encoded(COLOURED, "WEBP", lossless=True),
    "tiff": encoded(COLOURED, "TIFF"),
    "ppm": encoded(COLOURED, "PPM"),
    "transparent": encoded(np.dstack([COLOURED, GREY])),
    "cmyk": encoded(Image.fromarray(COLOURED).convert("CMYK"), "TIFF"),
    "animated": encoded(
        Image.fromarray(COLOURED), "PNG", save_all=True, append_images=[Image.fromarray(255 - COLOURED)]
    ),
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_pixels(tmp_path: Path, form: str) -> None:
    np.testing.assert_array_equal(read(tmp_path, FORMATS[form]), COLOURED)


def test_jpeg_is_near(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(16), np.arange(16))[..., None].repeat(3, -1).astype(np.uint8) * 8
    np.testing.assert_allclose(read(tmp_path, encoded(smooth, "JPEG", quality=95)), smooth, atol=6)


def test_palette(tmp_path: Path) -> None:
    few = Image.fromarray(COLOURED // 128 * 255).convert("P", palette=Image.Palette.ADAPTIVE)
    np.testing.assert_array_equal(read(tmp_path, encoded(few)), COLOURED // 128 * 255)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path: Path, form: str) -> None:
    np.testing.assert_array_equal(read(tmp_path, encoded(WIDE, form), color="grey"), np.round(WIDE / 257))


def test_black_and_white(tmp_path: Path) -> None:
    bits = Image.fromarray(GREY > 128)
    np.testing.assert_array_equal(read(tmp_path, encoded(bits), color="grey"), (GREY > 128) * 255)


#: How to turn what is stored so that it is upright, by the EXIF orientation (CIPA DC-008, 4.6.4).
ORIENTATIONS: dict[int, Callable[[Array], Array]] = {
    1: lambda x: x,
    2: np.fliplr,
    3: lambda x: np.rot90(x, 2),
    4: np.flipud,
    6: lambda x: np.rot90(x, -1),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_exif_orientation(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for stored, color in ((COLOURED, "rgb"), (WIDE, "grey")):
        image = read(tmp_path, encoded(stored, exif=exif), color=color)
        upright = stored if stored.dtype == np.uint8 else np.round(stored / 257)
        np.testing.assert_array_equal(image, ORIENTATIONS[orientation](upright))


DISC = Image.new("L", (40, 20))
ImageDraw.Draw(DISC).rectangle((10, 0, 29, 19), fill=200)
FITS = {
    "stretch": lambda x: (x[:, :4] < 90).all() and (x[:, 6:14] > 190).all(),
    "crop": lambda x: (x[:, 1:-1] == 200).all(),  # the middle square is all there is left
    "pad": lambda x: (x[:4] == 0).all() and (x[-4:] == 0).all() and (x[7:13, 7:13] == 200).all(),
}


@pytest.mark.parametrize("fit", FITS)
def test_sizes_are_brought_to_one(tmp_path: Path, fit: str) -> None:
    write(tmp_path, {"a/1.png": encoded(DISC), "a/2.png": encoded(DISC.resize((80, 40), Image.Resampling.NEAREST))})
    arrays = opened(tmp_path, size=20, fit=fit, color="grey")
    assert arrays.shape == (20, 20)
    for x in arrays.x:
        assert FITS[fit](x), x
    assert opened(tmp_path, size=(6, 9), fit=fit).shape == (6, 9, 3)


def test_an_image_of_the_size_asked_for_is_left_alone(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, COLOURED, size=(6, 5)), COLOURED)


def test_a_smaller_image_is_made_of_means(tmp_path: Path) -> None:
    """Not of single pixels that happen to lie there: a checkerboard becomes grey."""
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    np.testing.assert_allclose(read(tmp_path, board, size=8, color="grey"), 127.5, atol=8)


GOOD = encoded(COLOURED)
BAD = {
    "empty": (b"", "is empty"),
    "text": (b"# not an image\n", r"is text and no image; it begins with '# not an image"),
    "other": (b"\x7fELF\x02\x01\x01\0" + bytes(50), r"is no image that Pillow reads; it begins with 7f 45 4c 46"),
    "truncated": (GOOD[: len(GOOD) // 2], r"is damaged or cut off \("),
    "garbled": (GOOD[:60] + bytes(20) + GOOD[80:], r"is damaged or cut off \("),
    "truncated jpeg": (encoded(COLOURED.repeat(9, 0), "JPEG")[:-50], r"is damaged or cut off \("),
    "floats": (encoded(np.ones((3, 3), np.float32), "TIFF"), "holds floating point numbers; save it with 8 or 16 bits"),
    "32 bits": (encoded(np.full((3, 3), 70000, np.int32), "TIFF"), "holds numbers of 32 bits; save it with 8 or 16"),
    "another size": (encoded(COLOURED[:3]), r"is 3 x 5 where the first image is 6 x 5 \(height x width\); `size`"),
}


@pytest.mark.parametrize("case", BAD)
def test_images_that_cannot_be_used(tmp_path: Path, case: str) -> None:
    content, message = BAD[case]
    write(tmp_path, {"a/1.png": GOOD, "a/2.png": content, "b/3.png": GOOD})
    with pytest.raises(DataError, match=rf"\./a/2\.png: .*{message}") as raised:
        opened(tmp_path)
    assert raised.value.exit_code == 3
    arrays = opened(tmp_path, skip=True)
    assert arrays.files == ("a/1.png", "b/3.png")
    assert arrays.labels.tolist() == ["a", "b"]
    np.testing.assert_array_equal(arrays.x, [COLOURED, COLOURED])
    assert len(arrays.malformed) == 1
    assert "./a/2.png: " in arrays.malformed[0]


def test_more_pixels_than_an_image_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow only warns up to twice as many; it is refused from there on, whatever is done with warnings."""
    for most in (29, 14):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
        with warnings.catch_warnings(), pytest.raises(DataError, match=f"a/x.png: has more than the {most} pixels"):
            warnings.simplefilter("ignore")
            read(tmp_path, COLOURED)


def test_every_other_image_damaged(tmp_path: Path) -> None:
    """The ones left move up; the first one that can be read decides the size."""
    files = {f"a/{i:02}.png": np.full((3, 3), i, np.uint8) if i % 2 else b"" for i in range(40)}
    arrays = opened(write(tmp_path, files), skip=True, color="grey")
    assert arrays.x[:, 0, 0].tolist() == list(range(1, 40, 2))
    assert len(arrays.malformed) == 20


NOTHING = {
    "no folder": ({}, "photoz", r"photoz: no such folder in .*; did you mean 'photos'\?"),
    "no images": ({"photos/a.txt": b""}, "photos", "photos: holds no images"),
    "only damaged ones": ({"photos/a/1.png": b"", "photos/a/2.png": b""}, "photos", "and 1 more like it"),
    "a file": ({"photos": GOOD}, "photos", "photos: is a file; write the path of a folder"),
}


@pytest.mark.parametrize("case", NOTHING)
def test_folders_without_images(tmp_path: Path, case: str) -> None:
    files, path, message = NOTHING[case]
    write(tmp_path, files or {"photos/x.txt": b""})
    with pytest.raises(DataError, match=message):
        ImageFolder(path=path).open(tmp_path, skip_malformed=True)


def test_an_empty_class_and_an_image_outside_of_all(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.png": GREY, "empty/notes.txt": b"", "stray.png": GREY})
    with pytest.raises(DataError, match=r"\./empty: a folder for a class, without images \(and 1 more like it\)"):
        opened(tmp_path)
    assert opened(tmp_path, skip=True).malformed[1].startswith("./stray.png: lies outside of the folders for classes")


def test_unicode_names(tmp_path: Path) -> None:
    """Composed and decomposed spellings are one class; bytes that are no UTF-8 are spelled out."""
    decomposed = unicodedata.normalize("NFD", "Bär")
    write(tmp_path, {f"{decomposed}/ä.png": GREY, "猫/🐈.png": GREY})
    write(tmp_path, {os.fsdecode(b"\xff/\xfe.png"): GREY})
    arrays = opened(tmp_path)
    assert arrays.labels is not None and arrays.files is not None
    assert set(arrays.labels) == {"Bär", "猫", r"\xff"}
    assert arrays.files[-1] == r"\xff/\xfe.png"


def test_without_classes_all_images_below(tmp_path: Path) -> None:
    write(tmp_path, {"1.png": GREY, "deep/2.png": GREY})
    source = without_labels(ImageFolder(path="."))
    arrays = source.open(tmp_path)
    assert arrays.files == ("1.png", "deep/2.png")
    assert arrays.labels is None
    (one,) = ImageFolder(path="deep/2.png", labels=None).open(tmp_path).x
    np.testing.assert_array_equal(one[..., 0], GREY)


@pytest.mark.parametrize("limit", [0, 64])
def test_where_decoded_images_lie_changes_nothing(tmp_path: Path, limit: int) -> None:
    files = shades(30)
    before = sorted(tmp_path.rglob("*"))
    arrays = opened(write(tmp_path / "data", files), color="grey", cache_megabytes=limit)
    np.testing.assert_array_equal(arrays.x, [files[name] for name in arrays.files])
    assert isinstance(arrays.x, np.memmap) == (limit == 0)
    assert len(list((tmp_path / "data").rglob("*"))) == 62  # nothing beside the source
    assert before == []


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"a/1.png": GREY})
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ConfigError, match=r"Pillow, which is not installed: pip install 'nnctl\[images\]'$") as raised:
        opened(tmp_path)
    assert raised.value.exit_code == 2


# Manifests


def manifest(folder: Path, text: str, **options: Any) -> ImageManifest:
    (folder / "list.csv").write_text(text)
    return ImageManifest(path="list.csv", **options)


def test_a_manifest(tmp_path: Path) -> None:
    write(tmp_path, {"lists/img/1.png": GREY, "lists/2.png": 255 - GREY})
    (tmp_path / "lists/all.csv").write_text("path,label,other\n2.png,no,x\nimg/1.png,yes,y\n2.png,yes,z\n")
    arrays = ImageManifest(path="lists/all.csv", color="grey").open(tmp_path)
    np.testing.assert_array_equal(arrays.x, [255 - GREY, GREY, 255 - GREY])
    assert arrays.labels.tolist() == ["no", "yes", "yes"]
    assert arrays.files == ("2.png", "img/1.png", "2.png")


def test_columns_of_a_manifest(tmp_path: Path) -> None:
    write(tmp_path, {"1.png": GREY})
    source = manifest(tmp_path, "file;cat;dog\n1.png;1;0\n", separator=";", images="file", labels=("cat", "dog"))
    assert source.open(tmp_path).labels.tolist() == [["1", "0"]]
    assert without_labels(source).open(tmp_path).labels is None
    with pytest.raises(DataError, match=r"has no column 'path'; its columns are file, cat, dog; `images` and `labels`"):
        ImageManifest(path="list.csv", separator=";").open(tmp_path)


ROWS = {
    "missing file": ("2.pgn,yes", r"list.csv, line 3: 2.pgn: no such file in .*; did you mean '2.png'\?"),
    "no label": ("1.png,", "list.csv, line 3: has no label"),
    "no path": (",yes", "list.csv, line 3: has no path"),
    "damaged": ("2.png,yes", "list.csv, line 3, 2.png: is empty"),
}


@pytest.mark.parametrize("case", ROWS)
def test_rows_of_a_manifest_that_cannot_be_used(tmp_path: Path, case: str) -> None:
    row, message = ROWS[case]
    write(tmp_path, {"1.png": GREY, "2.png": b""})
    source = manifest(tmp_path, f"path,label\n1.png,no\n{row}\n1.png,yes\n")
    with pytest.raises(DataError, match=message):
        source.open(tmp_path)
    assert source.open(tmp_path, skip_malformed=True).labels.tolist() == ["no", "yes"]


def test_a_manifest_of_numbers_is_regression(tmp_path: Path) -> None:
    write(tmp_path, {f"{i}.png": np.full((2, 2), i, np.uint8) for i in range(40)})
    manifest(tmp_path, "path,label\n" + "".join(f"{i}.png,{i * 1.5}\n" for i in range(40)))
    data = load(of("image_manifest", "list.csv"), tmp_path, 0, np.float32)
    assert data.targets["output"].task == "regression"


# From folder to parts


def of(kind: str = "image_folder", path: str = ".", color: str = "grey", **section: Any) -> DataSpec:
    return DataSpec.model_validate({"source": {"type": kind, "path": path, "color": color}, **section})


def test_report(tmp_path: Path) -> None:
    write(tmp_path, shades(20) | {"dark/zz.png": b"", "dark/zzz.png": np.zeros((9, 9), np.uint8)})
    with pytest.raises(DataError, match="zz.png: is empty; `data.malformed: skip` leaves such images out of training$"):
        load(of(), tmp_path, 0, np.float32)
    data = load(of(malformed="skip"), tmp_path, 0, np.float32)
    assert data.report.rows == {"train": 28, "validation": 6, "test": 6}
    assert [place.partition(":")[0] for place in data.report.malformed] == ["./dark/zz.png", "./dark/zzz.png"]
    assert data.report.classes["output"]["train"] == {"dark": 14, "light": 14}


def test_one_digest_for_all_the_files(tmp_path: Path) -> None:
    def digest() -> str:
        return load(of(), tmp_path, 0, np.float32).report.files["."]

    write(tmp_path, shades(9))
    first = digest()
    assert digest() == first
    (tmp_path / "dark/000.png").rename(tmp_path / "light/900.png")
    moved = digest()
    (tmp_path / "light/900.png").rename(tmp_path / "light/901.png")
    renamed = digest()
    write(tmp_path, {"light/901.png": np.zeros((4, 4), np.uint8)})
    assert len({first, moved, renamed, digest()}) == 4


def test_grey_images_and_images_of_one_channel_are_the_same(tmp_path: Path) -> None:
    files = shades(12)
    folder = write(tmp_path / "png", files)
    x = np.array(list(files.values()))
    y = np.array([name.split("/")[0] for name in files])
    for shape in [(4, 4), (4, 4, 1)]:
        np.savez(tmp_path / "x.npz", x=x.reshape(-1, *shape), y=y)
        spec = DataSpec(source=Npz(path="x.npz"))
        encoder = load(spec, tmp_path, 0, np.float32).fitted
        data = load_for_evaluation(
            encoder, source_of(str(folder), spec.source), tmp_path, np.float32, {"output": CrossEntropy()}
        )
        inputs, _, _ = arrays(data.take(np.arange(24), np.float32))
        np.testing.assert_array_equal(inputs, (x / np.float32(255)).reshape(-1, *shape))


METHODS: dict[str, Any] = {
    "standardize": (lambda v: v.mean(), lambda v: v.std()),
    "min_max": (np.min, np.ptp),
    "auto": (np.mean, np.std),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("color", ["grey", "rgb"])
def test_normalised_by_channel_on_the_training_split(tmp_path: Path, method: str, color: str) -> None:
    random = np.random.default_rng(3)
    centres = {"a": (20, 90, 200), "b": (40, 30, 220)}
    images = {
        f"{name}/{i}.png": np.clip(random.normal(c, (5, 20, 9), (4, 3, 3)), 0, 255).astype(np.uint8)
        for name, c in centres.items()
        for i in range(20)
    }
    write(tmp_path, images)
    data = load(of(color=color, preprocess={"numeric": method, "by": "channel"}), tmp_path, 0, np.float64)
    raw = data.train.inputs["input"].values[data.train.inputs["input"].rows].astype(np.float64)
    channels = [raw] if color == "grey" else [raw[..., c] for c in range(3)]
    centre, scale = METHODS[method]
    np.testing.assert_allclose(input_of(data).centre, [centre(c) for c in channels], rtol=1e-12)
    np.testing.assert_allclose(input_of(data).scale, [scale(c) for c in channels], rtol=1e-12)
    x: Any = data.train.inputs["input"].take(np.arange(len(data.train)), np.float64)
    expected = [(c - centre(c)) / scale(c) for c in channels]
    np.testing.assert_allclose(x, expected[0] if color == "grey" else np.stack(expected, axis=-1), atol=1e-12)


def test_robust_by_channel_is_refused() -> None:
    with pytest.raises(ValueError, match="robust needs a median, which is not computed by channel"):
        of(preprocess={"numeric": "robust", "by": "channel"})


PATHS = {
    "photos": ImageFolder(path="photos", color="grey", size=9),
    "photos/a/1.JPG": ImageFolder(path="photos/a/1.JPG", color="grey", size=9, labels=None),
}


@pytest.mark.parametrize("path", PATHS)
def test_paths_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    write(tmp_path, {"photos/a/1.JPG": GREY})
    monkeypatch.chdir(tmp_path)
    assert source_of(path, ImageFolder(path="train", color="grey", size=9)) == PATHS[path]
    assert source_of(path, ImageManifest(path="t.csv", color="grey", size=9)) == PATHS[path]
    source: Any = source_of(path, Idx(path="x"))
    assert source.size is None
    source = source_of("new.csv", ImageManifest(path="t.csv", images="file"))
    assert source.images == "file"
