"""`nnctl explain`, and the guide page it writes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nnctl.cli.main import main
from nnctl.explain.markdown import BEGIN, END
from tests.experiments import SHIPPED

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "configs" / "worked-example.yaml")
PAGE = ROOT / "docs" / "worked-example.md"
CONFIGS = [path.name for path in SHIPPED]


def explained(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Any:
    assert main(["explain", *map(str, arguments)]) == code
    return capsys.readouterr()


def test_the_guide_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = explained(capsys, EXAMPLE, "--steps", 10_000, "--markdown", "-")
    page = PAGE.read_text(encoding="utf-8")
    between = page.partition(BEGIN)[2].partition(END)[0].strip()
    command = "nnctl explain configs/worked-example.yaml --steps 10000 --markdown docs/worked-example.md"
    assert between == out.strip(), f"docs/worked-example.md is stale; run `{command}`"


def test_the_terminal_shows_the_published_digits_within_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = explained(capsys, EXAMPLE, "--steps", 10_000)
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80
    for line in (
        "net_h1 = w1*i1 + w2*i2 + b1 = 0.15*0.05 + 0.2*0.1 + 0.35 = 0.3775",
        "out_h1 = 1/(1 + exp(-net_h1)) = 1/(1 + exp(-0.3775)) = 0.593269992",
        "E = E_o1 + E_o2 = 0.274811083 + 0.023560026 = 0.298371109",
        "dE/dw5 = dE/dout_o1 * dout_o1/dnet_o1 * dnet_o1/dw5",
        "w5+ = w5 - learning_rate*dE/dw5 = 0.4 - 0.5*0.082167041 = 0.35891648",
        "w1+ = w1 - learning_rate*dE/dw1 = 0.15 - 0.5*0.000438568 = 0.149780716",
        "b1      0.35    not trained   0.35",
        "1      0.291027774   0.742088111  0.775284968",
        "10000  0.0000351019  0.01591362   0.984064274",
    ):
        assert line in out.splitlines()


@pytest.mark.parametrize("config", CONFIGS)
def test_every_config_can_be_explained(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = explained(capsys, ROOT / "configs" / config, "--example", 1, "--steps", 3)
    assert "Backward pass" in out


def test_json_has_every_number(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(explained(capsys, EXAMPLE, "--json", "--steps", 20).out)
    assert found["error"] == pytest.approx(0.298371109, abs=5e-10)
    assert sum(found["errors"]) == pytest.approx(found["error"])
    weight = found["layers"][2]["parameters"]["weight"]
    assert weight["before"] == [[0.4, 0.5], [0.45, 0.55]]
    assert weight["after"][0][0] == pytest.approx(0.35891648, abs=5e-9)
    assert found["layers"][0]["parameters"]["bias"]["gradient"] is None
    assert [point["step"] for point in found["steps"]] == [0, 1, 10, 20]


def test_the_example_is_chosen_by_its_number(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = [{"x": x, "y": 2 * x} for x in (1.5, 2.5, 3.5)]
    data = {"train": {"type": "inline", "rows": rows}, "target": "y"}
    data["preprocess"] = {"numeric": "none", "target": "none"}
    config = tmp_path / "line.yaml"
    config.write_text(json.dumps({"data": data, "model": {"hidden": []}}))
    for number, row in enumerate(rows, start=1):
        found = json.loads(explained(capsys, config, "--json", "--example", number).out)
        assert (found["input"], found["target"]) == ([row["x"]], [row["y"]])


def test_set_changes_the_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = explained(capsys, EXAMPLE, "--set", "optimizer={type: adam, learning_rate: 0.1}")
    assert "Optimizer: adam, learning rate 0.1." in " ".join(out.split())


def test_single_precision_is_explained_in_double(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, EXAMPLE, "--set", "runtime.dtype=float32").out == explained(capsys, EXAMPLE).out


def test_the_schedule_sets_the_rate(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = explained(capsys, EXAMPLE, "--set", "schedule={type: constant, warmup: 10}")
    assert "w5+ = w5 - learning_rate*dE/dw5 = 0.4 - 0.05*0.082167041 = 0.395891648" in out


def test_markdown_goes_to_a_file_or_between_its_marks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "example.md"
    assert explained(capsys, EXAMPLE, "--markdown", target).out == f"{target}\n"
    text = target.read_text()
    assert text == explained(capsys, EXAMPLE, "--markdown", "-").out
    target.write_text(f"# Mine\n\n{BEGIN}\n{END}\n")
    explained(capsys, EXAMPLE, "--markdown", target)
    assert target.read_text() == f"# Mine\n\n{BEGIN}\n\n{text}\n{END}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--example", "2"], "--example 2: there is 1 training example; leave --example out"),
        (["--json", "--markdown", "-"], "--json and --markdown"),
        (["--markdown", EXAMPLE], "is there already"),
        (["--steps", "0"], "--steps"),
        (["--set", "optimizer.learning_rat=1"], "learning_rate"),
    ],
)
def test_mistakes_are_told(arguments: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = explained(capsys, EXAMPLE, *arguments, code=2)
    assert out == ""
    assert message in err
