"""`nnctl init`: where it writes, what it refuses, and that training takes what it wrote."""

import pytest

from nnctl.cli.main import main
from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment

TABLE = "".join(f"{i * 7 % 41 + 0.5},{'ab'[i % 2]}\n" for i in range(40))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current directory with a table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(f"x,label\n{TABLE}")
    return tmp_path


def test_writes_to_standard_output(capsys, folder):
    assert main(["init", "data.csv", "--target", "label"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("# Written by `nnctl init data.csv --target label`.\n")
    assert err == ""
    (folder / "e.yaml").write_text(out)
    assert load_experiment("e.yaml", (), Experiment).spec.data.target == "label"


def test_what_it_wrote_trains(capsys):
    assert main(["init", "data.csv", "--target", "label", "--output", "e.yaml"]) == 0
    assert main(["-q", "train", "e.yaml", "--set", "training.epochs=2"]) == 0
    assert capsys.readouterr() == ("e.yaml\nruns/data-0001\n", "")


def test_paths_start_from_the_file(folder):
    (folder / "configs").mkdir()
    assert main(["init", "data.csv", "--target", "-1", "--output", "configs/e.yaml"]) == 0
    assert load_experiment("configs/e.yaml", (), Experiment).spec.data.source.path == "../data.csv"


def test_overwrites_only_when_told_to(capsys, folder):
    (folder / "e.yaml").write_text("mine")
    assert main(["init", "data.csv", "--target", "label", "--output", "e.yaml"]) == 2
    assert capsys.readouterr().err == "error: e.yaml: is there already; --force overwrites it\n"
    assert (folder / "e.yaml").read_text() == "mine"
    assert main(["init", "data.csv", "--target", "label", "--output", "e.yaml", "--force"]) == 0
    assert (folder / "e.yaml").read_text() != "mine"


REFUSED = [
    (["data.csv"], 2, "which column is to be predicted? data.csv has x, label; write --target COLUMN"),
    (["data.csv", "--target", "lable"], 2, "did you mean 'label'?"),
    (["data.csv", "--target", "label", "--task", "ranking"], 2, "'classification', 'regression', 'multilabel'"),
    (["data.csv", "--target", "label", "--output", "no/e.yaml"], 2, "there is no folder no"),
    (["data.csw", "--target", "label"], 3, "did you mean data.csv?"),
    (["one.csv", "--target", "label"], 3, "'a' in every row; there is nothing to learn"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "words"), REFUSED, ids=lambda a: " ".join(a) if isinstance(a, list) else ""
)
def test_refusals(capsys, folder, arguments, code, words):
    (folder / "one.csv").write_text("x,label\n1,a\n2,a\n")
    assert main(["init", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err


def test_warns_of_what_the_data_have(capsys, folder):
    (folder / "data.csv").write_text(f"x,label\n{TABLE}" + "3,c\n" * 5)
    assert main(["init", "data.csv", "--target", "label"]) == 0
    assert "warning: " in capsys.readouterr().err
