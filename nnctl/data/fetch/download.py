"""One file from one address, continued where an earlier try ended (RFC 9110, sections 13.1.5 and 14).

Nothing a server says is taken on trust: the bytes are taken as they are on the wire, never more than the file
has, and their checksum alone decides. Status, type, length and range are looked at to give a reason early, and
so that a wrong answer does not spoil bytes that came before.
"""

from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, HTTPResponse, responses
from time import monotonic
from typing import IO, cast
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from nnctl.data.fetch.catalogue import File
from nnctl.data.fetch.partial import Partial

SCHEMES = ("http", "https")
CHUNK = 1 << 16
#: Seconds without an answer, or with fewer than `SLOWEST` bytes each, after which a connection has stalled.
TIMEOUT = 30.0
SLOWEST = 100
#: How often one address is asked, as long as every connection brings something.
TRIES = 10

OK, PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 200, 206, 416


class Unavailable(Exception):
    """Why an address does not give the file."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code


class Broken(Exception):
    """Why a connection ended early, and whether asking again is worth it."""

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def download(url: str, file: File, partial: Partial, at: Callable[[int], None], timeout: float = TIMEOUT) -> None:
    """Bring a partial file to all of the file's bytes; `at` hears how many there are.

    Raises:
        Unavailable: where this address does not give them. What came is kept, unless it turned out to be wrong.
    """
    reason = ""
    for _ in range(TRIES):
        resumed = partial.length > 0
        try:
            receive(url, file.size, partial, at, timeout)
        except Broken as broken:
            reason = str(broken)
            if not broken.again:
                break
            continue
        if partial.holds(file):
            return
        partial.clear()
        reason = "the checksum is another: damaged, or not this file"
        # Where the first bytes were older, they may be the wrong ones: once more, from the start.
        if not resumed:
            break
    raise Unavailable(reason)


def receive(url: str, size: int, partial: Partial, at: Callable[[int], None], timeout: float) -> None:
    """Append what one connection brings, up to a size.

    Raises:
        Broken: where it ends before that, or stalls.
        Unavailable: where the answer is not the file.
    """
    with answer(url, size, partial, timeout) as response:
        start = since = partial.length
        checked = monotonic()
        while partial.length < size:
            block, failure = _read(response, min(CHUNK, size - partial.length))
            if not block:
                raise Broken(f"{failure} after {partial.length:,} of {size:,} bytes", again=partial.length > start)
            partial.append(block)
            at(partial.length)
            if monotonic() - checked > timeout:
                if partial.length - since < SLOWEST * timeout:
                    raise Broken(f"stalled at {partial.length:,} of {size:,} bytes", again=False)
                checked, since = monotonic(), partial.length


def _read(response: HTTPResponse, most: int) -> tuple[bytes, str]:
    """What comes next, or nothing and why."""
    try:
        return response.read1(most), "the connection ended"  # read() would wait for all of it
    except (OSError, HTTPException) as error:
        return b"", why(error)


def answer(url: str, size: int, partial: Partial, timeout: float) -> HTTPResponse:
    """An open answer that goes on where the partial file ends; the file is emptied if the answer starts anew."""
    response = _rest(url, size, partial, timeout) if partial.length else None
    goes_on = response is not None and response.status == PARTIAL_CONTENT
    response = response or get(url, {}, timeout)
    try:
        check(response, PARTIAL_CONTENT if goes_on else OK, size - partial.length if goes_on else size)
    except Unavailable:
        response.close()
        raise
    if not goes_on:
        partial.clear()
    etag = response.headers.get("ETag")
    weak = etag is not None and etag.startswith("W/")
    partial.remember(url, response.headers.get("Last-Modified") if etag is None or weak else etag)
    return response


def _rest(url: str, size: int, partial: Partial, timeout: float) -> HTTPResponse | None:
    """The answer to a request for the bytes that are missing; nothing where it is of no use."""
    headers = {"Range": f"bytes={partial.length}-"}
    if validator := partial.validator(url):
        headers["If-Range"] = validator
    try:
        response = get(url, headers, timeout)
    except Unavailable as error:
        if error.code == RANGE_NOT_SATISFIABLE:
            return None
        raise
    span = f"bytes {partial.length}-{size - 1}/"
    spans = (f"{span}{size}", f"{span}*")
    if response.status == PARTIAL_CONTENT and response.headers.get("Content-Range") not in spans:
        response.close()
        return None
    return response  # or all of the file, where it is another by now or the server knows no ranges


def check(response: HTTPResponse, status: int, expected: int) -> None:
    """Refuse an answer that cannot be the file.

    Raises:
        Unavailable: with what it is instead.
    """
    if response.status != status:
        raise Unavailable(f"HTTP {response.status} where {status} is the file")
    if response.headers.get_content_type() == "text/html":
        raise Unavailable("answered with a web page, not the file; some networks ask to log in that way")
    # Servers label a .gz file as gzip-encoded; of the right length, it is the file itself.
    encoding = response.headers.get("Content-Encoding", "identity")
    if response.length != expected and (response.length is not None or encoding != "identity"):
        encoded = "" if encoding == "identity" else f", encoded as {printable(encoding)}"
        announced = "no length" if response.length is None else f"{response.length:,} bytes"
        raise Unavailable(f"announced {announced}{encoded}, where {expected:,} bytes are needed")


def get(url: str, headers: dict[str, str], timeout: float) -> HTTPResponse:
    """The answer of a server, once redirections are followed.

    Raises:
        Unavailable: where there is none, or an error.
    """
    try:
        asked = request.Request(url, headers={"User-Agent": "nnctl", "Accept-Encoding": "identity", **headers})  # noqa: S310 - the opener knows no other schemes
        return cast("HTTPResponse", _opener().open(asked, timeout=timeout))
    except HTTPError as error:
        with error:
            raise Unavailable(why(error), error.code) from None
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a redirection to what is no address
        raise Unavailable(why(error)) from None


def why(error: Exception) -> str:
    """An error of the network in a line."""
    match error:
        case HTTPError() if error.code // 100 == 3:
            return f"HTTP {error.code}: {printable(str(error.msg))}"
        case HTTPError():
            return f"HTTP {error.code} {responses.get(error.code, '')}".rstrip()
        case URLError() if isinstance(error.reason, Exception):
            return why(error.reason)
        case TimeoutError():
            return "no answer in time"
        case OSError():
            return printable(str(error.strerror or error))
    return printable(f"{type(error).__name__}: {error}")


def printable(text: str) -> str:
    """What a server said, fit for a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]


class Redirections(request.HTTPRedirectHandler):
    """Follows a few redirections, to web addresses only."""

    max_redirections = 5
    inf_msg = "redirected in a circle, or too often; the last answer: "

    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> request.Request | None:
        if urlsplit(newurl).scheme not in SCHEMES:  # the base class would follow ftp
            raise HTTPError(req.full_url, code, f"redirected to {newurl}; only http and https are", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> request.OpenerDirector:
    """An opener that knows the web and nothing else: no files, no FTP, no data: addresses."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.UnknownHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPDefaultErrorHandler(),
        Redirections(),
        request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
