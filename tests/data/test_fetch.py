"""Fetching, against a server on this machine that tells the truth, breaks off, or lies."""

import errno
import fcntl
import gzip
import hashlib
import os
import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnctl.data.fetch import folder as fetching
from nnctl.data.fetch.catalogue import CATALOGUE, DataSet, File
from nnctl.data.fetch.download import Unavailable, get
from nnctl.data.fetch.partial import Partial
from nnctl.errors import ConfigError, DataError
from tests.data.web import chunked, honest, raw, reply, serving, status, to

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
FILE = File("a.gz", SIZE, hashlib.sha256(CONTENT).hexdigest())
OTHER = File("b.gz", 3, hashlib.sha256(b"abc").hexdigest())
WRONG = CONTENT[::-1]
CONFIGS = Path(__file__).parents[2] / "configs"


class Watcher(fetching.Watcher):
    """Remembers what it hears."""

    def __init__(self):
        self.starts, self.steps, self.notes = [], [], []

    def start(self, file, done, url):
        self.starts.append((file.name, done, url))

    def at(self, done):
        self.steps.append(done)

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with serving() as web:
        yield web


def fetch(web, folder, timeout=5.0, mirrors=None, watcher=None):
    data_set = DataSet("letters", "", (web.url,), (FILE,))
    return fetching.fetch(data_set, folder, mirrors or data_set.mirrors, watcher or Watcher(), timeout)


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def leave(folder, content, origin=None):
    """A partial file, as an earlier fetch would leave it."""
    folder.mkdir(exist_ok=True)
    (folder / ".a.gz.part").write_bytes(content)
    if origin is not None:
        (folder / ".a.gz.part.from").write_text(origin)


def test_a_data_set(web, tmp_path):
    web.put("/a.gz", honest(CONTENT))
    web.put("/b.gz", honest(b"abc"))
    watcher, folder = Watcher(), tmp_path / "deep" / "letters"
    data_set = DataSet("letters", "", (web.url,), (FILE, OTHER))
    fetched = fetching.fetch(data_set, folder, data_set.mirrors, watcher)
    assert [(f.path, f.source, f.kept) for f in fetched] == [
        (folder / "a.gz", f"{web.url}a.gz", None),
        (folder / "b.gz", f"{web.url}b.gz", None),
    ]
    assert (folder / "a.gz").read_bytes() == CONTENT
    assert left(folder) == ["a.gz", "b.gz"]
    assert watcher.starts == [("a.gz", 0, f"{web.url}a.gz"), ("b.gz", 0, f"{web.url}b.gz")]
    assert watcher.steps[-1] == 3
    assert SIZE in watcher.steps


def test_what_is_there_is_not_asked_for(web, tmp_path):
    (tmp_path / "a.gz").write_bytes(CONTENT)
    leave(tmp_path, b"old", "old\n")
    [fetched] = fetch(web, tmp_path)
    assert (fetched.source, web.asked, left(tmp_path)) == (None, [], ["a.gz"])


def to_the_end(handler):
    reply(length=False)(handler)
    while True:
        handler.wfile.write(WRONG)


def dripping(handler):
    reply(length=SIZE)(handler)
    for byte in CONTENT:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.05)


def packed(content):
    return gzip.compress(content)


#: Answers that are not the file, and what is said of them.
HOSTILE = {
    "404": (status(404), "HTTP 404 Not Found"),
    "500": (status(500), "HTTP 500 Internal Server Error"),
    "unknown status": (status(599), "HTTP 599"),
    "204": (reply(code=204), "HTTP 204 where 200 is the file"),
    "unasked range": (reply(CONTENT, 206), "HTTP 206 where 200 is the file"),
    "longer": (reply(CONTENT + b"x"), f"announced {SIZE + 1:,} bytes, where {SIZE:,} bytes are needed"),
    "shorter": (reply(CONTENT[:-1]), f"announced {SIZE - 1:,} bytes"),
    "web page": (reply(b"<html>" + CONTENT[6:], Content_Type="text/html; charset=utf-8"), "answered with a web page"),
    "wrong": (reply(WRONG), "the checksum is another"),
    "endless": (to_the_end, "the checksum is another"),
    "cut": (honest(CONTENT, cut=0), f"the connection ended after 0 of {SIZE:,} bytes"),
    "chunk cut": (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "IncompleteRead"),
    "packed again": (reply(packed(CONTENT), Content_Encoding="gzip"), "encoded as gzip"),
    "packed again, no length": (
        reply(packed(CONTENT), length=False, Content_Encoding="gzip"),
        "announced no length, encoded as gzip",
    ),
    "to a file": (to("file:///etc/passwd"), "file:///etc/passwd' is not allowed"),
    "to ftp": (to("ftp://127.0.0.1/a.gz"), "redirected to ftp://127.0.0.1/a.gz; only http and https are"),
    "to data": (to("data:,abc"), "is not allowed"),
    "to nowhere": (to("http://[bad/a.gz"), "ValueError"),
    "to no port": (to("http://127.0.0.1:port/"), "InvalidURL"),
    "to a long name": (to(f"http://{'a' * 64}.example/"), "UnicodeError"),
    "without an address": (reply(code=302), "HTTP 302"),
    "in a circle": (to("/a.gz"), "redirected in a circle, or too often"),
    "with an escape": (to("file:///\x1b[31m"), "not allowed"),
    "not HTTP": (raw(b"SSH-2.0-OpenSSH\r\n"), "BadStatusLine"),
    "nothing": (raw(b""), "Remote end closed connection"),
    "silent": (raw(b"", lambda: time.sleep(1.0)), "no answer in time"),
    "stalled": (raw(b"HTTP/1.0 200 OK\r\n\r\n", lambda: time.sleep(1.0)), "no answer in time after 0 of"),
    "dripping": (dripping, "stalled at "),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers(web, tmp_path, name):
    answer, words = HOSTILE[name]
    web.put("/a.gz", answer)
    with pytest.raises(DataError, match=re.escape(words)) as error:
        fetch(web, tmp_path, timeout=0.4)
    assert "\x1b" not in str(error.value)
    assert left(tmp_path) == ([".a.gz.part", ".a.gz.part.from"] if name == "dripping" else [])
    assert len(web.asked) == 1 or name == "in a circle"
    web.put("/a.gz", honest(CONTENT))  # and it leaves nothing that would spoil the next fetch
    fetch(web, tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == CONTENT
    assert left(tmp_path) == ["a.gz"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers_do_not_spoil_what_came_before(web, tmp_path, name):
    """The next mirror goes on, or starts anew; there is only one way the file can look in the end."""
    leave(tmp_path, CONTENT[:5000])
    web.put("/bad/a.gz", HOSTILE[name][0])
    web.put("/good/a.gz", honest(CONTENT))
    [fetched] = fetch(web, tmp_path, mirrors=[f"{web.url}bad/", f"{web.url}good/"], timeout=0.4)
    assert fetched.source in (f"{web.url}good/a.gz", f"{web.url}bad/a.gz")
    assert (tmp_path / "a.gz").read_bytes() == CONTENT
    assert left(tmp_path) == ["a.gz"]


def test_a_refused_answer_keeps_what_came_before(web, tmp_path):
    leave(tmp_path, CONTENT[:5000])
    web.put("/bad/a.gz", status(503))
    web.put("/good/a.gz", honest(CONTENT))
    fetch(web, tmp_path, mirrors=[f"{web.url}bad/", f"{web.url}good/"])
    assert web.asked == [("/bad/a.gz", "bytes=5000-", None), ("/good/a.gz", "bytes=5000-", None)]


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://127.0.0.1/", "data:,abc", "/etc/hostname", ""])
def test_only_the_web_is_asked(address):
    with pytest.raises(Unavailable, match="unknown url type"):
        get(address, {}, 1.0)


#: Odd answers that are the file all the same.
TAKEN = {
    "no length": reply(CONTENT, length=False),
    "in chunks": chunked(CONTENT[:7], CONTENT[7:]),
    "in chunks without end": chunked(CONTENT, end=b""),
    "labelled as encoded": reply(CONTENT, Content_Encoding="gzip"),
    "with more behind it": reply(CONTENT + b"more", length=False),
    "nonsense as length": reply(CONTENT, length="many"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_odd_answers(web, tmp_path, name):
    web.put("/a.gz", TAKEN[name])
    fetch(web, tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirections_are_followed_with_the_range(web, tmp_path, code):
    leave(tmp_path, CONTENT[:10])
    web.put("/a.gz", to("/elsewhere", code))
    web.put("/elsewhere", honest(CONTENT))
    fetch(web, tmp_path)
    assert web.asked == [("/a.gz", "bytes=10-", None), ("/elsewhere", "bytes=10-", None)]


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"etag": '"v1"'}, '"v1"'),
        ({"etag": '"v1"', "date": "Sat, 01 Jan 2022 00:00:00 GMT"}, '"v1"'),
        ({"date": "Sat, 01 Jan 2022 00:00:00 GMT"}, "Sat, 01 Jan 2022 00:00:00 GMT"),
        ({"etag": 'W/"v1"'}, None),  # weak validators are not for ranges
        ({}, None),
    ],
)
def test_a_broken_download_goes_on(web, tmp_path, headers, validator):
    web.put("/a.gz", honest(CONTENT, cut=1000, **headers), honest(CONTENT, cut=500, **headers), status(500))
    with pytest.raises(DataError, match="HTTP 500"):
        fetch(web, tmp_path)
    assert (tmp_path / ".a.gz.part").read_bytes() == CONTENT[:1500]
    web.put("/a.gz", honest(CONTENT, **headers))
    fetch(web, tmp_path)
    assert web.asked == [
        ("/a.gz", None, None),
        ("/a.gz", "bytes=1000-", validator),
        ("/a.gz", "bytes=1500-", validator),
        ("/a.gz", "bytes=1500-", validator),
    ]
    assert (tmp_path / "a.gz").read_bytes() == CONTENT
    assert left(tmp_path) == ["a.gz"]


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 4000), max_size=6), ranges=st.lists(st.booleans(), min_size=7, max_size=7))
def test_however_it_is_cut(cuts, ranges):
    """Whatever breaks off where, and whether or not the server knows ranges, the file is the file."""
    with serving() as web, TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "*")
        answers = []
        for cut, knows in zip(cuts, ranges, strict=False):
            answers.append(honest(CONTENT, cut=cut) if knows else reply(CONTENT[:cut], length=SIZE))
        web.put("/a.gz", *answers, honest(CONTENT))
        for _ in range(8):  # a connection that brings nothing ends a fetch
            try:
                fetch(web, Path(folder))
                break
            except DataError:
                continue
        assert Path(folder, "a.gz").read_bytes() == CONTENT
        assert left(Path(folder)) == ["a.gz"]


def test_a_file_that_changed_meanwhile_starts_anew(web, tmp_path):
    leave(tmp_path, WRONG[:1000], f'{web.url}a.gz\n"old"')
    web.put("/a.gz", honest(CONTENT, etag='"new"'))
    fetch(web, tmp_path)
    assert web.asked == [("/a.gz", "bytes=1000-", '"old"')]
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


#: Answers to a request for the bytes from 1000 that are of no use.
BOGUS_RANGES = [
    f"bytes 0-{SIZE - 1}/{SIZE}",
    f"bytes 999-{SIZE - 1}/{SIZE}",
    f"bytes 1000-{SIZE - 1}/{SIZE + 1}",
    f"bytes 1000-{SIZE}/{SIZE}",
    "bytes 1000-/",
    "lines 1-2/3",
    "",
]


@pytest.mark.parametrize("span", BOGUS_RANGES)
def test_a_bogus_range_is_not_used(web, tmp_path, span):
    leave(tmp_path, CONTENT[:1000])
    web.put("/a.gz", reply(WRONG[1000:], 206, Content_Range=span), honest(CONTENT))
    watcher = Watcher()
    fetch(web, tmp_path, watcher=watcher)
    assert watcher.steps == sorted(watcher.steps), "none of its bytes are taken"
    assert web.asked == [("/a.gz", "bytes=1000-", None), ("/a.gz", None, None)]
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


@pytest.mark.parametrize("answer", [reply(CONTENT), status(416)], ids=["ignored", "416"])
def test_a_server_without_ranges(web, tmp_path, answer):
    leave(tmp_path, CONTENT[:1000])
    web.put("/a.gz", answer, reply(CONTENT))
    fetch(web, tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("partial", "asked"),
    [
        (b"nonsense", ["bytes=8-", None]),  # found out at the end, then fetched whole
        (WRONG, [None]),
        (CONTENT + b"more", [None]),
        (CONTENT, []),
        (b"", [None]),
    ],
    ids=["garbage", "as long", "longer", "complete", "empty"],
)
def test_what_else_may_lie_there(web, tmp_path, partial, asked):
    leave(tmp_path, partial)
    web.put("/a.gz", honest(CONTENT))
    fetch(web, tmp_path)
    assert [span for _, span, _ in web.asked] == asked
    assert (tmp_path / "a.gz").read_bytes() == CONTENT
    assert left(tmp_path) == ["a.gz"]


@pytest.mark.parametrize("origin", ["", "x", '{url}a.gz\n"v\r\nHost: evil"', "{url}a.gz\né", "http://other/a.gz\n'v'"])
def test_a_validator_from_elsewhere_is_not_sent(web, tmp_path, origin):
    leave(tmp_path, CONTENT[:10], origin.format(url=web.url))
    web.put("/a.gz", honest(CONTENT))
    fetch(web, tmp_path)
    assert web.asked == [("/a.gz", "bytes=10-", None)]


def test_every_mirror_is_tried(web, tmp_path):
    mirrors = [f"{web.url}{name}/" for name in ("gone", "wrong", "good")]
    web.put("/wrong/a.gz", reply(WRONG))
    web.put("/good/a.gz", honest(CONTENT))
    [fetched] = fetch(web, tmp_path, mirrors=mirrors)
    assert fetched.source == f"{web.url}good/a.gz"
    assert [path for path, _, _ in web.asked] == ["/gone/a.gz", "/wrong/a.gz", "/good/a.gz"]


@pytest.mark.parametrize("mine", [b"mine", WRONG, b""], ids=["shorter", "as long", "empty"])
def test_another_file_of_that_name_is_kept(web, tmp_path, mine):
    (tmp_path / "a.gz").write_bytes(mine)
    (tmp_path / "a.gz.1").write_bytes(b"older")
    web.put("/a.gz", status(503), honest(CONTENT))
    with pytest.raises(DataError):
        fetch(web, tmp_path)
    assert (tmp_path / "a.gz").read_bytes() == mine, "nothing is moved for nothing"
    [fetched] = fetch(web, tmp_path)
    assert fetched.kept == tmp_path / "a.gz.2"
    assert fetched.kept.read_bytes() == mine
    assert (tmp_path / "a.gz.1").read_bytes() == b"older"
    assert (tmp_path / "a.gz").read_bytes() == CONTENT


def test_one_process_at_a_time(web, tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(DataError, match="another process is fetching"):
        fetch(web, tmp_path)
    os.close(descriptor)
    web.put("/a.gz", honest(CONTENT))
    fetch(web, tmp_path)


def test_a_full_disk_is_not_the_servers_fault(web, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    web.put("/a.gz", honest(CONTENT))
    monkeypatch.setattr(Partial, "append", full)
    with pytest.raises(OSError, match="No space left"):
        fetch(web, tmp_path)
    assert left(tmp_path) in ([], [".a.gz.part", ".a.gz.part.from"])


def test_a_file_where_the_folder_should_be(web, tmp_path):
    (tmp_path / "letters").write_text("")
    with pytest.raises(ConfigError, match="letters: is a file"):
        fetch(web, tmp_path / "letters")


def test_without_a_network(tmp_path):
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
def test_the_catalogue(name):
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


def test_checksums_are_all_different():
    sums = [file.sha256 for known in CATALOGUE.values() for file in known.files]
    assert len(set(sums)) == len(sums)


@pytest.mark.parametrize("config", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_experiments_look_where_the_files_are_put(config):
    for name, file in re.findall(r"\.\./datasets/([\w-]+)/([\w.-]+)", config.read_text()):
        assert file in [known.name for known in CATALOGUE[name].files]
