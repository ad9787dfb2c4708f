"""`nnctl datasets fetch`: what scripts and people see of it."""

import hashlib
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnctl.cli.main import main
from nnctl.data.fetch import catalogue
from nnctl.data.fetch.catalogue import DataSet, File
from tests.cli.test_console import MOTION, on_a_terminal
from tests.data.web import Web, raw, reply, serving
from tests.process import ROOT

CONTENT = bytes(range(256)) * 40
SUM = hashlib.sha256(CONTENT).hexdigest()
FILE = File("a.gz", len(CONTENT), SUM)
PATH = "datasets/mnist/a.gz"
NEXT = "`nnctl train configs/mnist.yaml` trains on them"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Web]:
    """A server that is the only mirror of `mnist`; an empty current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "*")
    with serving() as web:
        known = DataSet("mnist", "", (web.url,), (FILE,), "configs/mnist.yaml")
        monkeypatch.setitem(catalogue.CATALOGUE, "mnist", known)
        yield web


def test_prints_the_folder(web: Web, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    web.put("/a.gz", reply(CONTENT))
    assert main(["datasets", "fetch", "mnist"]) == 0
    out, err = capsys.readouterr()
    assert out == "datasets/mnist\n"
    first, *parts, last = err.splitlines()
    assert first == f"a.gz: 10,240 bytes, from {web.url}a.gz"
    assert parts[-1] == "a.gz: 100 %"  # how many there are before it is the network's affair
    assert last == NEXT
    assert (tmp_path / PATH).read_bytes() == CONTENT
    assert main(["datasets", "fetch", "mnist"]) == 0
    out, err = capsys.readouterr()
    assert out == "datasets/mnist\n"
    assert err.splitlines()[0] == f"{PATH}: is there, and its checksum is right"
    assert len(web.asked) == 1


def test_json(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    web.put("/a.gz", reply(CONTENT))
    assert main(["datasets", "fetch", "mnist", "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    file = {"path": PATH, "bytes": 10240, "sha256": SUM, "source": f"{web.url}a.gz", "kept": None}
    assert json.loads(out) == {"name": "mnist", "folder": "datasets/mnist", "files": [file]}
    assert main(["datasets", "fetch", "mnist", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == [{**file, "source": None}]


@pytest.mark.parametrize("slash", ["", "/"])
def test_another_mirror_and_folder(web: Web, capsys: pytest.CaptureFixture[str], tmp_path: Path, slash: str) -> None:
    web.put("/mirror/a.gz", reply(CONTENT))
    assert main(["datasets", "fetch", "mnist", "--to", "here", "--from", f"{web.url}mirror{slash}"]) == 0
    assert capsys.readouterr().out == "here\n"
    assert (tmp_path / "here" / "a.gz").read_bytes() == CONTENT


def test_without_a_network(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    nobody = "http://127.0.0.1:9/"
    assert main(["datasets", "fetch", "mnist", "--from", nobody, "--quiet"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "error: mnist: a.gz cannot be had",
        f"  {nobody}a.gz: Connection refused",
        "Without a network here: get these files where there is one, and put them into datasets/mnist/:",
        f"  {web.url}a.gz",
        f"    10,240 bytes, sha256 {SUM}",
        f"`nnctl datasets fetch mnist` then checks them without asking anyone; {NEXT}",
    ]


def test_another_file_of_that_name(web: Web, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    web.put("/a.gz", reply(CONTENT))
    (tmp_path / "datasets" / "mnist").mkdir(parents=True)
    (tmp_path / PATH).write_text("mine")
    assert main(["datasets", "fetch", "mnist", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["files"][0]["kept"] == f"{PATH}.1"
    assert f"{PATH}: what had its name is now a.gz.1" in err


REFUSED = [
    (["fashion-mist"], "did you mean 'fashion-mnist'?"),
    (["cifar"], "there are mnist, fashion-mnist, kuzushiji-mnist"),
    ([], "Missing argument"),
    *(
        (["mnist", "--from", mirror], f"--from {mirror}: is not the address of a folder")
        for mirror in ("", "mirror", "file:///tmp/", "ftp://a/", "http:///a", "http://[a", "https://a/?b", "https://a/#b")
    ),
    (["mnist", "--to", "taken"], "taken: is a file; name a folder"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_refusals(
    web: Web, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "taken").write_text("")
    assert main(["datasets", "fetch", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert web.asked == []


def test_the_list_has_them(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "list", "--json"]) == 0
    assert [known["name"] for known in json.loads(capsys.readouterr().out)["fetch"]] == list(catalogue.CATALOGUE)
    assert main(["datasets", "list"]) == 0
    assert "kuzushiji-mnist" in capsys.readouterr().out


@pytest.mark.parametrize("name", catalogue.CATALOGUE)
def test_the_help_has_them(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["datasets", "fetch", "--help"]) == 0
    assert name in capsys.readouterr().out


def program(known: DataSet) -> str:
    """A process that knows of one data set, and hears Ctrl-C though the tests run in a shell's background."""
    return (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from nnctl.cli.main import main; from nnctl.data.fetch.catalogue import *\n"
        f"CATALOGUE['mnist'] = {known!r}\n"
        "sys.exit(main(['datasets', 'fetch', 'mnist']))"
    )


def test_a_bar_on_a_terminal(web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    web.put("/a.gz", reply(CONTENT))
    shown, out = on_a_terminal(program(catalogue.CATALOGUE["mnist"]))
    assert out == "datasets/mnist\n"
    assert MOTION.search(shown)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert re.search(r"a\.gz ━+ 10\.2/10\.2 kB", text)
    assert (tmp_path / PATH).read_bytes() == CONTENT


def test_interrupted_and_done_again(
    web: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    large = bytes(range(256)) * 1024
    known = DataSet("mnist", "", (web.url,), (File("a.gz", len(large), hashlib.sha256(large).hexdigest()),))
    monkeypatch.setitem(catalogue.CATALOGUE, "mnist", known)
    head = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large)
    over = threading.Event()
    web.put("/a.gz", raw(head + large[:100_000], lambda: over.wait(30)), reply(large))
    process = subprocess.Popen([sys.executable, "-c", program(known)], stderr=subprocess.PIPE, text=True)
    assert process.stderr
    for line in process.stderr:
        if "25 %" in line:
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    over.set()
    assert (process.returncode, err) == (130, "error: interrupted\n")
    assert list((tmp_path / "datasets" / "mnist").iterdir()) == []
    assert main(["datasets", "fetch", "mnist"]) == 0
    assert (tmp_path / PATH).read_bytes() == large


def test_a_lying_server(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    web.put("/a.gz", reply(CONTENT[::-1]))
    assert main(["datasets", "fetch", "mnist"]) == 3
    assert "the checksum is another" in capsys.readouterr().err
