"""New files without a header that have not all the columns of training: the same predictions, or what to do."""

from pathlib import Path

import pytest
import yaml

from tests.process import nnctl

ROWS = [[i % 7, i % 5 / 2, "ab"[i % 7 > 3], 9 - i % 4, i] for i in range(60)]
CONFIG = """\
name: {name}
data: {{source: {{type: csv, path: all.data, header: false}}, target: column_3, exclude: [{exclude}]}}
model: {{hidden: [3]}}
training: {{epochs: 2}}
"""


def table(*columns: int) -> str:
    return "".join(",".join(str(row[i - 1]) for i in columns) + "\n" for row in ROWS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("headless")
    (folder / "all.data").write_text(table(1, 2, 3, 4, 5))
    for name, exclude in {"four": "", "three": "column_5"}.items():
        (folder / f"{name}.yaml").write_text(CONFIG.format(name=name, exclude=exclude))
        nnctl("train", f"{name}.yaml", "--quiet", cwd=folder)
    return folder


def predicted(folder: Path, name: str, content: str, code: int = 0) -> tuple[str, str]:
    (folder / "new.data").write_text(content)
    done = nnctl("predict", f"runs/{name}-0001", "--data", "new.data", cwd=folder, code=code)
    return done.stdout, done.stderr


def test_the_names_are_written_down(folder: Path) -> None:
    source = yaml.safe_load((folder / "runs/four-0001/config.yaml").read_text())["data"]["source"]
    assert source["columns"] == [f"column_{i}" for i in range(1, 6)]


def test_the_target_may_be_left_out_of_the_middle(folder: Path) -> None:
    whole, _ = predicted(folder, "four", table(1, 2, 3, 4, 5))
    said = (
        "new.data: has 4 columns without names, and training had 5; taken as those without column_3: 1 for column_1, "
    )
    assert predicted(folder, "four", table(1, 2, 4, 5))[0] == whole
    assert said + "2 for column_2, 3 for column_4, 4 for column_5" in predicted(folder, "four", table(1, 2, 4, 5))[1]


def test_what_stays_open_is_refused_with_what_to_write(folder: Path) -> None:
    whole, _ = predicted(folder, "three", table(1, 2, 3, 4, 5))
    assert predicted(folder, "three", table(1, 2, 4))[0] == whole
    for columns in ((1, 2, 4, 5), (1, 2, 3, 4)):
        said = predicted(folder, "three", table(*columns), code=3)[1]
        assert "new.data, line 1: 4 fields where `columns` names 5" in said
        assert "write all 5, or only the 3 that are needed, all but column_3, column_5" in said


def test_evaluation_needs_the_target_too(folder: Path) -> None:
    (folder / "new.data").write_text(table(1, 2, 3, 4))
    done = nnctl("eval", "runs/three-0001", "--data", "new.data", cwd=folder)
    assert "taken as those without column_5" in done.stderr
    (folder / "new.data").write_text(table(1, 2, 4))
    nnctl("eval", "runs/three-0001", "--data", "new.data", cwd=folder, code=3)
