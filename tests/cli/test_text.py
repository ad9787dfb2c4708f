"""A table of text, from training to prediction, as a process."""

import json
from pathlib import Path

from tests.process import nnctl

EXPERIMENT = """\
name: messages
data:
  source: {type: csv, path: messages.csv}
  inputs: {text: {type: text, column: text}}
  target: label
  split: {validation: 0.2, test: 0.2, stratify: true}
model:
  layers:
    - embedding: 6
    - {conv1d: 8, kernel: 3, activation: relu}
    - global_max_pool
optimizer: {type: adam, learning_rate: 0.05}
training: {epochs: 20, batch_size: 8}
"""


def test_a_table_of_text(tmp_path: Path) -> None:
    """Messages of different lengths, in which one pair of words decides, wherever it stands; an empty one too."""
    rows = []
    for i in range(60):
        around = [["see", "you", "soon", "at", "home"][(i * k) % 5] for k in range(1, 2 + i % 6)]
        spam = i % 2 == 0
        at = i % (len(around) + 1)
        rows.append((" ".join(around[:at] + (["free", "prize"] if spam else []) + around[at:]), spam))
    table = "text,label\n" + "".join(f"{text},{'spam' if spam else 'ham'}\n" for text, spam in rows)
    (tmp_path / "messages.csv").write_text(table)
    (tmp_path / "messages.yaml").write_text(EXPERIMENT)
    (tmp_path / "new.csv").write_text("id,text\n1,home free prize\n2,see you\n3,\n4,free prize never seen before\n")
    assert "conv1d1" in nnctl("check", "messages.yaml", cwd=tmp_path).stdout
    assert "passed" in nnctl("gradcheck", "messages.yaml", cwd=tmp_path).stdout
    run = nnctl("train", "messages.yaml", cwd=tmp_path).stdout.strip()
    evaluated = json.loads(nnctl("eval", run, "--json", cwd=tmp_path).stdout)
    assert evaluated["metrics"]["accuracy"] == 1
    predicted = nnctl("predict", run, "--data", "new.csv", cwd=tmp_path).stdout.split()
    answers = [line.split(",")[0] for line in predicted]
    assert len(answers) == 5
    assert [*answers[:3], answers[4]] == ["prediction", "spam", "ham", "spam"]
