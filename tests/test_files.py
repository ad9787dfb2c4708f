"""Files are whole or as they were, whoever writes them, and however writing ends."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nnctl.errors import ConfigError
from nnctl.files import append, write, writing
from tests.process import ROOT, command, end, nnctl, start, wait_for
from tests.runs.made import make_run


def bash(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A script in which $N is nnctl."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "N": command()}
    return subprocess.run(["bash", "-c", script], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


class Stopped(Exception):
    """Something goes wrong while a file is written."""


def test_what_ends_early_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for before in (None, b"before"):
        if before:
            path.write_bytes(before)
        with pytest.raises(Stopped), writing(path) as stream:
            stream.write(b"half")
            raise Stopped
        assert [p.read_bytes() for p in tmp_path.iterdir()] == ([before] if before else [])


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    with writing(tmp_path / "a") as one, writing(tmp_path / "a") as other:
        one.write(b"1" * 10)
        other.write(b"2" * 5)
    assert (tmp_path / "a").read_bytes() == b"1" * 10, "that of the last to be finished"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_stays_and_rights_stay(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("before")
    (tmp_path / "b").chmod(0o640)
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "dangling").symlink_to("c")
    write(tmp_path / "a", b"x")
    write(tmp_path / "dangling", b"y")
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "dangling").is_symlink()
    assert [(tmp_path / name).read_text() for name in "abc"] == ["x", "x", "y"]
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o640


def test_a_name_may_be_as_long_as_names_may_be(tmp_path: Path) -> None:
    write(tmp_path / ("n" * 255), b"x")
    with pytest.raises(OSError, match="too long") as raised:
        write(tmp_path / ("n" * 256), b"x")
    assert raised.value.filename == str(tmp_path / ("n" * 256))


def test_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        write(tmp_path, b"")
    with pytest.raises(ConfigError, match="there is no folder"):
        write(tmp_path / "nowhere" / "a", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_the_system_names_the_file_it_refuses() -> None:
    full = Path("/dev/full")
    with pytest.raises(OSError, match="No space left") as raised:
        write(full, b"x")
    assert raised.value.filename == "/dev/full"
    with pytest.raises(OSError, match="No space left") as raised:
        append(full, "x")
    assert raised.value.filename == "/dev/full"


MAKE = "$N datasets make moons --size"


def test_standard_output_by_its_names(tmp_path: Path) -> None:
    done = bash(f"(echo before; {MAKE} 3 --output /dev/stdout --force) >> a; {MAKE} 3 > b", tmp_path)
    lines = (tmp_path / "a").read_text().splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert [*lines[:1], *lines[1:5], lines[5]] == ["before", *(tmp_path / "b").read_text().splitlines(), "/dev/stdout"]
    assert bash(f"{MAKE} 3 --output /dev/fd/5 --force 5> c", tmp_path).returncode == 0
    assert (tmp_path / "c").read_text() == (tmp_path / "b").read_text()


PAGE = "<!-- explain -->\n<!-- /explain -->\nTHE END\n"
CONFIG = """\
name: c
data: {source: {type: csv, path: d.csv}, target: y, split: {validation: 0, test: 0}}
model: {hidden: [4]}
training: {epochs: 3}
"""
TABLE = "a,b,y\n" + "".join(f"{i},{i % 3},{'uv'[i % 2]}\n" for i in range(40))
WRITERS = {
    "datasets make": f"{MAKE} 5000 --output out.csv --force",
    "explain": "$N explain c.yaml --markdown out.csv",
    "init": "$N init wide.csv --target y --output out.csv --force",
    "predict": "$N predict runs/c-0001 --data long.csv --output out.csv",
    "eval": "$N eval runs/c-0001 --data long.csv --worst 2000 --worst-output out.csv",
    "plot": "cp out.csv out.png; $N plot runs/c-0001 --output out.png; R=$?; mv out.png out.csv; exit $R",
}


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of what was made once."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    make_run(folder, CONFIG, d_csv=TABLE)
    (folder / "c.yaml").write_text(CONFIG)
    (folder / "runs/c-0001/metrics.jsonl").write_text('{"epoch": 1, "step": 2, "train.loss": 0.5, "layers": {}}\n')
    (folder / "long.csv").write_text(TABLE + "1,1,u\n" * 2000)
    names = [f"a_column_with_a_long_name_{i}" for i in range(39)]
    rows = "".join(",".join(str(i * j % 7) for j in range(39)) + f",{i % 2}\n" for i in range(40))
    (folder / "wide.csv").write_text(",".join([*names, "y"]) + "\n" + rows)
    (folder / "out.csv").write_text(PAGE)
    return folder


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_leaves_the_file_that_was_there(folder: Path, writer: str) -> None:
    """A limit of the size of files stands for a disk that is full."""
    blocks = {"init": 1, "explain": 4}.get(writer, 8)
    script = WRITERS[writer] if writer != "plot" else WRITERS[writer].replace("plot", "plot --dpi 400")
    done = bash(f"ulimit -f {blocks}; {script}", folder)
    assert done.returncode == 6, done.stderr
    assert "File too large; `ulimit -f` limits the size of files here" in done.stderr
    assert (folder / "out.csv").read_text() == PAGE
    assert not list(folder.glob(".*"))


def test_a_full_disk_says_how_a_training_goes_on(folder: Path) -> None:
    done = bash("ulimit -f 4; $N train c.yaml --quiet --set training.epochs=400 --runs new", folder)
    assert done.returncode == 6
    assert done.stderr.endswith("then continue with: nnctl train --resume new/c-0001\n")
    nnctl("train", "--resume", "new/c-0001", "--quiet", cwd=folder)
    nnctl("train", "c.yaml", "--quiet", "--set", "training.epochs=400", "--runs", "whole", cwd=folder)
    models = [(folder / runs / "c-0001" / "model.safetensors").read_bytes() for runs in ("new", "whole")]
    assert models[0] == models[1]


REFUSALS = {
    "a name too long": f"$N init {'n' * 300}.csv --target y",
    "a source's name too long": f"$N check c.yaml --set data.source.path={'n' * 300}.csv",
    "an experiment's name too long": f"$N check {'n' * 300}.yaml",
    "an output's name too long": f"{MAKE} 9 --output {'n' * 300}.csv",
    "a run's name too long": f"$N train c.yaml --quiet --set name={'n' * 300}",
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_the_system_refuses_is_one_exit_code(folder: Path, refusal: str) -> None:
    done = bash(REFUSALS[refusal], folder)
    assert done.returncode == 6, done.stdout + done.stderr
    assert "defect" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_no_file(folder: Path, number: signal.Signals) -> None:
    os.mkfifo(folder / "in.csv")
    process = start("predict", "runs/c-0001", "--data", "in.csv", "--batch", 10, "--output", "p.csv", cwd=folder)
    with (folder / "in.csv").open("w") as rows:
        rows.write("a,b\n" + "1,2\n" * 5000)
        rows.flush()
        wait_for(lambda: list(folder.glob(".*.writing")), process)
        code, out, err = end(process, number)
    assert (code, out) == (128 + number, "")
    assert err in (f"error: stopped by {number.name}\n", "error: interrupted\n")
    assert not list(folder.glob(".*"))
    assert not (folder / "p.csv").exists()


def test_two_predictions_into_one_file(folder: Path) -> None:
    (folder / "short.csv").write_text(TABLE)
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "nnctl", "predict", "runs/c-0001", "--data", data, "--output", "p.csv"],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL,
        )
        for data in ("long.csv", "short.csv")
    ]  # fmt: skip
    assert [process.wait(60) for process in both] == [0, 0]
    assert len((folder / "p.csv").read_text().splitlines()) in (41, 2041)
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("$N train - <&-", 2, "standard input: is closed"),
        ("$N predict runs/c-0001 --data - <&-", 3, "standard input: is closed"),
        ("$N predict runs/c-0001 --data d.csv >&-", 2, "standard output: is closed; name a file with --output"),
    ],
)
def test_a_stream_that_the_shell_has_closed(folder: Path, script: str, code: int, message: str) -> None:
    done = bash(script, folder)
    assert done.returncode == code
    assert message in done.stderr


def test_a_page_keeps_the_ends_of_its_lines(folder: Path) -> None:
    (folder / "page.md").write_bytes(PAGE.replace("\n", "\r\n").encode())
    nnctl("explain", "c.yaml", "--markdown", "page.md", cwd=folder)
    page = (folder / "page.md").read_bytes()
    assert page.endswith(b"<!-- /explain -->\r\nTHE END\r\n")
    assert page.count(b"\n") == page.count(b"\r\n") > 20
    (folder / "page.md").write_bytes(b"a\n\xff")
    assert (
        "page.md:2: found bytes that are not UTF-8"
        in nnctl("explain", "c.yaml", "--markdown", "page.md", cwd=folder, code=2).stderr
    )
