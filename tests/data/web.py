"""A web server on this machine that answers as it is told, and remembers what it was asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


class Web:
    """Answers a path with its next answer, the last one for ever; an answer is a function of the request handler."""

    url: str

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []

    def put(self, path: str, *answers: Answer) -> None:
        self.answers[path] = list(answers)

    def next(self, handler: BaseHTTPRequestHandler) -> Answer:
        self.asked.append(handler.path)
        answers = self.answers.get(handler.path, [status(404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def serving() -> Iterator[Web]:
    """A running server; its `url` ends in a slash."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.next(self)(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            pass  # the client went away, as it should from some answers

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        web.url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()


def reply(body: bytes = b"", code: int = 200, length: object = None, **headers: str) -> Answer:
    """Any answer; `length` is announced instead of the body's, or not at all if it is False."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        if length is not False:
            handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def status(code: int) -> Answer:
    return reply(b"<html>no</html>", code, Content_Type="text/html")


def to(address: str, code: int = 302) -> Answer:
    return reply(code=code, Location=address)


def raw(text: bytes, then: Callable[[], object] = lambda: None) -> Answer:
    """Bytes as they are, instead of HTTP."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(text)
        handler.wfile.flush()
        then()

    return answer


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> Answer:
    """An answer in pieces of unannounced number."""
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + pieces + end)
