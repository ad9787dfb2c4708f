"""`nnctl gradcheck` as a command: what it prints, how it ends."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from nnctl.activations.sigmoids import Tanh
from nnctl.cli.main import main
from tests.process import ROOT, nnctl

Run = Callable[..., tuple[str, str]]

CONFIG = """\
seed: 4
data:
  source: {type: generated, generator: {type: moons, size: 60, noise: 0.1, seed: 1}}
  target: label
model:
  layers:
    - {type: dense, units: 3, activation: tanh}
    - {type: dense, units: 2, activation: tanh, trainable: false}
    - {type: dense}
training: {epochs: 2}
regularization: {l2: 0.01}
"""
TENSORS = ["dense1.weight", "dense1.bias", "dense3.weight", "dense3.bias", "all parameters", "input"]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(CONFIG)
    return "m.yaml"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Runs gradcheck, demands an exit code, returns stdout and stderr."""

    def call(*arguments: object, code: int = 0) -> tuple[str, str]:
        ended = main(["gradcheck", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert ended == code, out + err
        return out, err

    return call


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Tanh.backward
    monkeypatch.setattr(Tanh, "backward", lambda self, dy, x, y, out: right(self, 1.01 * dy, x, y, out))


def test_the_table_fits_a_terminal_and_names_every_tensor(config: str, run: Callable[..., tuple[str, str]]) -> None:
    out, err = run(config)
    lines = out.splitlines()
    assert err == ""
    assert lines[0].split() == ["tensor", "error", "at", "analytic", "numeric", "entries", "kinks", "proj."]
    assert [line[:14].strip() for line in lines[1:7]] == TENSORS
    assert lines[1].split()[-4:-2] == ["of", "2x3"]
    assert lines[7] == ""
    assert lines[8] == "not trained, so not checked: dense2.weight, dense2.bias"
    assert lines[9].startswith("passed: the largest error is ")
    assert lines[9].endswith("; tolerance 1e-06")
    assert len(lines) == 10
    assert max(map(len, lines)) <= 80


def test_over_the_tolerance_is_exit_code_4_and_names_the_tensors(
    config: str, run: Callable[..., tuple[str, str]], broken: None
) -> None:
    out, err = run(config, code=4)
    assert "\nfailed: the largest error is " in out
    assert err.startswith("error: the gradient of dense1.weight, dense1.bias, all parameters, input differs")
    assert "1e-06" in err


def test_the_tolerance_is_the_users(config: str, run: Callable[..., tuple[str, str]], broken: None) -> None:
    run(config, "--tolerance", "0.5")
    run(config, "--tolerance", "1e-9", "--epsilon", "1e-4", code=4)


def test_json_is_one_document_whatever_the_verdict(
    config: str, run: Callable[..., tuple[str, str]], request: pytest.FixtureRequest
) -> None:
    document = json.loads(run(config, "--json", "--samples", 2, "--batch", 5)[0])
    assert (document["passed"], document["failed"], document["undecided"], document["examples"]) == (True, [], [], 5)
    assert (document["tolerance"], document["epsilon"]) == (1e-6, 1e-5)
    assert document["penalty"] > 0
    assert document["frozen"] == ["dense2.weight", "dense2.bias"]
    assert [tensor["name"] for tensor in document["tensors"]] == TENSORS
    first = document["tensors"][0]
    assert (first["shape"], first["checked"], first["kinks"]) == ([2, 3], 2, 0)
    assert first["numeric"] == pytest.approx(first["analytic"], rel=1e-6)
    request.getfixturevalue("broken")
    document = json.loads(run(config, "--json", code=4)[0])
    assert (document["passed"], document["error"] > 1e-3) == (False, True)
    assert document["failed"] == ["dense1.weight", "dense1.bias", "all parameters", "input"]


def test_all_compares_every_entry(config: str, run: Callable[..., tuple[str, str]]) -> None:
    document = json.loads(run(config, "--all", "--batch", 30, "--json")[0])
    assert [tensor["checked"] for tensor in document["tensors"]] == [6, 3, 2, 1, 0, 60]


def test_set_beats_the_file(config: str, run: Callable[..., tuple[str, str]]) -> None:
    assert json.loads(run(config, "--json", "--set", "regularization.l2=0")[0])["penalty"] == 0


def test_what_the_numbers_do_not_say(config: str, run: Callable[..., tuple[str, str]]) -> None:
    out, _ = run(config, "--set", "model.layers.2.init=zeros")
    assert "\ndense1.bias: its gradient is 0 everywhere: only zeros come in, or what follows is dead or " in out


KINK = ["--set", "model.layers.0.init=zeros", "--set", "model.layers.0.activation=relu"]


def test_a_start_on_a_kink_is_checked_beside_it(config: str, run: Callable[..., tuple[str, str]]) -> None:
    out, _ = run(config, *KINK)
    assert "\nat the first initialisation something lies on a kink, so all was checked beside it: random num" in out
    assert "\npassed: the largest error is " in out
    assert json.loads(run(config, "--json", *KINK)[0])["aside"] == 0.01
    assert json.loads(run(config, "--json")[0])["aside"] == 0


def test_a_run_on_a_kink_is_undecided(config: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quiet", "train", config, *KINK]) == 0  # zero weights before ReLUs stay zero
    out, err = run(capsys.readouterr().out.strip(), code=4)
    assert "all parameters could not be checked; all of it lies on a kink: try another init" in err
    assert "\ndense1.bias: everything lies on a kink, so nothing could be compared; try another init" in out
    *_, verdict = out.splitlines()
    assert verdict.startswith("undecided: the largest error is ")
    assert verdict.endswith("; tolerance 1e-06; not checked: dense1.weight, dense1.bias, all parameters")


REGRESSION = """\
data:
  source: {type: inline, rows: [{x: -1, y: SIZE}, {x: -0.3, y: -SIZE}, {x: 0.4, y: 0}, {x: 1, y: SIZE}]}
  target: y
  task: regression
  preprocess: {target: none}
  split: {validation: 0, test: 0}
model: {hidden: [3], activation: tanh}
"""


@pytest.mark.parametrize(("size", "verdict"), [("1.0", "failed"), ("1.0e+13", "undecided")])
def test_what_rounding_hides_has_not_passed(
    size: str, verdict: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Tanh.backward
    monkeypatch.setattr(Tanh, "backward", lambda self, dy, x, y, out: right(self, -3 * dy, x, y, out))
    path = tmp_path / "r.yaml"
    path.write_text(REGRESSION.replace("SIZE", size))
    out, err = run(path, code=4)
    assert f"\n{verdict}: the largest error is " in out
    if verdict == "undecided":
        assert "\nall parameters: rounding hides its derivative along random directions" in out
        assert "the gradient of all parameters could not be checked; rounding hides it beside a loss of " in err
        assert "scale the inputs and the target (data.preprocess)" in err
    document = json.loads(run(path, "--json", code=4)[0])
    assert (document["verdict"], document["passed"]) == (verdict, False)


def test_a_gradient_that_is_zero_has_not_passed(run: Run) -> None:
    """All examples of the batch are on the right side from the start, and the perceptron learns nothing of them."""
    perceptron = ROOT / "configs" / "perceptron.yaml"
    _, err = run(perceptron, code=4)
    assert "it is 0 for these examples: take more of them (--batch)" in err
    run(perceptron, "--set", "seed=3")


def test_a_run_is_checked_at_its_weights(
    config: str, run: Callable[..., tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quiet", "train", config]) == 0
    path = capsys.readouterr().out.strip()
    trained, start = (json.loads(run(target, "--json")[0]) for target in (path, config))
    assert trained["passed"]
    assert trained["loss"] != start["loss"]
    _, err = run(path, "--set", "model.layers.0.units=7", code=2)
    assert "--set changes the shape of the model, so the run's weights do not fit it" in err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["none.yaml"], 2), (["."], 3), (["m.yaml", "--samples", 0], 2), (["m.yaml", "--epsilon", 0], 2), ([], 2)],
)
def test_mistakes(config: str, run: Callable[..., tuple[str, str]], arguments: Sequence[str | int], code: int) -> None:
    out, err = run(*arguments, code=code)
    assert out == ""
    assert err.startswith("error: ")


def test_as_a_process(config: str, tmp_path: Path) -> None:
    done = nnctl("gradcheck", "-", cwd=tmp_path, text_in=CONFIG)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].startswith("passed: ")
