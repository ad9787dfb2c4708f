"""What lies in a folder of images: the order of names, links, and what is no file."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nnctl.data.loading import LoadedData, load
from nnctl.data.sources import ImageFolder, ImageManifest
from nnctl.data.sources.base import without_labels
from nnctl.data.sources.image_folder import images_below, is_image
from nnctl.data.spec import DataSpec
from nnctl.errors import DataError
from tests.data.pictures import GREY, encoded, shades, write


def listed(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the images, and what is wrong with the other entries."""
    files, malformed = ImageFolder(path=".").listing(folder)
    return [file.name for file in files], malformed


def test_the_spelling_of_names_changes_nothing(tmp_path: Path) -> None:
    """é is one character or e and an accent, which sort differently: the split would be another."""
    names = [f"{kind}/{name}.png" for kind in ("a", "é", "z") for name in ("e1", "f1", "é1")]
    pictures = {name: np.full((3, 3), i, np.uint8) for i, name in enumerate(names)}
    digests = set()
    for form in ("NFC", "NFD"):
        write(tmp_path / form, {unicodedata.normalize(form, name): x for name, x in pictures.items()})
        arrays = ImageFolder(path=".", color="grey").open(tmp_path / form)
        expected = sorted(names)
        assert arrays.files == tuple(expected)
        assert arrays.x[:, 0, 0].tolist() == [pictures[name][0, 0] for name in expected]
        digests.add(arrays.digest)
    assert len(digests) == 1


def test_folders_and_files_are_in_one_order(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(["a/top.png", "a/b/c/1.png", "a/b/2.png", "a/z/1.png", "a-b/1.png"], GREY))
    assert listed(tmp_path) == (["a/b/2.png", "a/b/c/1.png", "a/top.png", "a/z/1.png", "a-b/1.png"], [])
    flat = without_labels(ImageFolder(path="a")).open(tmp_path)
    assert flat.files == ("b/2.png", "b/c/1.png", "top.png", "z/1.png")


def test_linked_folders_are_followed(tmp_path: Path) -> None:
    write(tmp_path / "train", {"x/1.png": GREY, "y/1.png": GREY})
    write(tmp_path / "other", {"2.png": GREY, "deep/3.png": GREY, "4.png": GREY})
    (tmp_path / "train/x/linked").symlink_to("../../other")
    (tmp_path / "train/x/one.png").symlink_to("../../other/4.png")
    (tmp_path / "train/whole").symlink_to("../other")
    names = ["whole/2.png", "whole/4.png", "whole/deep/3.png", "x/1.png", "x/linked/2.png", "x/linked/4.png",
             "x/linked/deep/3.png", "x/one.png", "y/1.png"]  # fmt: skip
    assert listed(tmp_path / "train") == (names, [])
    assert [file.name for file in images_below(tmp_path / "train/x/linked")] == ["2.png", "4.png", "3.png"]


ENDLESS = {
    "itself": ("x/loop", "."),
    "the folder above": ("x/deep/loop", ".."),
    "the source": ("x/loop", ".."),
}


@pytest.mark.parametrize("case", ENDLESS)
def test_a_link_to_a_folder_around_it(tmp_path: Path, case: str) -> None:
    link, target = ENDLESS[case]
    write(tmp_path, {"x/1.png": GREY, "x/deep/2.png": GREY, "y/1.png": GREY})
    (tmp_path / link).symlink_to(target)
    names, malformed = listed(tmp_path)
    assert names == ["x/1.png", "x/deep/2.png", "y/1.png"]
    assert malformed == [f"./{link}: is a link to a folder that it lies in"]


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"x/1.png": GREY, "x/shut/2.png": GREY, "x/shut/3.png": GREY, "y/1.png": GREY})
    for link in ("x/gone", "x/gone.png", "class"):
        (tmp_path / link).symlink_to("nowhere")
    (tmp_path / "x/ring").symlink_to("ring")
    os.mkfifo(tmp_path / "x/pipe.png")
    os.mkfifo(tmp_path / "pipe.png")
    iterdir = Path.iterdir

    def denied(path: Path) -> Iterator[Any]:
        if path.name in shut:
            raise PermissionError(13, "Permission denied", path)
        return iterdir(path)

    shut = ["shut"]
    monkeypatch.setattr(Path, "iterdir", denied)
    names, malformed = listed(tmp_path)
    assert names == ["x/1.png", "y/1.png"]
    pipe, nowhere = "is a pipe or a device and no image", "is a link that cannot be followed: No such file or directory"
    assert malformed == [
        f"./class: {nowhere}",
        f"./pipe.png: {pipe}",
        f"./x/gone: {nowhere}",
        f"./x/gone.png: {nowhere}",
        f"./x/pipe.png: {pipe}",
        "./x/ring: is a link that cannot be followed: Too many levels of symbolic links",
        "./x/shut: cannot be read: Permission denied",
    ]
    assert not is_image(tmp_path / "x/pipe.png")
    shut.append(tmp_path.name)
    with pytest.raises(DataError, match=r"^\.: cannot be read: Permission denied$"):
        listed(tmp_path)


def test_images_in_no_folder_of_a_class(tmp_path: Path) -> None:
    write(tmp_path, {"1.png": GREY, "2.png": GREY})
    with pytest.raises(DataError) as raised:
        ImageFolder(path=".").open(tmp_path)
    assert str(raised.value) == (
        "./1.png: lies in no folder of a class; training and `nnctl eval` need CLASS/1.png, `nnctl predict` takes it "
        "as it is (and 1 more like it)"
    )


def test_paths_of_a_manifest_that_are_no_files(tmp_path: Path) -> None:
    write(tmp_path, {"train/1.png": GREY})
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "list.csv").write_text(
        f"path,label\ntrain,a\npipe.png,b\n{'long' * 99}.png,b\n2.png,c\npipe.png/1.png,c\n"
    )
    _, malformed = ImageManifest(path="list.csv").listing(tmp_path)
    assert [place.partition(f" in {tmp_path}")[0] for place in malformed] == [
        "list.csv, line 2: train: is a folder and no image",
        "list.csv, line 3: pipe.png: is a pipe or a device and no image",
        f"list.csv, line 4: {'long' * 99}.png: cannot be read: File name too long",
        "list.csv, line 5: 2.png: no such file",
        "list.csv, line 6: pipe.png/1.png: cannot be read: Not a directory",
    ]


def test_the_nearest_name_is_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing each of n wrong paths with each of n files took minutes."""
    write(tmp_path, {f"{i}.png": GREY for i in range(9)})
    (tmp_path / "list.csv").write_text("path,label\n" + "".join(f"{i},x\n" for i in range(9)))
    asked = []
    monkeypatch.setattr(
        "nnctl.data.sources.image_manifest.did_you_mean",
        lambda *given: asked.append(given) or "; did you mean '0.png'?",
    )
    with pytest.raises(
        DataError, match=r"line 2: 0: no such file in .*; did you mean '0.png'\? \(and 8 more like it\)$"
    ):
        ImageManifest(path="list.csv").open(tmp_path)
    assert len(asked) == 1


WIDE = np.arange(30, dtype=np.int32).reshape(6, 5) * 8


def test_32_bits_are_not_taken_for_16(tmp_path: Path) -> None:
    """Values of 0 to 255 would be divided by 257, and the image be black."""
    write(tmp_path, {"a/1.tif": encoded(WIDE, "TIFF")})
    with pytest.raises(DataError, match="a/1.tif: holds numbers of 32 bits; save it with 8 or 16"):
        ImageFolder(path=".").open(tmp_path)


def test_16_bits_of_a_pgm(tmp_path: Path) -> None:
    values = (WIDE * 273).astype(">u2")
    write(tmp_path, {"a/1.pgm": b"P5 5 6 65535\n" + values.tobytes()})
    with Image.open(tmp_path / "a/1.pgm") as image:
        assert image.mode == "I", "as 32 bits have, in other formats"
    x = ImageFolder(path=".", color="grey").open(tmp_path).x[0]
    np.testing.assert_array_equal(x, np.round(values / 257))


# From there to the parts


def loaded(folder: Path, **section: Any) -> LoadedData:
    return load(DataSpec.model_validate(section), folder, 0, np.float32)


def test_a_class_that_training_did_not_have_is_told_with_its_file(tmp_path: Path) -> None:
    write(tmp_path / "train", shades(9))
    write(tmp_path / "test", {f"{kind}/0.png": GREY[:4, :4] for kind in ("dark", "light", "lihgt")})
    (tmp_path / "test.csv").write_text("path,kind\ntest/dark/0.png,dark\ntest/light/0.png,zzz\n")
    train = {"type": "image_folder", "path": "train", "color": "grey"}
    listing = {"type": "image_manifest", "path": "test.csv", "labels": "kind", "color": "grey"}
    had_no = "here are dark, light"
    for test, message in (
        (train | {"path": "test"}, rf"^test/lihgt/0.png: .* no class 'lihgt'; did you mean 'light'\? T{had_no}$"),
        (listing, f"^test.csv, line 3, test/light/0.png: column 'target': training had no class 'zzz'; t{had_no}$"),
    ):
        with pytest.raises(DataError, match=message):
            loaded(tmp_path, train=train, test=test)


def test_columns_of_a_manifest_keep_their_names(tmp_path: Path) -> None:
    write(tmp_path, {f"{i}.png": np.full((2, 2), i, np.uint8) for i in range(20)})
    source = {"type": "image_manifest", "path": "list.csv", "labels": ["width", "kind"]}
    (tmp_path / "list.csv").write_text(
        "path,width,kind,cat\n" + "".join(f"{i}.png,{i / 2},{'ab'[i % 2]},{i % 2}\n" for i in range(20))
    )
    with pytest.raises(DataError) as raised:
        loaded(tmp_path, source=source)
    assert str(raised.value) == (
        "list.csv, line 2, 0.png: target 'kind' is 'a', which is no finite number; several targets are all numbers, or "
        "all labels of 0 and 1, and classes are one column"
    )
    data = loaded(tmp_path, source=source | {"labels": ["width", "cat"]})
    assert data.targets["output"].columns == ("width", "cat")
    parts = {"train": source | {"labels": ["width", "cat"]}, "test": source | {"labels": ["cat", "width"]}}
    data = loaded(tmp_path, source=None, **parts)
    np.testing.assert_array_equal(data.test.truths["output"].values, data.train.truths["output"].values)
    assert loaded(tmp_path, source=source | {"labels": "kind"}).targets["output"].columns == ("kind",)
    assert loaded(tmp_path, source=source | {"labels": "kind"}, target="k").targets["output"].columns == ("k",)


def test_some_rows_of_images(tmp_path: Path) -> None:
    arrays = ImageFolder(path=".", color="grey").open(write(tmp_path, shades(3)))
    assert arrays[2:4].files == ("dark/002.png", "light/000.png")
    assert arrays[2:4].places == ("./dark/002.png", "./light/000.png")
