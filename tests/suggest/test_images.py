"""Folders and lists of images: how they are read, which parts belong together, and what is refused."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.engine.parameters import Array
from nnctl.errors import ConfigError, DataError, NnctlError
from nnctl.suggest.experiment import suggest
from nnctl.training.assemble import assemble
from nnctl.training.job import Job
from tests.data.pictures import GREY, encoded, shades, write
from tests.networks import input_of

RANDOM = np.random.default_rng(1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(path: Path, *targets: str, task: Any = None, folder: Path | None = None) -> tuple[Job, str]:
    """The job and the experiment file for images, its comments unwrapped."""
    here = folder or path.parent
    text = suggest(str(path), targets, here, task).text
    (here / "e.yaml").write_text(text, encoding="utf-8")
    loaded = load_experiment(here / "e.yaml", (), Experiment)
    return assemble(loaded.spec, loaded.base), re.sub(r"\n *# ", " ", text)


def of_sizes(*sizes: tuple[int, int], form: str = "PNG") -> dict[str, bytes]:
    """Two classes of coloured images of these sizes."""
    return {
        f"{name}/{i}.{form.lower()}": encoded(RANDOM.integers(0, 256, (*size, 3), dtype=np.uint8), form)
        for name in "ab"
        for i, size in enumerate(sizes)
    }


# Images, the size and colour they are brought to, words of the reason.
READINGS: dict[str, Any] = {
    "small and alike": (of_sizes((28, 28)), 28, "rgb", "all images are 28 x 28"),
    "small and oblong": (of_sizes((20, 33)), (20, 33), "rgb", "all images are 20 x 33"),
    "large": (of_sizes((100, 100)), 64, "rgb", "all images are 100 x 100"),
    "large and oblong": (of_sizes((100, 200)), (32, 64), "rgb", "all images are 100 x 200"),
    "nearly square": (of_sizes((96, 100)), 64, "rgb", "all images are 96 x 100"),
    "of several sizes": (
        of_sizes((30, 20), (41, 41), (300, 90)), 40, "rgb", "30 to 300 high and 20 to 90 wide, in the middle 41 x 41"
    ),
    "of several small sizes": (of_sizes((5, 6), (6, 5)), 8, "rgb", "5 to 6 high"),
    "jpeg": (of_sizes((24, 24), form="JPEG"), 24, "rgb", "2 of 2 have colours"),
    "grey": (shades(3, (12, 12)), 12, "grey", "all images are grey"),
    "grey with three channels": (
        {n: np.repeat(x[..., None], 3, -1) for n, x in shades(3, (12, 12)).items()}, 12, "grey", "all images are grey"
    ),
    "one with colours": (shades(3, (12, 12)) | {"dark/z.png": of_sizes((12, 12))["a/0.png"]}, 12, "rgb", "1 of 7 have"),
}  # fmt: skip


@pytest.mark.parametrize("name", READINGS)
def test_size_and_colour(tmp_path: Path, name: str) -> None:
    files, size, color, words = READINGS[name]
    job, text = made(write(tmp_path / "photos", files))
    source = job.experiment.data.source
    assert (source.size, source.color) == (size, color)
    assert words in text


def test_a_sample_of_many_images_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.suggest.looks.SAMPLE", 10)
    job, text = made(
        write(tmp_path / "photos", shades(20, (9, 9)) | {"dark/zz.png": shades(1, (9, 9))["dark/000.png"]})
    )
    assert "9 of the 41 images, looked at, are 9 x 9" in text
    assert len(job.data.train) == 29


AWKWARD = ["no", "1e3", "null", "with: colon # x", "-", "~", "é 漢", "[x", "'", "<<", "a  b", "train"]


def test_names_of_classes_and_folders_that_mean_something_in_yaml(tmp_path: Path) -> None:
    top = write(tmp_path / "1e3", shades(4, (9, 9), AWKWARD))
    job, text = made(top)
    assert set(job.data.targets["output"].class_names) == set(AWKWARD)
    assert 'path: "1e3"' in text


SETS = {"cat/1.png": GREY, "cat/2.png": GREY, "dog/1.png": GREY, "dog/2.png": GREY}


MANY = {f"{name}/{i}.png": GREY for name in ("cat", "dog") for i in range(12)}


def parts(*names: str) -> dict[str, Array]:
    return {f"{part}/{name}": content for part in names for name, content in MANY.items()}


# Files, the folder named, the folders of the parts.
PARTS = {
    "none": (SETS, "", {"source": "top"}),
    "inside": (parts("train", "test"), "", {"source": "top/train", "test": "top/test"}),
    "named": (parts("train", "test"), "train", {"source": "top/train", "test": "top/test"}),
    "all three": (
        parts("Training", "val", "test"), "", {"source": "top/Training", "validation": "top/val", "test": "top/test"}
    ),
    "with others": (parts("train", "valid", "extra"), "", {"source": "top/train", "validation": "top/valid"}),
    "a test set without classes": (
        parts("train") | {"test/1.png": GREY}, "", {"source": "top/train"}
    ),
    "classes called so": ({"train/1.png": GREY, "bus/1.png": GREY}, "", {"source": "top"}),
    "classes called so, with folders": ({"train/a/1.png": GREY, "bus/1.png": GREY}, "", {"source": "top"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_parts_that_lie_in_the_folder_or_beside_it(tmp_path: Path, name: str) -> None:
    files, named, expected = PARTS[name]
    top = write(tmp_path / "top", files)
    job, text = made(top / named, folder=tmp_path)
    data = job.experiment.data
    found = {part: getattr(data, part).path for part in ("source", "validation", "test") if getattr(data, part)}
    assert found == expected
    assert ("set beside it" in text) == (len(expected) > 1)


def test_stray_files_and_other_parts_count_with_the_images(tmp_path: Path) -> None:
    stray = {f"{i}.png": encoded(GREY) for i in range(20)}
    with pytest.raises(DataError, match="20 of 24 images cannot be used"):
        made(write(tmp_path / "stray", shades(2, (9, 9)) | stray))
    parts = {f"train/{name}": image for name, image in shades(20, (9, 9)).items()}
    tested = {f"test/{name}": image for name, image in shades(20, (9, 9)).items()}
    bad = {f"test/dark/bad{i}.png": b"nope" for i in range(6)}
    _, text = made(write(tmp_path / "parts", parts | tested | bad))
    assert "6 images cannot be used" in text  # of 86; they would be more than a tenth of the training images
    assert "40 images to train on" in text


def test_damaged_images_are_left_out_where_they_are_few(tmp_path: Path) -> None:
    top = write(tmp_path / "photos", shades(30, (9, 9)) | {"dark/zz.png": b"nope", "light/zz.png": encoded(GREY)[:30]})
    (top / "none").mkdir()
    job, text = made(top)
    assert "malformed: skip" in text
    assert "3 images cannot be used; the first: photos/none: a folder for a class, without images" in text
    assert sum(job.data.report.rows.values()) == 60
    assert "malformed" not in made(write(tmp_path / "good", shades(30, (9, 9))))[1]


def listed(
    separator: str = ",", header: str = "file,kind", folder: str = "images", **columns: Callable[..., Any]
) -> tuple[dict[str, Array], str]:
    """A list of 60 images, which are in a folder beside it, with columns made of each one's number."""
    images = shades(30, (9, 11))
    files = {f"images/{name.replace('/', '-')}": image for name, image in images.items()}
    makers = columns or {"kind": lambda i: "dark" if i < 30 else "light"}
    names = [name.replace("images", folder) for name in files]
    lines = [separator.join([name, *(str(make(i)) for make in makers.values())]) for i, name in enumerate(names)]
    return files, "\n".join([header.replace(",", separator)] * bool(header) + lines) + "\n"


# Name of the list, what it holds, targets, the columns found, task, words of a reason.
LISTS = {
    "two columns": ("l.csv", listed(), [], ("file", "kind"), "classification", "what to predict"),
    "semicolons": ("l.csv", listed(";"), [], ("file", "kind"), "classification", 'separator: ";"'),
    "tabs": ("l.tsv", listed("\t"), [], ("file", "kind"), "classification", 'separator: "\\t"'),
    "another ending": ("l.txt", listed(), [], ("file", "kind"), "classification", ""),
    "numbers": ("l.csv", listed(kind=lambda i: i * 1.5), [], ("file", "kind"), "regression", "from 0 to 88.5"),
    "named": (
        "l.csv", listed(header="file,w,kind", w=lambda i: i, kind=lambda i: i % 3), ["kind"], ("file", "kind"),
        "classification", "only images are learned from, not w",
    ),
    "by number": (
        "l.csv", listed(header="file,w,kind", w=lambda i: i, kind=lambda i: i % 3), ["-1"], ("file", "kind"),
        "classification", "",
    ),
    "called label": (
        "l.csv", listed(header="file,w,label", w=lambda i: i, label=lambda i: i % 3), [], ("file", "label"),
        "classification", "",
    ),
    "labels": (
        "l.csv", listed(header="file,a,b", a=lambda i: i % 2, b=lambda i: i % 3 // 2), ["a", "b"],
        ("file", ("a", "b")), "multilabel", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_images(tmp_path: Path, name: str) -> None:
    file, (images, text), targets, columns, task, words = LISTS[name]
    write(tmp_path / "lists", images)
    (tmp_path / "lists" / file).write_text(text)
    job, said = made(tmp_path / "lists" / file, *targets, folder=tmp_path)
    source = job.experiment.data.source
    assert (source.type, source.path) == ("image_manifest", f"lists/{file}")
    assert (source.images, source.labels, source.size, source.color) == (*columns, (9, 11), "grey")
    assert job.experiment.data.task == task
    assert words in said


def test_a_table_that_also_names_images_is_a_table_where_they_are_not_there(tmp_path: Path) -> None:
    _, text = listed(header="file,w,label", folder="elsewhere", w=lambda i: i % 7, label=lambda i: i % 3)
    (tmp_path / "l.csv").write_text(text)
    job, _ = made(tmp_path / "l.csv", "label")
    assert [column.name for column in input_of(job.data).columns] == ["w"]


IMAGE = {"cat/1.png": GREY}
BAD = {f"cat/{i}.png": b"nope" for i in range(5)}
REFUSED = {
    "nothing": (
        {".hidden.png": GREY},
        "",
        [],
        None,
        DataError,
        r"holds no images .*a folder of its own, \S*/CLASS/NAME",
    ),
    "a table": (
        {"x.csv.gz": b"a,b"},
        "",
        [],
        None,
        DataError,
        "for a table of numbers, name the file, such as x.csv.gz",
    ),
    "loose images": (
        {"1.png": GREY, "2.png": GREY},
        "",
        [],
        None,
        DataError,
        "2 images lie in it and none in a folder",
    ),
    "one class": (IMAGE, "", [], None, DataError, "its 1 images are all in one folder, 'cat'"),
    "one image": (IMAGE, "cat/1.png", [], None, DataError, "is a file; write the path of a folder"),
    "no folder": (IMAGE, "cot", [], None, DataError, "did you mean 'cat'"),
    "a target": (SETS, "", ["cat"], None, ConfigError, "--target cat: .* is a folder, .* leave --target out"),
    "another task": (SETS, "", [], "regression", ConfigError, "--task regression: .* CSV file with a column of paths"),
    "all damaged": (BAD | {"dog/1.png": b""}, "", [], None, DataError, "'nope'; none of 6 images can be read"),
    "many damaged": (BAD | SETS, "", [], None, DataError, "'nope'; 3 of 7 images cannot be used"),
}


@pytest.mark.parametrize(("files", "named", "targets", "task", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_folders_that_cannot_be_learned(
    tmp_path: Path,
    files: dict[str, Any],
    named: str,
    targets: Sequence[str],
    task: Any,
    error: type[NnctlError],
    words: str,
) -> None:
    top = write(tmp_path / "photos", files)
    with pytest.raises(error, match=words):
        made(top / named, *targets, task=task, folder=tmp_path)


TWO: dict[str, Any] = {"w": lambda i: i, "kind": lambda i: i % 3}
REFUSED_LISTS = {
    "which column": (listed(header="file,w,kind", **TWO), [], ConfigError, "lists images in 'file' and has w, kind"),
    "a mistyped column": (listed(), ["kid"], ConfigError, "did you mean 'kind'"),
    "the images' column": (listed(), ["file"], DataError, "60 different values"),
    "one class": (listed(kind=lambda i: "x"), [], DataError, "'x' in every row"),
    "no header": (listed(header=""), [], DataError, "no line that names its columns"),
    "no images there": (listed(folder="there"), [], DataError, "such as 'there/dark-000.png', and none of them is in"),
}


@pytest.mark.parametrize(("content", "targets", "error", "words"), REFUSED_LISTS.values(), ids=REFUSED_LISTS)
def test_lists_that_cannot_be_learned(
    tmp_path: Path, content: tuple[dict[str, Any], str], targets: Sequence[str], error: type[NnctlError], words: str
) -> None:
    images, text = content
    (write(tmp_path, images) / "l.csv").write_text(text)
    with pytest.raises(error, match=words):
        made(tmp_path / "l.csv", *targets)


def test_a_list_in_another_encoding_is_refused(tmp_path: Path) -> None:
    images, text = listed(kind=lambda i: "é" if i < 30 else "e")
    (write(tmp_path, images) / "l.csv").write_bytes(text.encode("latin1"))
    with pytest.raises(DataError, match="UTF-8"):
        made(tmp_path / "l.csv")
