"""Experiments with two inputs and two outputs, each broken in one place: the file, the line, the key and the remedy."""

from pathlib import Path

import pytest

from nnctl.cli.main import main

GOOD = """\
data:
  source: {type: csv, path: cars.csv}
  inputs:
    facts:
      columns: [age, power, fuel]
    words:
      type: text
      column: text
  outputs:
    price:
      target: price
      loss: huber
    sold:
      target: sold
model:
  inputs:
    facts:
      - dense: 8
      - relu
    words:
      - embedding: 4
      - global_average_pool
  join: concatenate
  layers:
    - dense: 8
    - relu
  outputs:
    price:
      - {dense: 4, activation: relu}
training:
  epochs: 1
  early_stopping:
    monitor: validation.loss
"""
TRUNK = "    - dense: 8\n    - relu\n  outputs"
BINARY = "      target: sold\n      loss: {type: binary_cross_entropy, "

#: What is replaced in the experiment and by what; the line, the key and words of the message.
BROKEN: list[tuple[str, str, int, str, str]] = [
    # Names of inputs and outputs
    ("    words:\n      - emb", "    wrods:\n      - emb", 20, "model.inputs.wrods", "did you mean 'words'?"),
    (
        "    price:\n      - {d",
        "    prise:\n      - {d",
        28,
        "model.outputs.prise",
        "did you mean 'price'? There are price, sold",
    ),
    ("    words:\n      type: text\n      column: text\n", "", 17, "model.inputs.words", "there is facts"),
    (
        "    sold:\n      target: sold\n",
        "    sold: {target: sold}\n    sold: {target: sold}\n",
        14,
        "",
        "`sold` is given twice, first in line 13",
    ),
    (
        "    words:\n      - emb",
        "    facts: []\n    words:\n      - emb",
        20,
        "",
        "`facts` is given twice, first in line 17",
    ),
    ("    words:\n      type", "    price:\n      type", 1, "data", "price is the name of an input and of an output"),
    # Columns
    (
        "[age, power, fuel]",
        "[aeg, power, feul]",
        5,
        "data.inputs.facts.columns",
        "no columns 'aeg' (did you mean 'age'?), 'feul' (did you mean 'fuel'?)",
    ),
    ("[age, power, fuel]", "[age, age]", 5, "data.inputs.facts.columns", "'age' is named here twice"),
    ("column: text", "column: txt", 8, "data.inputs.words.column", "did you mean 'text'?"),
    ("type: text", "type: txet", 7, "data.inputs.words.type", "did you mean `text`?"),
    ("target: price", "target: prise", 11, "data.outputs.price.target", "did you mean 'price'?"),
    ("target: price", "target: age", 5, "data.inputs.facts.columns", "named here and by data.outputs.price.target"),
    # Losses and metrics of an output
    ("loss: huber", "loss: hubre", 12, "data.outputs.price.loss", "did you mean `huber`?"),
    ("loss: huber", "loss: {type: huber, dleta: 3}", 12, "data.outputs.price.loss.dleta", "did you mean `delta`?"),
    (
        "      target: sold\n",
        BINARY + "class_weights: {yse: 2, on: 1}}\n",
        15,
        "data.outputs.sold.loss.class_weights",
        "no classes 'yse' (did you mean 'yes'?), 'on'; there are no, yes",
    ),
    (
        "      target: sold\n",
        BINARY + "input: probabilities}\n",
        15,
        "data.outputs.sold.loss.input",
        "end model.outputs.sold in `- sigmoid`",
    ),
    (
        "      target: sold\n",
        BINARY + "positive_weight: [1, 2]}\n",
        15,
        "data.outputs.sold.loss.positive_weight",
        "lists 2 weights, and the target needs 1 values; write one for each, or a single number",
    ),
    (
        "      target: sold\n",
        "      target: sold\n      loss: huber\n",
        15,
        "data.outputs.sold.loss",
        "huber is for regression, and sold calls for classification",
    ),
    ("loss: huber", "metrics: [maee]", 12, "data.outputs.price.metrics.0", "did you mean `mae`?"),
    (
        "loss: huber",
        "metrics: [accuracy]",
        12,
        "data.outputs.price.metrics",
        "use for example rmse, mae, r2; if it is to be classification, write `data.outputs.price.task: classification`",
    ),
    ("loss: huber", "weight: 0", 12, "data.outputs.price.weight", "allowed: a number greater than 0"),
    ("model:\n", "loss: huber\nmodel:\n", 15, "loss", "write data.outputs.price.loss instead"),
    ("model:\n", "metrics: [mae]\nmodel:\n", 15, "metrics", "write data.outputs.price.metrics instead"),
    # What is monitored
    (
        "validation.loss",
        "validation.sold.acuracy",
        33,
        "training.early_stopping.monitor",
        "did you mean 'sold.accuracy'?",
    ),
    (
        "validation.loss",
        "validation.sodl.loss",
        33,
        "training.early_stopping.monitor",
        "did you mean 'sold.loss'?",
    ),
    ("validation.loss", "valid.loss", 33, "training.early_stopping.monitor", "did you mean 'validation.loss'?"),
    # The join
    ("concatenate", "ad", 23, "model.join", "did you mean `add`?"),
    (
        "concatenate",
        "{type: concatenate, name: facts}",
        23,
        "model.join.name",
        "'facts' is the name of an input already; give each its own name",
    ),
    (
        "concatenate",
        "add",
        23,
        "model.join",
        "model.inputs.facts (8,), model.inputs.words (4,); put `- {dense: 4}` last in model.inputs.facts",
    ),
    ("concatenate", "attention", 23, "model.join", "put `- {dense: 4}` last in model.inputs.facts"),
    ("      - global_average_pool\n", "", 22, "model.join", "put `- global_average_pool` last in model.inputs.words"),
    (
        "    words:\n      - embedding: 4\n      - global_average_pool\n",
        "",
        20,
        "model.join",
        "put `- {embedding: 32}` and `- global_average_pool` last in model.inputs.words",
    ),
    # Layers: of a branch, of the trunk, in a block, of a head
    ("- embedding: 4", "- dense: 4", 21, "model.inputs.words.0", "put an embedding before it (`- embedding: 32`)"),
    ("- global_average_pool", "- flatten", 22, "model.inputs.words.1", "`- global_average_pool`"),
    ("- global_average_pool", "- embedding: 3", 22, "model.inputs.words.1", "takes tokens"),
    (
        TRUNK,
        "    - relu\n    - conv: 8\n  outputs",
        26,
        "model.layers.1",
        "takes inputs of shape (height, width, channels), and finds (12,)",
    ),
    (
        TRUNK,
        "    - dense: 8\n    - type: group_normalization\n      groups: 3\n  outputs",
        27,
        "model.layers.1.groups",
        "finds 8 channels",
    ),
    (TRUNK, "    - dense: 8\n    - dense:\n  outputs", 26, "model.layers.1.units", "needs `units` here"),
    (TRUNK, "    - dnse: 8\n  outputs", 25, "model.layers.0", "did you mean `dense`?"),
    (TRUNK, "    - {type: dense, unit: 8}\n  outputs", 25, "model.layers.0.unit", "did you mean `units`?"),
    (
        TRUNK,
        "    - residual:\n        - relu\n        - reshape: [5, 5]\n  outputs",
        27,
        "model.layers.0.layers.1.shape",
        "finds 12 values in inputs of shape (12,); (5, 5) has 25",
    ),
    (
        TRUNK,
        "    - residual:\n        - dense: 5\n  outputs",
        25,
        "model.layers.0.shortcut",
        "`shortcut: [{dense: 5}]`",
    ),
    (
        TRUNK,
        "    - parallel:\n        - - relu\n        - - dense: 4\n          - max_pool: 2\n  outputs",
        28,
        "model.layers.0.branches.1.1",
        "takes inputs of shape",
    ),
    (
        TRUNK,
        "    - dense: 8\n    - parallel:\n        - - dense: 4\n        - - reshape: [2, 4]\n  outputs",
        26,
        "model.layers.1",
        "put `- flatten` last in branches.1",
    ),
    (TRUNK, "    - parallel: []\n  outputs", 25, "model.layers.0.branches", "give it at least one"),
    (
        "      - {dense: 4, activation: relu}\n",
        "      - reshape: [2, 4]\n",
        29,
        "model.outputs.price.0",
        "end the layers in `- flatten`",
    ),
    (
        "      - {dense: 4, activation: relu}\n",
        "      - relu\n      - dense: 3\n",
        30,
        "model.outputs.price.1.units",
        "write `units: 1`, or leave `units` out",
    ),
    # Names of layers, and layers used again
    (
        TRUNK,
        "    - {dense: 8, name: a}\n    - {dense: 8, name: a}\n  outputs",
        26,
        "model.layers.1.name",
        "'a' is the name of a layer already",
    ),
    (
        TRUNK,
        "    - {dense: 8, name: facts}\n  outputs",
        25,
        "model.layers.0.name",
        "'facts' is the name of an input already",
    ),
    (
        TRUNK,
        "    - use: join\n  outputs",
        25,
        "model.layers.0.layer",
        "join puts together facts.relu1, words.global_average_pool1",
    ),
    (
        TRUNK,
        "    - use: facts\n  outputs",
        25,
        "model.layers.0.layer",
        "facts is an input; only a layer has weights to share",
    ),
    (TRUNK, "    - use: facts.dens1\n  outputs", 25, "model.layers.0.layer", "did you mean 'facts.dense1'?"),
    (TRUNK, "    - use: facts.dense1\n  outputs", 25, "model.layers.0", "must read the same shape in both places"),
    (TRUNK, "    - use: dense1\n    - dense: 8\n  outputs", 25, "model.layers.0.layer", "no layer 'dense1'"),
    # Two forms at once
    ("model:\n", "model:\n  hidden: [3]\n", 15, "model", "`hidden` belongs to the short form"),
    ("data:\n", "data:\n  target: price\n", 1, "data", "write `outputs.price.target` instead"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        f"{i % 7},{50 + i},{'oil' if i % 3 else 'gas'},a {'red' if i % 2 else 'blue'} car,{1000 + 3 * i},"
        + ("yes" if i % 4 else "no")
        for i in range(60)
    ]
    Path("cars.csv").write_text("\n".join(["age,power,fuel,text,price,sold", *rows, ""]))


def check(text: str, capsys: pytest.CaptureFixture[str], *options: str, code: int = 2) -> str:
    """What `nnctl check` says on standard error."""
    Path("cars.yaml").write_text(text)
    assert main(["check", "cars.yaml", *options]) == code
    return capsys.readouterr().err


def test_the_unbroken_experiment_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    check(GOOD, capsys, code=0)


def test_a_figure_of_any_output_can_be_monitored(capsys: pytest.CaptureFixture[str]) -> None:
    named = GOOD.replace("    price:\n", "    Price-net:\n")
    check(named.replace("validation.loss", "validation.Price-net.mae"), capsys, code=0)


@pytest.mark.parametrize(("old", "new", "line", "key", "words"), BROKEN, ids=[f"{b[3]}: {b[4]}"[:70] for b in BROKEN])
def test_a_mistake_is_told_where_it_stands(
    old: str, new: str, line: int, key: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert GOOD.count(old) >= 1
    message = check(GOOD.replace(old, new, 1), capsys)
    assert message.startswith(f"error: cars.yaml:{line}: " + (f"{key}: " if key else ""))
    assert words in message
    assert message.count("\n") == 1


def test_all_wrong_names_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("    words:\n      - emb", "    wrods:\n      - emb").replace(
        "    price:\n      - {d", "    prise:\n      - {d"
    )
    first, second, third = check(text, capsys).splitlines()
    assert first == "error: 2 problems"
    assert second.startswith("  cars.yaml:20: model.inputs.wrods: ")
    assert third.startswith("  cars.yaml:28: model.outputs.prise: ")


def test_columns_named_in_several_places_are_all_told(capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("column: text", "column: txt").replace("target: price", "target: prise")
    _, *problems = check(text, capsys).splitlines()
    keys = {problem.split(": ")[1] for problem in problems}
    assert keys == {"data.inputs.words.column", "data.outputs.price.target"}


def test_an_output_that_nothing_is_trained_for(capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("      - dense: 8\n", "").replace("- embedding: 4", "- {embedding: 4, trainable: false}")
    text = text.replace("    - dense: 8\n", "").replace(
        "    price:\n      - {", "    sold:\n      - {trainable: false, "
    )
    text = text.replace("dense: 4, activation: relu", "dense: 1, train_bias: false")
    message = check(text, capsys)
    assert message.startswith("error: cars.yaml:26: model.outputs.sold: no layer before the output sold is trained; ")


OPTIONS = [
    ("model.layers.0.unitz=3", "model.layers.0.unitz: ", "did you mean `units`?"),
    ("model.inputs.words.7.units=3", "model.inputs.words: ", "an index from 0 to 1"),
    ("trainin.epochs=3", "trainin: ", "did you mean `training`?"),
    ("training.early_stopping.monitor=validation.lsos", "training.early_stopping.monitor: ", "did you mean 'loss'?"),
    ("model.join=add", "model.join: ", "put `- {dense: 4}` last in model.inputs.facts"),
    ("data.outputs.sold.target=slod", "data.outputs.sold.target: ", "did you mean 'sold'?"),
]


@pytest.mark.parametrize(("option", "key", "words"), OPTIONS)
def test_an_option_is_told_as_it_was_given(
    option: str, key: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    message = check(GOOD, capsys, "--set", option)
    assert message.startswith(f"error: --set {option}: {key}")
    assert words in message
