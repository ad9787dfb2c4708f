"""What a recorder yields, and what it leaves of a training that nobody looks at to its end."""

import json
from pathlib import Path

import pytest

from nnctl.config.experiment import Experiment
from nnctl.config.loading import load_experiment
from nnctl.errors import Interrupted
from nnctl.runs import session
from nnctl.runs.record import Recorded, Recorder
from nnctl.stopping import StopRequest
from nnctl.training.assemble import job_of
from nnctl.training.loop import BatchDone, EpochDone

CONFIG = """\
seed: 2
data: {source: {type: generated, generator: {type: spiral, size: 60, noise: 0.1, seed: 1}}, target: label}
model: {hidden: [4]}
training: {epochs: 3, batch_size: 16, early_stopping: null}
"""


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    (tmp_path / "made.yaml").write_text(CONFIG)
    job = job_of(load_experiment(tmp_path / "made.yaml", (), Experiment))
    return Recorder(session.begin(job, tmp_path / "runs"), job)


def again(recorder: Recorder) -> Recorder:
    """The run as `--resume` takes it up."""
    return Recorder(recorder.run, session.resume(recorder.run, ()))


def without_times(recorder: Recorder) -> list[str]:
    return [
        json.dumps({k: v for k, v in row.items() if k not in ("seconds", "examples_per_second")})
        for row in recorder.run.rows()
    ]


def test_batches_epochs_and_the_end_in_their_order(recorder: Recorder) -> None:
    batches = len(list(recorder.job.stream().batches(0, 0, 0)))
    written = []
    kinds = []
    for event in recorder.train():
        kinds.append(type(event))
        if isinstance(event, EpochDone):
            written.append(len(recorder.run.rows()))
        elif isinstance(event, Recorded):
            facts = recorder.run.info()
            assert recorder.run.model.exists()
            assert {**facts, **event.summary} == {**facts}
    assert kinds == [*[*[BatchDone] * (batches - 1), EpochDone] * 3, Recorded]
    assert written == [1, 2, 3]  # an epoch's line is there when its event is out


@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_a_run_that_is_left_goes_on_to_the_same_bits(recorder: Recorder, tmp_path: Path, count: int) -> None:
    whole = Recorder(session.begin(recorder.job, tmp_path / "other"), recorder.job)
    list(whole.train())
    events = recorder.train()
    for _ in range(count):
        next(events)
    events.close()
    facts = recorder.run.info()
    assert facts["status"] == "interrupted"
    assert facts["stop_reason"].startswith("left after epoch")
    list(again(recorder).train())
    assert without_times(recorder) == without_times(whole)
    assert recorder.run.model.read_bytes() == whole.run.model.read_bytes()


def test_closing_after_the_end_changes_nothing(recorder: Recorder) -> None:
    events = recorder.train()
    while not isinstance(next(events), Recorded):
        pass
    events.close()
    assert recorder.run.info()["status"] == "finished"


def test_a_stop_that_is_asked_for(recorder: Recorder) -> None:
    recorder.stop = StopRequest(15)
    events = recorder.train()
    assert isinstance(next(events), BatchDone)
    with pytest.raises(Interrupted, match="SIGTERM"):
        next(events)
    assert recorder.run.info()["stop_reason"] == "SIGTERM after epoch 0, batch 1"


def test_a_defect_is_noted(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recorder.run, "append_row", full)
    with pytest.raises(OSError, match="No space left"):
        list(recorder.train())
    assert recorder.run.info()["status"] == "failed"
