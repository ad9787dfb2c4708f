"""What `train` says when it ends is what `runs show` says of the run."""

from pathlib import Path

from tests.process import nnctl

CONFIG = """\
data: {source: {type: csv, path: t.csv}, target: y, task: regression, split: {validation: 0, test: 0}}
model: {layers: [{type: dense, units: 8, bias_init: {type: constant, value: -1000.0}}, relu]}
training: {epochs: 1}
"""


def test_dead_units_are_named_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i},{(i * 7) % 13}\n" for i in range(40)))
    (tmp_path / "e.yaml").write_text(CONFIG)
    ended = nnctl("train", "e.yaml", cwd=tmp_path)
    assert "100% of the units are dead" in ended.stderr
    assert "100% of the units are dead" in nnctl("runs", "show", ended.stdout.strip(), cwd=tmp_path).stdout
