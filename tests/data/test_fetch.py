"""Fetching, against a server on this machine that tells the truth, breaks off, or lies."""

import errno
import gzip
import hashlib
import re
import sys
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from nnctl.data.fetch import folder as fetching
from nnctl.data.fetch.catalogue import CATALOGUE, DataSet, File
from nnctl.errors import ConfigError, DataError
from tests.data.web import Web, chunked, raw, reply, serving, status, to

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
FILE = File("a.gz", SIZE, hashlib.sha256(CONTENT).hexdigest())
OTHER = File("b.gz", 3, hashlib.sha256(b"abc").hexdigest())
WRONG = CONTENT[::-1]
CONFIGS = Path(__file__).parents[2] / "configs"


class Watcher(fetching.Watcher):
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.starts: list[tuple[str, str]] = []
        self.steps: list[int] = []
        self.notes: list[str] = []

    def start(self, file: File, url: str) -> None:
        self.starts.append((file.name, url))

    def at(self, done: int) -> None:
        self.steps.append(done)

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("no_proxy", "*")
    with serving() as web:
        yield web


def fetch(web: Web, folder: Path, timeout: float = 5.0, mirrors: Sequence[str] = ()) -> list[fetching.Fetched]:
    data_set = DataSet("letters", "", (web.url,), (FILE,))
    return fetching.fetch(data_set, folder, mirrors or data_set.mirrors, Watcher(), timeout)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_data_set(web: Web, tmp_path: Path) -> None:
    web.put("/a.gz", reply(CONTENT))
    web.put("/b.gz", reply(b"abc"))
    watcher, folder = Watcher(), tmp_path / "deep" / "letters"
    data_set = DataSet("letters", "", (web.url,), (FILE, OTHER))
    fetched = fetching.fetch(data_set, folder, data_set.mirrors, watcher)
    assert [(f.path, f.source, f.kept) for f in fetched] == [
        (folder / "a.gz", f"{web.url}a.gz", None),
        (folder / "b.gz", f"{web.url}b.gz", None),
    ]
    assert (folder / "a.gz").read_bytes() == CONTENT
    assert left(folder) == ["a.gz", "b.gz"]
    assert watcher.starts == [("a.gz", f"{web.url}a.gz"), ("b.gz", f"{web.url}b.gz")]
    assert watcher.steps == [SIZE, 3]


def test_what_is_there_is_not_asked_for(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    (tmp_path / "a.gz").write_bytes(CONTENT)
    [fetched] = fetch(web, tmp_path)
    assert (fetched.source, web.asked, left(tmp_path)) == (None, [], ["a.gz"])


def test_without_the_extra(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ConfigError, match=re.escape("pip install 'nnctl[fetch]'")):
        fetch(web, tmp_path)


def to_the_end(handler: BaseHTTPRequestHandler) -> None:
    """A file that never ends; the test ends when the client goes away."""
    reply(length=False)(handler)
    while True:
        handler.wfile.write(WRONG)


#: Answers that are not the file, and what is said of them.
HOSTILE = {
    "404": (status(404), "HTTP 404 Not Found"),
    "500": (status(500), "HTTP 500 Internal Server Error"),
    "unknown status": (status(599), "HTTP 599"),
    "longer": (reply(CONTENT + b"x"), f"more than {SIZE:,} bytes came"),
    "shorter": (reply(CONTENT[:-1]), "the checksum is another"),
    "web page": (reply(b"<html>" + CONTENT[6:], Content_Type="text/html; charset=utf-8"), "asks to log in"),
    "wrong": (reply(WRONG), "the checksum is another"),
    "endless": (to_the_end, f"more than {SIZE:,} bytes came"),
    "a bomb": (reply(gzip.compress(bytes(1 << 24)), Content_Encoding="gzip"), f"more than {SIZE:,} bytes came"),
    "cut": (reply(CONTENT[:1000], length=SIZE), "1000 bytes read, 9240 more expected"),
    "chunk cut": (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "zz"),
    "packed wrongly": (reply(CONTENT, Content_Encoding="gzip"), "incorrect header check"),
    "nonsense as length": (reply(WRONG, length="many"), "the checksum is another"),
    "to a file": (to("file:///etc/passwd"), "file:///etc/passwd"),
    "to ftp": (to("ftp://127.0.0.1/a.gz"), "ftp://127.0.0.1/a.gz"),
    "to data": (to("data:,abc"), "data:,abc"),
    "to nowhere": (to("http://[bad/a.gz"), "Invalid IPv6 URL"),
    "to no port": (to("http://127.0.0.1:port/"), "port'"),
    "to a long name": (to(f"http://{'a' * 64}.example/"), "a.gz: "),
    "in a circle": (to("/a.gz"), "Exceeded 30 redirects"),
    "with an escape": (to("file:///\x1b[31m"), "file:///%1B[31m"),
    "not HTTP": (raw(b"SSH-2.0-OpenSSH\r\n"), "SSH-2.0-OpenSSH"),
    "nothing": (raw(b""), "Remote end closed connection"),
    "silent": (raw(b"", lambda: time.sleep(1.0)), "no answer in time"),
    "stalled": (raw(b"HTTP/1.0 200 OK\r\n\r\n", lambda: time.sleep(1.0)), "timed out"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers(web: Web, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Each is told in a line, leaves nothing behind, and the next mirror is asked."""
    answer, words = HOSTILE[name]
    web.put("/bad/a.gz", answer)
    web.put("/a.gz", answer)
    web.put("/good/a.gz", reply(CONTENT))
    with pytest.raises(DataError, match=re.escape(words)) as error:
        fetch(web, tmp_path, timeout=0.4)
    assert "\x1b" not in str(error.value)
    assert len(str(error.value).splitlines()) == 6
    assert left(tmp_path) == []
    [fetched] = fetch(web, tmp_path, mirrors=[f"{web.url}bad/", f"{web.url}good/"], timeout=0.4)
    assert fetched.source == f"{web.url}good/a.gz"
    assert (tmp_path / "a.gz").read_bytes() == CONTENT
    assert left(tmp_path) == ["a.gz"]
    assert capfd.readouterr().err == "", "what there is to say goes to the watcher"


#: Odd answers that are the file all the same.
TAKEN = {
    "no length": reply(CONTENT, length=False),
    "in chunks": chunked(CONTENT[:7], CONTENT[7:]),
    "packed on the way": reply(gzip.compress(CONTENT), Content_Encoding="gzip"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_odd_answers(web: Web, tmp_path: Path, name: str) -> None:
    web.put("/a.gz", TAKEN[name])
    fetch(web, tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirections_are_followed(web: Web, tmp_path: Path, code: int) -> None:
    web.put("/a.gz", to("/elsewhere", code))
    web.put("/elsewhere", reply(CONTENT))
    fetch(web, tmp_path)
    assert web.asked == ["/a.gz", "/elsewhere"]


def test_every_mirror_is_tried(web: Web, tmp_path: Path) -> None:
    mirrors = [f"{web.url}{name}/" for name in ("gone", "wrong", "good", "unneeded")]
    web.put("/wrong/a.gz", reply(WRONG))
    web.put("/good/a.gz", reply(CONTENT))
    [fetched] = fetch(web, tmp_path, mirrors=mirrors)
    assert fetched.source == f"{web.url}good/a.gz"
    assert web.asked == ["/gone/a.gz", "/wrong/a.gz", "/good/a.gz"]


@pytest.mark.parametrize("mine", [b"mine", WRONG, b""], ids=["shorter", "as long", "empty"])
def test_another_file_of_that_name_is_kept(web: Web, tmp_path: Path, mine: bytes) -> None:
    (tmp_path / "a.gz").write_bytes(mine)
    (tmp_path / "a.gz.1").write_bytes(b"older")
    web.put("/a.gz", status(503), reply(CONTENT))
    with pytest.raises(DataError):
        fetch(web, tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == mine, "nothing is moved for nothing"
    [fetched] = fetch(web, tmp_path)
    assert fetched.kept == tmp_path / "a.gz.2"
    assert fetched.kept.read_bytes() == mine
    assert (tmp_path / "a.gz.1").read_bytes() == b"older"
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


def test_a_full_disk_is_not_the_servers_fault(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    web.put("/a.gz", reply(CONTENT))
    monkeypatch.setattr(Watcher, "at", full)  # it stands beside the write
    with pytest.raises(OSError, match="No space left"):
        fetch(web, tmp_path)
    assert left(tmp_path) == []


def test_a_file_where_the_folder_should_be(web: Web, tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("")
    with pytest.raises(ConfigError, match="letters: is a file"):
        fetch(web, tmp_path / "letters")


def test_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "b.gz").write_bytes(b"abc")
    nobody = "http://127.0.0.1:9/"
    data_set = DataSet("letters", "", (nobody,), (OTHER, FILE), "configs/letters.yaml")
    with pytest.raises(DataError) as error:
        fetching.fetch(data_set, tmp_path, [nobody], Watcher())
    assert str(error.value) == (
        "letters: a.gz cannot be had\n"
        "  http://127.0.0.1:9/a.gz: Connection refused\n"
        f"Without a network here: get these files where there is one, and put them into {tmp_path}/:\n"
        f"  http://127.0.0.1:9/a.gz\n    10,240 bytes, sha256 {FILE.sha256}\n"
        f"`nnctl datasets fetch letters --to {tmp_path}` then checks them without asking anyone; "
        f"in an experiment, `{{type: idx, path: {tmp_path}/..., labels: ...}}` reads them"
    )
    assert "`nnctl train configs/letters.yaml` trains" in fetching.next_step(data_set, Path("datasets/letters"))


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue(name: str) -> None:
    known = CATALOGUE[name]
    assert known.name == name
    assert [file.name for file in known.files] == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in known.files)
    assert all(re.fullmatch("https?://.*/", mirror) for mirror in known.mirrors)
    assert known.config in (None, f"configs/{name}.yaml")


def test_checksums_are_all_different() -> None:
    sums = [file.sha256 for known in CATALOGUE.values() for file in known.files]
    assert len(set(sums)) == len(sums)


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_experiments_look_where_the_files_are_put(config: Path) -> None:
    for name, file in re.findall(r"\.\./datasets/([\w-]+)/([\w.-]+)", config.read_text()):
        made = f"nnctl datasets make {name} " in config.read_text()
        assert made or file in [known.name for known in CATALOGUE[name].files]
